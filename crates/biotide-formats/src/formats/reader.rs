//! Reads the files of one variant as the table has its columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::buffer::Buffer;
use arrow::datatypes::{FieldRef, SchemaRef};
use arrow::error::ArrowError;
use biotide_common::BiotideError;
use biotide_text::chunk::{ChunkDecoder, DecodedChunk, Flaw, Place, RowFilter, Stop};
use biotide_text::delimited::Layout;
use biotide_text::problem::Problem;
use datafusion_common::ScalarValue;

use crate::spec::ChunkReader;

/// Makes columns of the table of columns of the files, value by value.
pub(crate) trait Make: std::fmt::Debug + Send + Sync {
    /// The column of the table.
    fn make(&self, column: &ArrayRef) -> Result<ArrayRef, ArrowError>;
}

/// Where the values of a column that the table shows are from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A column of the files, as it is read.
    Column(usize),
    /// A column of the files, and what makes the table's of it.
    Made(usize, fn(&ArrayRef) -> Result<ArrayRef, ArrowError>),
    /// A column of the files, and what makes the table's of it by what is known of them.
    MadeBy(usize, Arc<dyn Make>),
    /// One value for all rows.
    Constant(ScalarValue),
    /// The files have none: NULL.
    Nowhere,
}

impl Source {
    /// The column of the files that it needs.
    fn column(&self) -> Option<usize> {
        match self {
            Self::Column(column) | Self::Made(column, _) | Self::MadeBy(column, _) => Some(*column),
            Self::Constant(_) | Self::Nowhere => None,
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self, Self::Column(_))
    }
}

impl From<Option<usize>> for Source {
    fn from(place: Option<usize>) -> Self {
        place.map_or(Self::Nowhere, Self::Column)
    }
}

/// A chunk decoder whose columns are counted as the table shows them; those that the files lack are NULL.
#[derive(Debug)]
pub(crate) struct TableReader {
    decoder: ChunkDecoder,
    /// Where the columns that the table shows are from.
    sources: Vec<Source>,
    /// The table's schema, and what is read of it.
    table: SchemaRef,
    projected: SchemaRef,
    /// For each column that is read, which it is of the table, and its place among those that are decoded.
    decoded: Vec<(usize, Option<usize>)>,
}

impl TableReader {
    /// `places`: where the columns of `table` are in files of this layout; those that tell where a record
    /// stands, which `table` may have behind them, every file has.
    pub(crate) fn open(
        layout: Arc<Layout>,
        table: SchemaRef,
        places: Vec<impl Into<Source>>,
        projection: &[usize],
    ) -> Result<Box<dyn ChunkReader>, BiotideError> {
        let metadata = (layout.columns.len()..).take(table.fields().len() - places.len());
        let places = places.into_iter().map(Into::into);
        let sources = places.chain(metadata.map(Source::Column)).collect();
        let reader = Self::new(layout, table, sources, projection);
        Ok(Box::new(reader.map_err(|error| BiotideError::Text {
            file: "the reader".to_owned(),
            source: Box::new(error),
        })?))
    }

    fn new(
        layout: Arc<Layout>,
        table: SchemaRef,
        sources: Vec<Source>,
        projection: &[usize],
    ) -> biotide_text::Result<Self> {
        let mut present = Vec::new();
        let mut decoded = Vec::with_capacity(projection.len());
        for &column in projection {
            let place = sources[column].column();
            decoded.push((column, place.map(|_| present.len())));
            present.extend(place);
        }
        Ok(Self {
            decoder: ChunkDecoder::new(layout, Some(present))?,
            sources,
            projected: Arc::new(table.project(projection)?),
            table,
            decoded,
        })
    }

    /// The sources of columns, with their places.
    fn placed<'a>(
        &'a self,
        places: &'a [(usize, Option<usize>)],
    ) -> impl Iterator<Item = (&'a Source, Option<usize>)> {
        places
            .iter()
            .map(|&(column, place)| (&self.sources[column], place))
    }

    /// Whether columns are what is decoded for them.
    fn are_plain(&self, columns: impl IntoIterator<Item = usize>) -> bool {
        columns
            .into_iter()
            .all(|column| self.sources[column].is_plain())
    }
}

