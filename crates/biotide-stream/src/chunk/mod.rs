//! What flows: a batch of rows that knows where its rows came from.

mod positions;
mod size;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

pub(crate) use positions::Positions;
pub(crate) use size::slice_bytes;

/// Rows that are worked on together.
///
/// Slices share the buffers of what they are cut from.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Its number, from 0, as the last operation that cuts chunks gave it.
    pub id: u64,
    /// What operations tell those after them.
    pub metadata: BTreeMap<String, serde_json::Value>,
    batch: RecordBatch,
    positions: Positions,
}

impl Chunk {
    /// Rows of which the first is item `first_row` of its source, counted from 0.
    pub fn new(id: u64, batch: RecordBatch, first_row: u64) -> Self {
        Self {
            id,
            metadata: BTreeMap::new(),
            batch,
            positions: Positions::Range(first_row),
        }
    }

    /// Its rows.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Its rows.
    pub fn into_batch(self) -> RecordBatch {
        self.batch
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.batch.schema()
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Bytes of its rows, without those of buffers that belong to other rows.
    pub fn bytes(&self) -> usize {
        slice_bytes(&self.batch)
    }

    /// The item of the source that its first row was made of, counted from 0.
    pub fn first_row(&self) -> u64 {
        self.positions.first()
    }

    /// The item of the source that this row was made of.
    ///
    /// It is not known once an operation gave another number of rows than it took.
    pub fn row(&self, index: usize) -> Option<u64> {
        (index < self.rows()).then(|| self.positions.at(index))?
    }

    /// Other rows in the place of these. As many of them are taken for the same items.
    pub fn with_batch(mut self, batch: RecordBatch) -> Self {
        if batch.num_rows() != self.batch.num_rows() {
            self.positions = Positions::From(self.positions.first());
        }
        self.batch = batch;
        self
    }

    /// Some of its rows, without a copy. What lies beyond its end is left out.
    pub fn slice(&self, start: usize, rows: usize) -> Self {
        let start = start.min(self.rows());
        let rows = rows.min(self.rows() - start);
        Self {
            id: self.id,
            metadata: self.metadata.clone(),
            batch: self.batch.slice(start, rows),
            positions: self.positions.slice(start, rows),
        }
    }

    /// Its two halves.
    pub(crate) fn halves(&self) -> (Self, Self) {
        let half = self.rows() / 2;
        (self.slice(0, half), self.slice(half, self.rows() - half))
    }

    /// The rows for which the mask is true.
    ///
    /// # Errors
    ///
    /// A mask of another length.
    pub fn filter(mut self, mask: &BooleanArray) -> Result<Self, ArrowError> {
        if mask.null_count() == 0 && mask.true_count() == self.rows() {
            return Ok(self);
        }
        self.positions = self.positions.filter(mask)?;
        self.batch = filter_record_batch(&self.batch, mask)?;
        Ok(self)
    }

    /// The rows at these places.
    pub(crate) fn take(&self, rows: &UInt64Array) -> Result<Self, ArrowError> {
        Ok(Self {
            id: self.id,
            metadata: self.metadata.clone(),
            batch: take_record_batch(&self.batch, rows)?,
            positions: self.positions.take(self.rows(), rows)?,
        })
    }

    /// One chunk of several. Number and metadata are those of the first.
    pub(crate) fn concat(mut chunks: Vec<Self>) -> Result<Option<Self>, ArrowError> {
        if chunks.len() < 2 {
            return Ok(chunks.pop());
        }
        let schema = chunks[0].schema();
        let batch = concat_batches(&schema, chunks.iter().map(|chunk| &chunk.batch))?;
        let parts = chunks
            .iter()
            .map(|chunk| (&chunk.positions, chunk.rows()))
            .collect::<Vec<_>>();
        let positions = Positions::concat(&parts)?;
        let first = chunks.swap_remove(0);
        Ok(Some(Self {
            id: first.id,
            metadata: first.metadata,
            batch,
            positions,
        }))
    }

    /// Whether both are pieces of one chunk with the same columns.
    pub(crate) fn belongs_with(&self, other: &Self) -> bool {
        let (one, two) = (self.batch.schema_ref(), other.batch.schema_ref());
        self.id == other.id && (Arc::ptr_eq(one, two) || one == two)
    }

    /// One row as JSON, for messages.
    pub(crate) fn record(&self, index: usize) -> Option<serde_json::Value> {
        let row = self.slice(index, 1);
        let mut text = Vec::new();
        let mut writer = arrow::json::LineDelimitedWriter::new(&mut text);
        writer.write(&row.batch).ok()?;
        writer.finish().ok()?;
        drop(writer);
        serde_json::from_slice(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::numbers;

    #[test]
    fn rows_know_their_items_after_a_filter_and_a_slice() {
        let chunk = Chunk::new(0, numbers(0, 6), 100);
        let mask = BooleanArray::from(vec![true, false, true, false, true, true]);
        let chunk = chunk.filter(&mask).unwrap();
        let items = |chunk: &Chunk| (0..chunk.rows()).map(|i| chunk.row(i)).collect::<Vec<_>>();
        assert_eq!(
            items(&chunk),
            [Some(100), Some(102), Some(104), Some(105)],
            "the mask leaves gaps"
        );
        assert_eq!(items(&chunk.slice(1, 2)), [Some(102), Some(104)]);
        assert_eq!(chunk.row(4), None);
    }

    #[test]
    fn joined_halves_are_the_whole() {
        let chunk = Chunk::new(3, numbers(0, 5), 10);
        let (one, two) = chunk.halves();
        let joined = Chunk::concat(vec![one, two]).unwrap().unwrap();
        assert_eq!(joined.batch(), chunk.batch());
        assert_eq!(
            (joined.id, joined.first_row(), joined.row(4)),
            (3, 10, Some(14))
        );
    }

    #[test]
    fn another_number_of_rows_loses_the_items() {
        let chunk = Chunk::new(0, numbers(0, 4), 7).with_batch(numbers(0, 2));
        assert_eq!((chunk.first_row(), chunk.row(0)), (7, None));
    }

    #[test]
    fn a_record_is_json() {
        let chunk = Chunk::new(0, numbers(0, 4), 0);
        assert_eq!(chunk.record(2).unwrap(), serde_json::json!({"n": 2}));
    }
}
