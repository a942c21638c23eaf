//! Rows of the result, column by column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, Float64Builder, Int64Builder, ListArray, ListBuilder,
    RecordBatch, RecordBatchOptions, StringBuilder, StructArray, UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{Field, SchemaRef};
use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::columns::{Column, mapping_fields, path_fields};
use super::worker::Output;

/// Texts in a list.
type Texts = ListBuilder<StringBuilder>;

/// One result, as it is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) target: &'a str,
    pub(super) predicate: Option<&'a str>,
    pub(super) confidence: f64,
    pub(super) hops: usize,
    pub(super) path: &'a [String],
    pub(super) sources: &'a [String],
}

impl Shown<'_> {
    /// About how many bytes it takes in a column.
    fn size(&self) -> usize {
        const NUMBERS: usize = 64;
        let texts = self.path.iter().chain(self.sources);
        NUMBERS + self.target.len() + self.predicate.map_or(0, str::len) + size_of_texts(texts)
    }
}

fn size_of_texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
    let sizes = texts.into_iter().map(|text| size_of::<i32>() + text.len());
    sizes.sum()
}

/// What the rows of one identifier have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common<'a> {
    pub(super) verdict: &'static str,
    pub(super) note: Option<&'a str>,
    pub(super) resolved: Option<&'a str>,
    pub(super) cardinality: Option<&'static str>,
    pub(super) paths: &'a [Shown<'a>],
    pub(super) conflicts: &'a [String],
}

/// A list of results, or of paths, a row.
#[derive(Debug, Default)]
struct Lists {
    ends: Vec<i32>,
    target: StringBuilder,
    predicate: StringBuilder,
    confidence: Float64Builder,
    hops: Int64Builder,
    path: Texts,
    sources: Texts,
}

impl Lists {
    /// Adds an item to the list of the row that comes next.
    fn add(&mut self, item: Shown<'_>) {
        self.target.append_value(item.target);
        self.predicate.append_option(item.predicate);
        self.confidence.append_value(item.confidence);
        self.hops.append_value(item.hops as i64);
        push_texts(&mut self.path, item.path);
        push_texts(&mut self.sources, item.sources);
    }

    /// Ends the list of a row.
    fn end(&mut self) {
        // (More than there can be are refused when the list is made.)
        self.ends
            .push(i32::try_from(self.target.len()).unwrap_or(i32::MAX));
    }

    fn finish(&mut self, is_path: bool) -> Result<ArrayRef> {
        let target: ArrayRef = Arc::new(self.target.finish());
        let predicate: ArrayRef = Arc::new(self.predicate.finish());
        let confidence: ArrayRef = Arc::new(self.confidence.finish());
        let hops: ArrayRef = Arc::new(self.hops.finish());
        let path: ArrayRef = Arc::new(self.path.finish());
        let sources: ArrayRef = Arc::new(self.sources.finish());
        let (fields, columns) = match is_path {
            true => (
                path_fields(),
                vec![target, path, predicate, confidence, hops],
            ),
            false => (
                mapping_fields(),
                vec![target, predicate, confidence, hops, path, sources],
            ),
        };
        let items = StructArray::try_new(fields, columns, None)?;
        let item = Arc::new(Field::new_list_field(items.data_type().clone(), true));
        let offsets = std::iter::once(0)
            .chain(std::mem::take(&mut self.ends))
            .collect::<Vec<i32>>();
        Ok(Arc::new(ListArray::try_new(
            item,
            OffsetBuffer::new(offsets.into()),
            Arc::new(items),
            None,
        )?))
    }
}

/// A column that is built.
#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Number(Float64Builder),
    Integer(Int64Builder),
    Texts(Texts),
    Lists(Box<Lists>),
}

