//! Rows of the result, column by column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Builder, Int64Builder, ListArray, ListBuilder, RecordBatch,
    RecordBatchOptions, StringBuilder, StructArray, UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{Field, SchemaRef};
use datafusion_common::Result;

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
    fn push(&mut self, items: &[Shown<'_>]) {
        for item in items {
            self.target.append_value(item.target);
            self.predicate.append_option(item.predicate);
            self.confidence.append_value(item.confidence);
            self.hops.append_value(item.hops as i64);
            push_texts(&mut self.path, item.path);
            push_texts(&mut self.sources, item.sources);
        }
        // (More than there can be are refused when the list is made.)
        let n = i32::try_from(items.len()).unwrap_or(i32::MAX);
        let last = self.ends.last().copied().unwrap_or(0);
        self.ends.push(last.saturating_add(n));
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

    fn lists(&mut self, items: &[Shown<'_>]) {
        if let Self::Lists(lists) = self {
            lists.push(items);
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

/// Rows of a batch, as they come.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    input: &'a RecordBatch,
    schema: SchemaRef,
    /// Columns of the input that are in the result.
    inputs: Vec<usize>,
    columns: Vec<(Column, Builder)>,
    /// For each row, that of the input.
    picks: Vec<u32>,
    /// In lists.
    items: usize,
    batch_size: usize,
    done: Vec<RecordBatch>,
}

impl<'a> Rows<'a> {
    /// Rows made from those of an input.
    pub(super) fn new(input: &'a RecordBatch, output: &Output) -> Self {
        let columns = output.columns.iter();
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
            done: Vec::new(),
        }
    }

    /// Adds a row of the input's row: with one result, with all in a list, or with none.
    pub(super) fn push(
        &mut self,
        row: u32,
        one: Option<Shown<'_>>,
        all: &[Shown<'_>],
        common: Common<'_>,
    ) -> Result<()> {
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
                    self.items += all.len();
                    builder.lists(all);
                }
                Column::Verdict => builder.text(Some(common.verdict)),
                Column::Cardinality => builder.text(common.cardinality),
                Column::Note => builder.text(common.note),
                Column::Resolved => builder.text(common.resolved),
                Column::Paths => {
                    self.items += common.paths.len();
                    builder.lists(common.paths);
                }
                Column::Conflicts => {
                    self.items += common.conflicts.len();
                    builder.texts(Some(common.conflicts));
                }
            }
        }
        match self.picks.len() >= self.batch_size || self.items / ITEMS >= self.batch_size {
            true => self.end_batch(),
            false => Ok(()),
        }
    }

    /// All of them: one batch at least.
    pub(super) fn finish(mut self) -> Result<Vec<RecordBatch>> {
        if !self.picks.is_empty() || self.done.is_empty() {
            self.end_batch()?;
        }
        Ok(self.done)
    }

    fn end_batch(&mut self) -> Result<()> {
        self.items = 0;
        let input = self.input;
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
        self.done.push(batch);
        Ok(())
    }
}
