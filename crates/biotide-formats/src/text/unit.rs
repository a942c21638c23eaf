//! The bytes of one unit, indexed, on their way to batches.

use arrow::buffer::Buffer;
use biotide_text::TextError;
use biotide_text::chunk::{DecodedChunk, Flaw, Place, RowFilter};
use biotide_text::problem::{Problem, Reason};
use datafusion_common::Result;

use super::file_scan::text_error;
use super::verdict::Verdict;
use crate::spec::ChunkReader;

/// Problems put in words at a time: a unit may hold a million of them.
const PROBLEMS: usize = 1024;

/// Bytes that a reader has indexed.
#[derive(Debug)]
pub(super) struct Unit {
    bytes: Buffer,
    /// The length of the last record, where it is too long and ends beyond the bytes.
    long: Option<u64>,
}

impl Unit {
    pub(super) fn new(bytes: Vec<u8>, long: Option<u64>) -> Self {
        Self {
            bytes: Buffer::from_vec(bytes),
            long,
        }
    }

    /// Builds batches; the problems of the chunk are not told yet. `Err(problem)` inside is the first
    /// bad row or value, where one ends the read.
    pub(super) fn decode(
        &self,
        file: &str,
        place: Place,
        reader: &dyn ChunkReader,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
        limit: Option<usize>,
    ) -> Result<std::result::Result<DecodedChunk, Box<Problem>>> {
        match reader.decode(&self.bytes, place, filter, batch_rows, limit) {
            Ok(chunk) => Ok(Ok(chunk)),
            Err(TextError::BadRow(problem)) => Ok(Err(problem)),
            Err(error) => Err(text_error(file, error)),
        }
    }

    /// Logs what was wrong in a chunk of these bytes, and counts it. `read`: bytes of the store.
    pub(super) fn tell(
        &self,
        verdict: &Verdict,
        place: Place,
        reader: &dyn ChunkReader,
        chunk: &DecodedChunk,
        read: u64,
    ) -> Result<()> {
        verdict.count(chunk, read);
        let last = chunk.flaws.len().saturating_sub(1);
        let describe = |(i, flaw): (usize, &Flaw)| {
            let mut problem = reader.describe(&self.bytes, place, flaw);
            // (A limit may have left it out.)
            let is_long = i == last && flaw.reason == Reason::RecordTooLong;
            if let Some(long) = self.long.filter(|_| is_long) {
                problem.length = long;
            }
            problem
        };
        let mut problems = chunk.flaws.iter().enumerate().map(describe);
        let mut last = None;
        loop {
            let some: Vec<Problem> = problems.by_ref().take(PROBLEMS).collect();
            if some.is_empty() {
                return Ok(());
            }
            verdict.log(some, &mut last)?;
        }
    }

    /// The buffer, for the next unit; a new one if columns point into it.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.bytes.into_vec().unwrap_or_default()
    }
}
