//! Decisions that are left to who writes the stream.

use arrow::array::RecordBatch;

/// What to do about an error.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovery {
    /// Go on without the rows.
    Skip,
    /// Go on with these rows in their place. They have the columns that the operation would have given.
    Replace(RecordBatch),
    /// Leave the error to the next handler. After the last it ends the stream.
    Stop,
}

/// How an error is kept to its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isolation {
    /// Whether what fails is tried at half its size, down to one row.
    ///
    /// Then an operation sees rows more than once, and one bad row of n costs about 2·log2(n) calls more. What is
    /// no matter of rows (time, connections, columns) is not tried in halves.
    pub halve: bool,
    /// After so many errors of one operation in a chunk, the rest of the chunk is one error.
    pub max_errors_per_chunk: Option<usize>,
}

impl Default for Isolation {
    fn default() -> Self {
        Self {
            halve: true,
            max_errors_per_chunk: None,
        }
    }
}

/// When so many items failed that the rest is not worth it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorThreshold {
    /// The largest share of items that may fail, 0 to 1.
    pub rate: f64,
    /// It is not looked at before so many items were read: the first of ten is no tenth of all.
    pub minimum_rows: u64,
}

impl Default for ErrorThreshold {
    fn default() -> Self {
        Self {
            rate: 0.1,
            minimum_rows: 1000,
        }
    }
}