/// The batch as the table has it: for each of its columns the source, and where that is in the batch.
fn widened<'a>(
    batch: &RecordBatch,
    schema: &SchemaRef,
    sources: impl Iterator<Item = (&'a Source, Option<usize>)>,
) -> Result<RecordBatch, ArrowError> {
    let rows = batch.num_rows();
    let column = |(field, (source, place)): (&FieldRef, (&Source, Option<usize>))| match (
        source,
        place.map(|place| batch.column(place)),
    ) {
        (Source::Column(_), Some(column)) => Ok(Arc::clone(column)),
        (Source::Made(_, make), Some(column)) => make(column),
        (Source::MadeBy(_, maker), Some(column)) => maker.make(column),
        (Source::Constant(value), _) => value
            .to_array_of_size(rows)
            .map_err(|error| ArrowError::ExternalError(Box::new(error))),
        _ => Ok(new_null_array(field.data_type(), rows)),
    };
    let columns = schema.fields().iter().zip(sources).map(column);
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// A filter that counts columns as the table does.
struct Shifted<'a> {
    filter: &'a mut dyn RowFilter,
    reader: &'a TableReader,
    schema: SchemaRef,
    /// The filter's columns that the files have, by their place there.
    columns: Vec<usize>,
    /// For each of the filter's columns, which it is of the table, and its place among those.
    places: Vec<(usize, Option<usize>)>,
    /// The filter's columns are what is decoded for them.
    plain: bool,
}

impl<'a> Shifted<'a> {
    fn new(filter: &'a mut dyn RowFilter, reader: &'a TableReader) -> biotide_text::Result<Self> {
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        for &column in filter.columns() {
            let place = reader.sources[column].column();
            places.push((column, place.map(|_| columns.len())));
            columns.extend(place);
        }
        Ok(Self {
            schema: Arc::new(reader.table.project(filter.columns())?),
            plain: reader.are_plain(filter.columns().iter().copied()),
            filter,
            reader,
            columns,
            places,
        })
    }
}

impl RowFilter for Shifted<'_> {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn keep(
        &mut self,
        batch: &RecordBatch,
    ) -> Result<BooleanArray, Box<dyn std::error::Error + Send + Sync>> {
        if self.plain {
            return self.filter.keep(batch);
        }
        let batch = widened(batch, &self.schema, self.reader.placed(&self.places))?;
        self.filter.keep(&batch)
    }
}

impl ChunkReader for TableReader {
    fn index(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        filtered: bool,
    ) -> biotide_text::Result<Stop> {
        self.decoder.index(bytes, from, limit, eof, filtered)
    }

    fn expect_filter(&mut self, columns: &[usize]) {
        let present = columns
            .iter()
            .filter_map(|&column| self.sources[column].column());
        self.decoder.expect_filter(&present.collect::<Vec<_>>());
    }

    fn notes_from(&mut self, at: Option<usize>) {
        self.decoder.notes_from(at);
    }

    fn passed(&self) -> (u64, u64) {
        let records = self.decoder.records();
        (records.records(), records.lines())
    }

    fn decode(
        &self,
        bytes: &Buffer,
        place: Place,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
        limit: Option<usize>,
    ) -> biotide_text::Result<DecodedChunk> {
        let mut shifted = filter
            .map(|filter| Shifted::new(filter, self))
            .transpose()?;
        let filter = shifted.as_mut().map(|filter| filter as &mut dyn RowFilter);
        let decoder = &self.decoder;
        let mut chunk = decoder.decode_limited(bytes, place, filter, batch_rows, limit)?;
        if !self.are_plain(self.decoded.iter().map(|(column, _)| *column)) {
            for batch in &mut chunk.batches {
                *batch = widened(batch, &self.projected, self.placed(&self.decoded))?;
            }
        }
        Ok(chunk)
    }

    fn describe(&self, bytes: &Buffer, place: Place, flaw: &Flaw) -> Problem {
        self.decoder.describe(bytes, place, flaw)
    }
}
