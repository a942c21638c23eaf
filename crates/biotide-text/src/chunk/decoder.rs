//! A chunk of bytes to record batches: index, filters, columns.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::columns::{BadValue, Fields, Rows};
use super::{Flaw, RecordIndex, Stop};
use crate::delimited::{ColumnType, Indexer, Layout, OnBadValue, OnError};
use crate::error::{Result, TextError};
use crate::json_lines::JsonIndexer;
use crate::problem::{Action, Reason};
use crate::scan::Scanner;

/// A filter that the reader applies before it builds the other columns.
pub trait RowFilter: Send {
    /// The columns it looks at, by their place in the decoder's full schema.
    fn columns(&self) -> &[usize];
    /// Which rows of a batch of those columns to keep. NULL is no.
    fn keep(
        &mut self,
        batch: &RecordBatch,
    ) -> std::result::Result<BooleanArray, Box<dyn std::error::Error + Send + Sync>>;
}

/// Where a chunk stands in its file: what came before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes before the chunk.
    pub offset: u64,
    /// Newlines before the chunk's index starts.
    pub lines: u64,
    /// Records before the chunk's index starts.
    pub records: u64,
}

/// What a chunk held.
#[derive(Debug, Default)]
pub struct DecodedChunk {
    /// The rows that are left after filters, in order.
    pub batches: Vec<RecordBatch>,
    /// Rows before filters: `delivered + rejected + blank + skipped` is the number of records.
    pub delivered: u64,
    /// Records set aside.
    pub rejected: u64,
    /// Blank records.
    pub blank: u64,
    /// Records without content, under `skip_empty`.
    pub skipped: u64,
    /// What was wrong, in order; [`ChunkDecoder::describe`] tells it in words.
    pub flaws: Vec<Flaw>,
    /// Records with at least one problem.
    pub problem_records: u64,
    /// Values of JSON under keys that are no column.
    pub unknown: u64,
}

/// Decodes the chunks of one scan, one after the other. Reuses its buffers.
#[derive(Debug)]
pub struct ChunkDecoder {
    pub(super) layout: Arc<Layout>,
    projection: Vec<usize>,
    schema: SchemaRef,
    full_schema: SchemaRef,
    indexer: Indexing,
    pub(super) index: RecordIndex,
}

/// How records are found.
#[derive(Debug)]
enum Indexing {
    Delimited(Box<Indexer>),
    Json(JsonIndexer),
}

impl ChunkDecoder {
    /// Opt-in column: the physical line of the record, from 1.
    pub const LINE: &'static str = "_line";
    /// Opt-in column: the byte offset of the record.
    pub const OFFSET: &'static str = "_offset";

    /// The layout's columns, then [`Self::LINE`] and [`Self::OFFSET`]. Projections and filters refer
    /// to its positions.
    pub fn full_schema(layout: &Layout) -> SchemaRef {
        let mut fields: Vec<_> = layout.schema().fields().iter().cloned().collect();
        for name in [Self::LINE, Self::OFFSET] {
            fields.push(Arc::new(Field::new(name, DataType::Int64, false)));
        }
        Arc::new(Schema::new(fields))
    }

    /// A decoder that builds the columns of `projection` (`None`: the layout's own).
    pub fn new(layout: Arc<Layout>, projection: Option<Vec<usize>>) -> Result<Self> {
        Self::with_scanner(layout, projection, Scanner::best())
    }

