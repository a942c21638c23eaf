//! Reads the files of one variant as the table has its columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use biotide_common::BiotideError;
use biotide_text::chunk::{ChunkDecoder, DecodedChunk, Flaw, Place, RowFilter, Stop};
use biotide_text::delimited::Layout;
use biotide_text::problem::Problem;

use crate::spec::ChunkReader;

/// A chunk decoder whose columns are counted as the table shows them; those that the files lack are NULL.
#[derive(Debug)]
pub(crate) struct TableReader {
    decoder: ChunkDecoder,
    /// Where the columns that the table shows are in the files.
    places: Vec<Option<usize>>,
    /// The table's schema, and what is read of it.
    table: SchemaRef,
    projected: SchemaRef,
    /// For each column that is read, its place among those that are decoded.
    decoded: Vec<Option<usize>>,
}

impl TableReader {
    /// `places`: where the columns of `table` are in files of this layout; those that tell where a record
    /// stands, which `table` may have behind them, every file has.
    pub(crate) fn open(
        layout: Arc<Layout>,
        table: SchemaRef,
        mut places: Vec<Option<usize>>,
        projection: &[usize],
    ) -> Result<Box<dyn ChunkReader>, BiotideError> {
        let metadata = (layout.columns.len()..).take(table.fields().len() - places.len());
        places.extend(metadata.map(Some));
        let reader = Self::new(layout, table, places, projection);
        Ok(Box::new(reader.map_err(|error| BiotideError::Text {
            file: "the reader".to_owned(),
            source: Box::new(error),
        })?))
    }

    fn new(
        layout: Arc<Layout>,
        table: SchemaRef,
        places: Vec<Option<usize>>,
        projection: &[usize],
    ) -> biotide_text::Result<Self> {
        let mut present = Vec::new();
        let mut decoded = Vec::with_capacity(projection.len());
        for &column in projection {
            decoded.push(places[column].map(|_| present.len()));
            present.extend(places[column]);
        }
        Ok(Self {
            decoder: ChunkDecoder::new(layout, Some(present))?,
            places,
            projected: Arc::new(table.project(projection)?),
            table,
            decoded,
        })
    }
}

/// The batch in a wider schema: for each of its columns where it is in the batch, or NULL.
fn widened(
    batch: &RecordBatch,
    schema: &SchemaRef,
    places: &[Option<usize>],
) -> Result<RecordBatch, ArrowError> {
    let rows = batch.num_rows();
    let columns = schema.fields().iter().zip(places);
    let columns = columns.map(|(field, place)| match place {
        Some(place) => Arc::clone(batch.column(*place)),
        None => new_null_array(field.data_type(), rows),
    });
    let columns: Vec<ArrayRef> = columns.collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// A filter that counts columns as the table does.
struct Shifted<'a> {
    filter: &'a mut dyn RowFilter,
    schema: SchemaRef,
    /// The filter's columns that the files have, by their place there.
    columns: Vec<usize>,
    /// For each of the filter's columns, its place among those.
    places: Vec<Option<usize>>,
}

impl<'a> Shifted<'a> {
    fn new(filter: &'a mut dyn RowFilter, reader: &TableReader) -> biotide_text::Result<Self> {
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        for &column in filter.columns() {
            let place = reader.places[column];
            places.push(place.map(|_| columns.len()));
            columns.extend(place);
        }
        Ok(Self {
            schema: Arc::new(reader.table.project(filter.columns())?),
            filter,
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
        if self.columns.len() == self.places.len() {
            return self.filter.keep(batch);
        }
        let batch = widened(batch, &self.schema, &self.places)?;
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
        let present = columns.iter().filter_map(|&column| self.places[column]);
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
        if self.decoded.contains(&None) {
            for batch in &mut chunk.batches {
                *batch = widened(batch, &self.projected, &self.decoded)?;
            }
        }
        Ok(chunk)
    }

    fn describe(&self, bytes: &Buffer, place: Place, flaw: &Flaw) -> Problem {
        self.decoder.describe(bytes, place, flaw)
    }
}