impl Builder {
    fn new(column: Column) -> Self {
        match column {
            Column::Confidence => Self::Number(Float64Builder::new()),
            Column::Hops => Self::Integer(Int64Builder::new()),
            Column::Path | Column::Sources | Column::Conflicts => {
                Self::Texts(Texts::new(StringBuilder::new()))
            }
            Column::Mappings | Column::Paths => Self::Lists(Box::default()),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn text(&mut self, text: Option<&str>) {
        if let Self::Text(builder) = self {
            builder.append_option(text);
        }
    }

    fn texts(&mut self, texts: Option<&[String]>) {
        if let Self::Texts(builder) = self {
            match texts {
                Some(texts) => push_texts(builder, texts),
                None => builder.append_null(),
            }
        }
    }

    fn lists(&mut self) -> Option<&mut Lists> {
        match self {
            Self::Lists(lists) => Some(lists),
            _ => None,
        }
    }
}

fn push_texts(builder: &mut Texts, texts: &[String]) {
    for text in texts {
        builder.values().append_value(text);
    }
    builder.append(true);
}

/// Items of lists that a batch has, for each of its rows: so many at most, but for the last row's.
const ITEMS: usize = 8;

/// Bytes of a batch, but for the last row's lists. No batch is refused them.
const BYTES: usize = 512 << 10;

/// Bytes that are charged for at a time.
const STEP: usize = 32 << 10;

/// A batch, and the memory that is charged for it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) batch: RecordBatch,
    pub(super) held: MemoryReservation,
}

/// Rows of a batch, as they come.
#[derive(Debug)]
pub(super) struct Rows {
    input: RecordBatch,
    schema: SchemaRef,
    /// Columns of the input that are in the result.
    inputs: Vec<usize>,
    columns: Vec<(Column, Builder)>,
    /// For each row, that of the input.
    picks: Vec<u32>,
    /// In lists.
    items: usize,
    batch_size: usize,
    /// About what the rows take, and what is charged for them.
    bytes: usize,
    held: MemoryReservation,
    /// What a row of the input takes.
    width: usize,
}

impl Rows {
    /// Rows made from those of an input.
    pub(super) fn new(input: RecordBatch, output: &Output, held: MemoryReservation) -> Self {
        let columns = output.columns.iter();
        let own = output.inputs.iter().map(|&column| input.column(column));
        let sizes = own.map(|column| column.to_data().get_slice_memory_size().unwrap_or(0));
        let width = sizes.sum::<usize>() / input.num_rows().max(1);
        Self {
            input,
            schema: Arc::clone(&output.schema),
            inputs: output.inputs.clone(),
            columns: columns
                .map(|&column| (column, Builder::new(column)))
                .collect(),
            picks: Vec::new(),
            items: 0,
            batch_size: output.batch_size,
            bytes: 0,
            held,
            width,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    /// Whether its batch is to end.
    pub(super) fn is_full(&self) -> bool {
        self.picks.len() >= self.batch_size
            || self.items / ITEMS >= self.batch_size
            || self.bytes >= BYTES
    }

    /// Charges for what is to be added. Builders double, and hold the old half while they do.
    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.bytes += bytes;
        let more = (2 * self.bytes).saturating_sub(self.held.size());
        match more {
            0 => Ok(()),
            more if self.bytes < BYTES => {
                self.held.grow(more.max(STEP));
                Ok(())
            }
            more => self.held.try_grow(more.max(STEP)),
        }
    }

    /// Adds a result to the list of all of them, of the row that comes next.
    pub(super) fn add_mapping(&mut self, item: Shown<'_>) -> Result<()> {
        self.charge(item.size())?;
        self.items += 1;
        for (column, builder) in &mut self.columns {
            if let (Column::Mappings, Some(lists)) = (*column, builder.lists()) {
                lists.add(item);
            }
        }
        Ok(())
    }

    /// Adds a row of the input's row: with one result, or with none but those in its list.
    pub(super) fn push(
        &mut self,
        row: u32,
        one: Option<Shown<'_>>,
        common: Common<'_>,
    ) -> Result<()> {
        let wanted = |column: Column, size: usize| match self.wants(column) {
            true => size,
            false => 0,
        };
        let texts = [common.note, common.resolved];
        let texts = texts.into_iter().flatten().map(str::len).sum::<usize>();
        let paths = common.paths.iter().map(Shown::size).sum();
        let bytes = self.width
            + texts
            + one.map_or(0, |one| one.size())
            + wanted(Column::Paths, paths)
            + wanted(Column::Conflicts, size_of_texts(common.conflicts));
        self.charge(bytes)?;
        self.picks.push(row);
        for (column, builder) in &mut self.columns {
            match column {
                Column::Target => builder.text(one.map(|one| one.target)),
                Column::Predicate => builder.text(one.and_then(|one| one.predicate)),
                Column::Confidence => {
                    if let Builder::Number(builder) = builder {
                        builder.append_option(one.map(|one| one.confidence));
                    }
                }
                Column::Hops => {
                    if let Builder::Integer(builder) = builder {
                        builder.append_option(one.map(|one| one.hops as i64));
                    }
                }
                Column::Path => builder.texts(one.map(|one| one.path)),
                Column::Sources => builder.texts(one.map(|one| one.sources)),
                Column::Mappings => {
                    if let Some(lists) = builder.lists() {
                        lists.end();
                    }
                }
                Column::Verdict => builder.text(Some(common.verdict)),
                Column::Cardinality => builder.text(common.cardinality),
                Column::Note => builder.text(common.note),
                Column::Resolved => builder.text(common.resolved),
                Column::Paths => {
                    self.items += common.paths.len();
                    if let Some(lists) = builder.lists() {
                        for &path in common.paths {
                            lists.add(path);
                        }
                        lists.end();
                    }
                }
                Column::Conflicts => {
                    self.items += common.conflicts.len();
                    builder.texts(Some(common.conflicts));
                }
            }
        }
        Ok(())
    }

    fn wants(&self, wanted: Column) -> bool {
        self.columns.iter().any(|(column, _)| *column == wanted)
    }

    /// The batch of the rows so far.
    pub(super) fn end_batch(&mut self) -> Result<Made> {
        (self.items, self.bytes) = (0, 0);
        let input = &self.input;
        let picks = std::mem::take(&mut self.picks);
        let n = picks.len();
        let same = n == input.num_rows() && (0..).zip(&picks).all(|(i, &pick)| i == pick);
        let picks = UInt32Array::from(picks);
        let own = self.inputs.iter().map(|&column| {
            let column = input.column(column);
            match same {
                true => Ok(Arc::clone(column)),
                false => take(column, &picks, None),
            }
        });
        let mut arrays: Vec<ArrayRef> = own.collect::<Result<_, _>>()?;
        for (column, builder) in &mut self.columns {
            arrays.push(match builder {
                Builder::Text(builder) => Arc::new(builder.finish()),
                Builder::Number(builder) => Arc::new(builder.finish()),
                Builder::Integer(builder) => Arc::new(builder.finish()),
                Builder::Texts(builder) => Arc::new(builder.finish()),
                Builder::Lists(lists) => lists.finish(*column == Column::Paths)?,
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(n));
        let schema = Arc::clone(&self.schema);
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
        Ok(Made {
            batch,
            held: self.held.take(),
        })
    }
}
