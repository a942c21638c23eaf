//! Where a key ends.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{concat, partition};
use arrow::error::ArrowError;

use crate::chunk::Chunk;
use crate::errors::{Result, StreamError};

/// Remembers where in the buffered rows the value of a column changes.
#[derive(Debug)]
pub(super) struct Keys {
    column: String,
    max_rows: usize,
    /// Rows that were pushed, and rows that were cut off.
    pushed: u64,
    cut: u64,
    /// Places between `cut` and `pushed` before which the value changes.
    changes: VecDeque<u64>,
    /// The last row's value.
    last: Option<ArrayRef>,
    /// Whether the rows after `cut` go on with the key before it.
    continues: bool,
}

impl Keys {
    pub(super) fn new(column: String, max_rows: usize) -> Self {
        Self {
            column,
            max_rows,
            pushed: 0,
            cut: 0,
            changes: VecDeque::new(),
            last: None,
            continues: false,
        }
    }

    pub(super) fn push(&mut self, chunk: &Chunk) -> Result<()> {
        let rows = chunk.rows();
        if rows == 0 {
            return Ok(());
        }
        let Some(values) = chunk.batch().column_by_name(&self.column) else {
            let problem = format!("there is no column '{}'", self.column);
            return Err(StreamError::plan("chunk", problem));
        };
        self.find(values).map_err(|error| {
            let rows = chunk.clone();
            StreamError::rows("chunk", rows, 0, error.into())
        })?;
        self.pushed += rows as u64;
        self.last = Some(values.slice(rows - 1, 1));
        Ok(())
    }

    fn find(&mut self, values: &ArrayRef) -> Result<(), ArrowError> {
        if let Some(last) = &self.last {
            let pair = concat(&[last.as_ref(), values.slice(0, 1).as_ref()])?;
            if partition(&[pair])?.len() > 1 {
                self.changes.push_back(self.pushed);
            }
        }
        for range in partition(&[ArrayRef::clone(values)])?
            .ranges()
            .into_iter()
            .skip(1)
        {
            self.changes.push_back(self.pushed + range.start as u64);
        }
        Ok(())
    }

    /// How many of the rows are the next chunk, and whether it goes on with the key of the one before.
    pub(super) fn cut(&mut self, buffered: usize, done: bool) -> Option<(usize, bool)> {
        // One row more is needed to know whether the last key ends there.
        if buffered == 0 || (buffered <= self.max_rows && !done) {
            return None;
        }
        let limit = self.cut + self.max_rows as u64;
        let mut end = None;
        while self.changes.front().is_some_and(|&change| change <= limit) {
            end = self.changes.pop_front();
        }
        if done && buffered <= self.max_rows {
            end = Some(self.pushed);
        }
        let continues = self.continues;
        self.continues = end.is_none();
        let end = end.unwrap_or(limit);
        let rows = end - self.cut;
        self.cut = end;
        Some((rows as usize, continues))
    }
}
