//! Rows that wait to become a chunk.

use std::collections::VecDeque;

use crate::chunk::Chunk;
use crate::errors::{Result, StreamError};

/// Rows in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    chunks: VecDeque<Chunk>,
    rows: usize,
    bytes: usize,
    /// Chunks that were given out, which is the number of the next.
    given: u64,
}

impl Buffer {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Nearly: offsets and bits of a slice are rounded up, and counting what is left again would take long.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.chunks.iter()
    }

    pub(crate) fn push(&mut self, chunk: Chunk) {
        if chunk.rows() > 0 {
            self.rows += chunk.rows();
            self.bytes += chunk.bytes();
            self.chunks.push_back(chunk);
        }
    }

    /// The first rows as a chunk; they stay.
    pub(crate) fn copy(&mut self, rows: usize) -> Result<Option<Chunk>> {
        let mut parts = Vec::new();
        let mut left = rows;
        for chunk in &self.chunks {
            if left == 0 {
                break;
            }
            let part = if chunk.rows() <= left {
                chunk.clone()
            } else {
                chunk.slice(0, left)
            };
            left -= part.rows();
            parts.push(part);
        }
        self.whole(parts)
    }

    /// The first rows as a chunk; they go.
    pub(crate) fn take(&mut self, rows: usize) -> Result<Option<Chunk>> {
        let parts = self.cut(rows);
        self.whole(parts)
    }

    /// The first rows go.
    pub(crate) fn drop_front(&mut self, rows: usize) {
        self.cut(rows);
    }

    fn cut(&mut self, rows: usize) -> Vec<Chunk> {
        let mut parts = Vec::new();
        let mut left = rows;
        while left > 0
            && let Some(chunk) = self.chunks.pop_front()
        {
            let part = if chunk.rows() <= left {
                chunk
            } else {
                self.chunks
                    .push_front(chunk.slice(left, chunk.rows() - left));
                chunk.slice(0, left)
            };
            left -= part.rows();
            self.rows -= part.rows();
            self.bytes = self.bytes.saturating_sub(part.bytes());
            parts.push(part);
        }
        if self.rows == 0 {
            self.bytes = 0;
        }
        parts
    }

    fn whole(&mut self, parts: Vec<Chunk>) -> Result<Option<Chunk>> {
        let Some(first) = parts.first() else {
            return Ok(None);
        };
        let first = first.clone();
        match Chunk::concat(parts) {
            Ok(Some(mut chunk)) => {
                chunk.id = self.given;
                self.given += 1;
                Ok(Some(chunk))
            }
            Ok(None) => Ok(None),
            // (Batches with different columns.)
            Err(error) => Err(StreamError::rows("chunk", first, 0, error.into())),
        }
    }
}
