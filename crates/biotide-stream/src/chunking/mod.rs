//! Where chunks begin and end.

mod adaptive;
mod buffer;
mod keys;
mod rechunk;
mod time;

use std::time::Duration;

use crate::errors::{Result, StreamError};

pub(crate) use buffer::Buffer;
pub(crate) use rechunk::rechunk;

/// Bytes after which a chunk that waits for something else ends anyway.
pub(crate) const MOST_BYTES: usize = 64 << 20;

/// Where chunks begin and end. All but the last are as told.
///
/// Rows are copied only where a chunk is made of several batches.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunking {
    /// Exactly so many rows.
    Rows(usize),
    /// As many rows as fit in so many bytes, at least one.
    Bytes(usize),
    /// Between `min` and `max` rows: as many as what follows works on in `target_ms` milliseconds.
    Adaptive {
        /// The fewest rows, with which it starts.
        min: usize,
        /// The most rows.
        max: usize,
        /// How long a chunk should take, in milliseconds.
        target_ms: u64,
    },
    /// At most `max_rows` rows, cut where the value of the column changes.
    ///
    /// Rows of one key that stand together are never parted, unless they are more than `max_rows`: then the chunks
    /// after the first have `"continues": true` in their metadata.
    ByKey {
        /// The column.
        column: String,
        /// The most rows.
        max_rows: usize,
    },
    /// What arrives within so much time of the chunk's first row, or 64 MiB. Nothing is given when nothing arrives.
    Time(Duration),
}

impl Chunking {
    pub(crate) fn validate(&self) -> Result<()> {
        let problem = match self {
            Self::Rows(0) | Self::Bytes(0) | Self::ByKey { max_rows: 0, .. } => {
                "a chunk has at least 1 row or byte"
            }
            Self::Adaptive { min: 0, .. } => "a chunk has at least 1 row",
            Self::Adaptive { min, max, .. } if min > max => {
                "the fewest rows are no more than the most"
            }
            Self::Adaptive { target_ms: 0, .. } => "a chunk takes at least 1 millisecond",
            Self::Time(duration) if duration.is_zero() => "a chunk takes at least 1 nanosecond",
            _ => return Ok(()),
        };
        Err(StreamError::plan("chunk", problem))
    }
}