    /// The same with a scanner of the caller's choice.
    pub fn with_scanner(
        layout: Arc<Layout>,
        projection: Option<Vec<usize>>,
        scanner: Scanner,
    ) -> Result<Self> {
        layout.validate()?;
        let full_schema = Self::full_schema(&layout);
        let projection = projection.unwrap_or_else(|| (0..layout.columns.len()).collect());
        let mut this = Self {
            schema: Arc::new(full_schema.project(&projection)?),
            full_schema,
            projection,
            indexer: match &layout.json {
                Some(json) => Indexing::Json(JsonIndexer::new(Arc::clone(&layout), json, &[])),
                None => {
                    let indexer = Indexer::with_scanner(Arc::clone(&layout), scanner);
                    Indexing::Delimited(Box::new(indexer))
                }
            },
            index: RecordIndex::default(),
            layout,
        };
        this.expect_filter(&[]);
        Ok(this)
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The index of the current chunk.
    pub fn records(&self) -> &RecordIndex {
        &self.index
    }

    /// Step one: finds the records of `bytes` that start in `from..limit`, see [`Indexer::index`].
    /// `filtered` says whether [`ChunkDecoder::decode`] will get a filter.
    pub fn index(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        filtered: bool,
    ) -> Result<Stop> {
        let count_only = self.projection.is_empty()
            && !filtered
            && self.layout.skip_empty.is_none()
            && self.layout.rules.is_empty()
            && !self.checks_values();
        let out = &mut self.index;
        match &mut self.indexer {
            Indexing::Delimited(indexer) => indexer.index(bytes, from, limit, eof, count_only, out),
            Indexing::Json(indexer) => indexer.index(bytes, from, limit, eof, out),
        }
    }

    /// The columns that a filter of [`ChunkDecoder::decode`] will look at, if there will be one.
    pub fn expect_filter(&mut self, columns: &[usize]) {
        let Indexing::Json(indexer) = &mut self.indexer else {
            return;
        };
        let all = 0..self.layout.columns.len();
        let typed = self.layout.on_bad_value == OnBadValue::Reject;
        let keys = self
            .layout
            .skip_empty
            .iter()
            .flat_map(|keys| match keys[..] {
                [] => all.clone().collect(),
                _ => keys.clone(),
            });
        let keys: Vec<usize> = keys.collect();
        let checked = all.filter(|_| typed);
        let projected = self.projection.iter().chain(columns).chain(&keys).copied();
        indexer.want(&projected.chain(checked).collect::<Vec<_>>());
    }

    /// Says where notes below the table start in the chunks to come, if they do.
    pub fn notes_from(&mut self, at: Option<usize>) {
        if let Indexing::Delimited(indexer) = &mut self.indexer {
            indexer.notes_from(at);
        }
    }

    /// Whether every typed column of every row is to be looked at.
    pub(super) fn checks_values(&self) -> bool {
        self.layout.on_bad_value == OnBadValue::Reject
            && self
                .layout
                .columns
                .iter()
                .any(|column| column.ty != ColumnType::Text)
    }

    /// Step two: builds batches of at most `batch_rows` rows from what [`ChunkDecoder::index`] found
    /// in the same `bytes`.
    pub fn decode(
        &self,
        bytes: &Buffer,
        place: Place,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
    ) -> Result<DecodedChunk> {
        self.decode_limited(bytes, place, filter, batch_rows, None)
    }

    /// The same for the first `limit` rows only (before the filter): the chunk ends with the last of
    /// them, and so do its counts and problems.
    pub fn decode_limited(
        &self,
        bytes: &Buffer,
        place: Place,
        mut filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
        limit: Option<usize>,
    ) -> Result<DecodedChunk> {
        let index = &self.index;
        let mut out = DecodedChunk {
            rejected: index.rejected(),
            blank: index.blank(),
            flaws: index.bad.clone(),
            unknown: match &self.indexer {
                Indexing::Delimited(_) => 0,
                Indexing::Json(indexer) => indexer.unknown(),
            },
            ..DecodedChunk::default()
        };
        let mut bad = Vec::new();
        let mut rows = self.rows_to_build(bytes, &mut bad, &mut out)?;
        let mut total = rows.as_ref().map_or(index.rows(), Vec::len);
        // (As many as there are: what stands behind the last of them is left out all the same.)
        if let Some(limit) = limit.filter(|&limit| limit <= total) {
            total = limit;
            let kept = rows.get_or_insert_with(|| (0..index.rows() as u32).collect());
            kept.truncate(limit);
            self.cut_after(kept.last().map(|&row| row as usize), limit, &mut out);
        }
        out.delivered = total as u64;
        let batch_rows = batch_rows.max(1);
        let parts = total.div_ceil(batch_rows).max(1);
        let step = total.div_ceil(parts);
        for part in 0..parts {
            let range = (part * step).min(total)..((part + 1) * step).min(total);
            let selected: Vec<u32>;
            let rows = match &rows {
                None if parts == 1 => Rows::All(total),
                None => {
                    selected = range.map(|row| row as u32).collect();
                    Rows::Some(&selected)
                }
                Some(rows) => Rows::Some(&rows[range]),
            };
            if rows.len() > 0 {
                let filter = filter
                    .as_mut()
                    .map(|filter| &mut **filter as &mut dyn RowFilter);
                self.build(bytes, place, rows, parts > 1, filter, &mut bad, &mut out)?;
            }
        }
        self.log_values(bytes, &mut bad, Action::Nulled, &mut out);
        out.flaws.sort_by_key(Flaw::key);
        out.flaws.dedup_by_key(|flaw| flaw.key());
        let fails = |flaw: &&Flaw| match flaw.is_value() && !flaw.reason.spoils_row() {
            true => self.layout.on_bad_value == OnBadValue::Fail,
            false => self.layout.on_error == OnError::Fail && flaw.reason != Reason::Footnote,
        };
        if let Some(first) = out.flaws.iter().find(fails) {
            let problem = self.describe(bytes, place, first);
            return Err(TextError::BadRow(Box::new(problem)));
        }
        let mut last = None;
        for flaw in out.flaws.iter().filter(|f| f.reason != Reason::Footnote) {
            out.problem_records += u64::from(last != Some(flaw.record));
            last = Some(flaw.record);
        }
        Ok(out)
    }

    /// Counts and problems only up to the row `last` (none: up to the chunk's start), `rows` in all.
    fn cut_after(&self, last: Option<usize>, rows: usize, out: &mut DecodedChunk) {
        let start = last.and_then(|row| self.index.starts.get(row));
        let (end, records) = match (last, start) {
            (Some(row), Some(&start)) => (start as usize, self.index.record_of(row) + 1),
            // Rows that were only counted: every record is one.
            (Some(row), None) => (usize::MAX, row as u64 + 1),
            (None, _) => (0, 0),
        };
        out.flaws
            .retain(|flaw| last.is_some() && flaw.bytes().start <= end);
        let rejected = out
            .flaws
            .iter()
            .filter(|flaw| flaw.action == Action::Rejected);
        let mut rejected: Vec<_> = rejected.map(|f| (f.record, f.is_value())).collect();
        rejected.dedup();
        out.rejected = rejected.len() as u64;
        // Of the rows of good shape those that were neither delivered nor had a bad value.
        let values = rejected.iter().filter(|(_, value)| *value).count();
        out.skipped = last.map_or(0, |row| row + 1 - rows - values) as u64;
        out.blank = records - rows as u64 - out.rejected - out.skipped;
    }

    pub(super) fn fields<'a>(
        &'a self,
        bytes: &'a Buffer,
        column: usize,
        rows: Rows<'a>,
        compact: bool,
    ) -> Fields<'a> {
        Fields {
            layout: &self.layout,
            bytes,
            index: &self.index,
            column,
            slot: match &self.indexer {
                Indexing::Delimited(_) => column,
                Indexing::Json(indexer) => indexer.slot(column).unwrap_or(0),
            },
            rows,
            compact,
        }
    }

    /// One column of the full schema.
    fn column(
        &self,
        bytes: &Buffer,
        place: Place,
        column: usize,
        rows: Rows<'_>,
        compact: bool,
        bad: &mut Vec<BadValue>,
    ) -> Result<ArrayRef> {
        if column < self.layout.columns.len() {
            return self.fields(bytes, column, rows, compact).build(bad);
        }
        let starts = &self.index.starts;
        let offset = |row: usize| starts[row] as usize;
        let wanted = |i: usize| match rows {
            Rows::All(_) => i,
            Rows::Some(rows) => rows[i] as usize,
        };
        if column == self.layout.columns.len() + 1 {
            let at = |i: usize| (place.offset + offset(wanted(i)) as u64).cast_signed();
            return Ok(Arc::new(Int64Array::from_iter_values(
                (0..rows.len()).map(at),
            )));
        }
        let newline = self.layout.dialect.record_end.byte();
        let (mut at, mut line) = (self.index.covered.start, place.lines + 1);
        let lines = (0..rows.len()).map(|i| {
            let start = offset(wanted(i));
            line += memchr::memchr_iter(newline, &bytes[at..start]).count() as u64;
            at = start;
            line.cast_signed()
        });
        Ok(Arc::new(Int64Array::from_iter_values(lines)))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one step of `decode`, split off for its length"
    )]
    fn build(
        &self,
        bytes: &Buffer,
        place: Place,
        rows: Rows<'_>,
        compact: bool,
        filter: Option<&mut dyn RowFilter>,
        bad: &mut Vec<BadValue>,
        out: &mut DecodedChunk,
    ) -> Result<()> {
        if self.index.is_count() {
            out.batches.push(self.batch(Vec::new(), rows.len())?);
            return Ok(());
        }
        let mut built: Vec<(usize, ArrayRef)> = Vec::new();
        let mut selected: Vec<u32> = Vec::new();
        let (mut rows, mut compact) = (rows, compact);
        if let Some(filter) = filter {
            for &column in filter.columns() {
                built.push((
                    column,
                    self.column(bytes, place, column, rows, compact, bad)?,
                ));
            }
            let schema = Arc::new(self.full_schema.project(filter.columns())?);
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let arrays = built.iter().map(|(_, array)| Arc::clone(array)).collect();
            let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
            let keep = filter.keep(&batch).map_err(TextError::Filter)?;
            let keep = match keep.nulls() {
                Some(nulls) => BooleanArray::new(keep.values() & nulls.inner(), None),
                None => keep,
            };
            if keep.true_count() == 0 {
                return Ok(());
            }
            if keep.true_count() < rows.len() {
                let row = |i: usize| match rows {
                    Rows::All(_) => i as u32,
                    Rows::Some(rows) => rows[i],
                };
                selected = keep.values().set_indices().map(row).collect();
                let sparse = selected.len() * 2 < rows.len();
                rows = Rows::Some(&selected);
                // A few survivors must not keep the whole chunk alive: text is built anew, copied.
                compact |= sparse;
                built.retain(|(_, array)| !(sparse && array.data_type() == &DataType::Utf8View));
                for (_, array) in &mut built {
                    *array = arrow_select::filter::filter(array, &keep)?;
                }
            }
        }
        debug_assert!(selected.len() <= self.index.rows());
        let mut arrays = Vec::with_capacity(self.projection.len());
        for &column in &self.projection {
            let ready = built.iter().find(|(c, _)| *c == column);
            arrays.push(match ready {
                Some((_, array)) => Arc::clone(array),
                None => self.column(bytes, place, column, rows, compact, bad)?,
            });
        }
        out.batches.push(self.batch(arrays, rows.len())?);
        Ok(())
    }

    fn batch(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            arrays,
            &options,
        )?)
    }

    /// Moves bad values to the flaws.
    pub(super) fn log_values(
        &self,
        bytes: &Buffer,
        bad: &mut Vec<BadValue>,
        action: Action,
        out: &mut DecodedChunk,
    ) {
        bad.sort_by_key(|value| (value.row, value.column));
        let newline = self.layout.dialect.record_end.byte();
        let (mut at, mut lines) = (self.index.covered.start, 0);
        for value in bad.drain(..) {
            let row = value.row as usize;
            let start = self.index.starts[row] as usize;
            lines += memchr::memchr_iter(newline, &bytes[at..start]).count() as u32;
            at = start;
            let span = start..self.index.row_end(row);
            let record = self.index.record_of(row);
            let flaw = Flaw::of_record(span, record, self.index.stride, value.reason).of_value(
                value.row,
                value.column,
                value.reason,
                action,
            );
            out.flaws.push(Flaw {
                line: lines,
                ..flaw
            });
        }
    }
}
