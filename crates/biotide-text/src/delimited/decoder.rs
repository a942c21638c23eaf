//! The push form, for streams: `decode` bytes, `flush` batches.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;

use super::{Layout, LineEnd, RecordEnd, RestOfLine};
use crate::chunk::{ChunkDecoder, Place, RowFilter, Stop};
use crate::error::Result;
use crate::problem::{Problem, Reason};

/// Turns pushed bytes into batches, in order. The bytes start at the first data record: what stands
/// before it is read with [`Preamble`](super::Preamble).
#[derive(Debug)]
pub struct Decoder {
    chunks: ChunkDecoder,
    batch_rows: usize,
    buffer: Vec<u8>,
    /// Bytes to gather before the next chunk is decoded.
    wanted: usize,
    place: Place,
    finished: bool,
    /// A record that is too long: the rest of its line is thrown away.
    skipping: Option<(Problem, RestOfLine)>,
    record_end: RecordEnd,
    ready: VecDeque<RecordBatch>,
    problems: Vec<Problem>,
}

impl Decoder {
    /// Bytes of a chunk.
    pub const CHUNK_BYTES: usize = 1 << 20;

    /// A decoder of the columns in `projection` (`None`: all), in batches of at most `batch_rows`.
    pub fn new(layout: Layout, projection: Option<Vec<usize>>, batch_rows: usize) -> Result<Self> {
        let record_end = layout.dialect.record_end;
        Ok(Self {
            chunks: ChunkDecoder::new(Arc::new(layout), projection)?,
            batch_rows,
            buffer: Vec::new(),
            wanted: Self::CHUNK_BYTES,
            place: Place::default(),
            finished: false,
            skipping: None,
            record_end,
            ready: VecDeque::new(),
            problems: Vec::new(),
        })
    }

    /// Gathers chunks of this size instead.
    #[must_use]
    pub fn with_chunk_bytes(mut self, bytes: usize) -> Self {
        self.wanted = bytes.max(1);
        self
    }

    /// Starts at this place of the file instead of its start, so that problems are placed rightly.
    #[must_use]
    pub fn with_place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        self.chunks.schema()
    }

    /// Takes bytes; answers how many. Fewer than given: a batch is due, call [`Decoder::flush`] until
    /// it answers `None`.
    pub fn decode(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        if let Some((problem, rest)) = &mut self.skipping {
            let end = rest.pass(bytes);
            taken = end.map_or(bytes.len(), |end| end.next);
            self.place.offset += taken as u64;
            problem.length += taken as u64;
            if let Some(end) = end {
                self.end_skipping(end);
            }
        }
        let room = self.wanted.saturating_sub(self.buffer.len());
        let more = &bytes[taken..];
        let more = &more[..more.len().min(room)];
        self.buffer.extend_from_slice(more);
        taken + more.len()
    }

    /// Says that no bytes follow. Then [`Decoder::flush`] gives the rest.
    pub fn finish(&mut self) {
        self.finished = true;
        if let Some((_, rest)) = &self.skipping {
            self.end_skipping(rest.finish());
        }
    }

    /// The record that was too long has ended.
    fn end_skipping(&mut self, end: LineEnd) {
        if let Some((mut problem, _)) = self.skipping.take() {
            self.place.lines += end.lines as u64;
            problem.length -= end.length as u64;
            self.problems.push(problem);
        }
    }

    /// The next batch, if one is due.
    pub fn flush(&mut self) -> Result<Option<RecordBatch>> {
        self.flush_filtered(None)
    }

    /// The same, with a filter.
    pub fn flush_filtered(
        &mut self,
        mut filter: Option<&mut dyn RowFilter>,
    ) -> Result<Option<RecordBatch>> {
        while self.ready.is_empty() {
            let due = if self.finished { 1 } else { self.wanted };
            if self.buffer.len() < due {
                return Ok(None);
            }
            let filter = filter
                .as_mut()
                .map(|filter| &mut **filter as &mut dyn RowFilter);
            self.decode_chunk(filter)?;
        }
        Ok(self.ready.pop_front())
    }

    fn decode_chunk(&mut self, filter: Option<&mut dyn RowFilter>) -> Result<()> {
        let bytes = Buffer::from_vec(std::mem::take(&mut self.buffer));
        let len = bytes.len();
        let stop = self
            .chunks
            .index(&bytes, 0, len, self.finished, filter.is_some())?;
        let chunk = self
            .chunks
            .decode(&bytes, self.place, filter, self.batch_rows)?;
        self.ready.extend(chunk.batches);
        let describe = |flaw| self.chunks.describe(&bytes, self.place, flaw);
        self.problems.extend(chunk.flaws.iter().map(describe));
        self.place.records += self.chunks.records().records();
        self.place.lines += self.chunks.records().lines();
        match stop {
            Stop::Done(at) | Stop::NeedMore(at) => {
                self.buffer.extend_from_slice(&bytes[at..]);
                self.place.offset += at as u64;
                if at == 0 && !self.finished {
                    self.wanted = self.wanted.max(len).saturating_mul(2);
                }
            }
            Stop::TooLong(at) => {
                let passed = memchr::memchr_iter(self.record_end.byte(), &bytes[at..]).count();
                self.place.lines += passed as u64;
                self.place.offset += len as u64;
                // Its problem is the last one; its length is known when its end is seen.
                let problem = self.problems.pop();
                debug_assert!(
                    problem
                        .as_ref()
                        .is_some_and(|p| p.reason == Reason::RecordTooLong)
                );
                self.skipping =
                    problem.map(|problem| (problem, RestOfLine::new(self.record_end, &bytes)));
            }
        }
        Ok(())
    }

    /// What was wrong with the rows so far, at its place. A record that is too long is told of when
    /// its end was seen.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }
}
