//! A file that can only be read from its start: compressed, or in an encoding that has to be made UTF-8.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use biotide_text::chunk::{DecodedChunk, Place, RowFilter, Stop};
use biotide_text::delimited::{NOTES_BYTES, RecordEnd, RestOfLine};
use datafusion_common::{DataFusionError, Result};

use super::ahead::Ahead;
use super::chunk_source::ChunkSource;
use super::file_scan::text_error;
use super::pace::Pace;
use super::rows_left::RowsLeft;
use super::unit::Unit;
use super::verdict::Verdict;
use crate::spec::{ChunkReader, FileStart, TextLayout};

/// Reads such a file chunk by chunk.
#[derive(Debug)]
pub(super) struct StreamScan {
    source: Arc<ChunkSource>,
    layout: Arc<dyn TextLayout>,
    verdict: Verdict,
    ahead: Ahead,
    /// Bytes of the store that were counted.
    counted: u64,
    buffer: Vec<u8>,
    /// Offset of `buffer` in the text.
    base: u64,
    place: Place,
    start: FileStart,
    /// Bytes of a chunk that a record which did not fit asks for.
    wanted: usize,
    record_end: RecordEnd,
    /// Bytes that are read only together with what follows them, or with the text's end: they may hold
    /// notes.
    held_back: usize,
    /// The last bytes before `buffer`, as many as may hold notes: a record longer than that may have been
    /// read before it was known that the text ends behind it.
    passed: Vec<u8>,
    /// Where notes below the table start: known where the text has ended.
    notes: Option<Option<u64>>,
    rows_left: Option<RowsLeft>,
    ended: bool,
    /// What ended the text before its end. The rows before it are delivered first.
    failure: Option<DataFusionError>,
    pace: Pace,
}

impl StreamScan {
    /// A scan of a text whose first bytes, `buffer`, were taken from `ahead` already.
    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own")]
    pub(super) fn new(
        source: Arc<ChunkSource>,
        layout: Arc<dyn TextLayout>,
        verdict: Verdict,
        ahead: Ahead,
        buffer: Vec<u8>,
        start: FileStart,
        rows_left: Option<RowsLeft>,
        pace: Pace,
    ) -> Self {
        Self {
            record_end: layout.record_end(start.variant),
            held_back: if layout.finds_notes() { NOTES_BYTES } else { 0 },
            passed: Vec::new(),
            notes: None,
            source,
            layout,
            verdict,
            ahead,
            counted: 0,
            buffer,
            base: 0,
            place: Place {
                offset: 0,
                lines: start.lines,
                records: 0,
            },
            start,
            wanted: 0,
            rows_left,
            ended: false,
            failure: None,
            pace,
        }
    }

    /// Takes text until `wanted` bytes are there; answers whether it ended before.
    async fn fill(&mut self, wanted: usize) -> bool {
        let end = self.start.end.map_or(u64::MAX, |end| end - self.base);
        let end = usize::try_from(end).unwrap_or(usize::MAX);
        while self.buffer.len() < wanted.min(end) && self.failure.is_none() {
            match self.ahead.next().await {
                Ok(Some(mut block)) => self.buffer.append(&mut block),
                Ok(None) => return true,
                Err(error) => self.failure = Some(error),
            }
        }
        self.buffer.truncate(end);
        self.buffer.len() == end
    }

    /// Finds the notes below the table, of a text that has ended just now.
    fn notes_below(&self) -> Option<u64> {
        if self.held_back == 0 {
            return None;
        }
        let more = NOTES_BYTES.saturating_sub(self.buffer.len());
        let passed = &self.passed[self.passed.len().saturating_sub(more)..];
        let rest = &self.buffer[self.buffer.len().saturating_sub(NOTES_BYTES)..];
        let tail = [passed, rest].concat();
        let from = self.base + self.buffer.len() as u64 - tail.len() as u64;
        let whole = from == self.start.offset;
        let found = self.layout.notes_below(self.start.variant, &tail, whole);
        found.map(|at| from + at as u64)
    }

    /// Keeps the last bytes of what goes out of the buffer.
    fn pass(&mut self, bytes: &[u8]) {
        let keep = self.held_back;
        self.passed
            .extend_from_slice(&bytes[bytes.len().saturating_sub(keep)..]);
        let more = self.passed.len().saturating_sub(keep);
        self.passed.drain(..more);
    }

    /// Which of the layout's variants the file is of.
    pub(super) fn variant(&self) -> usize {
        self.start.variant
    }

    /// The batches of the next chunk; `None` at the end.
    pub(super) async fn next(
        &mut self,
        reader: &mut dyn ChunkReader,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
    ) -> Result<Option<DecodedChunk>> {
        if self.ended || self.left() == Some(0) {
            return Ok(None);
        }
        while self.base < self.start.offset {
            // The preamble.
            let skip = self.start.offset - self.base;
            let eof = self
                .fill(usize::try_from(skip).unwrap_or(usize::MAX).min(1 << 20))
                .await;
            let n = self
                .buffer
                .len()
                .min(usize::try_from(skip).unwrap_or(usize::MAX));
            self.buffer.drain(..n);
            self.base += n as u64;
            if n == 0 {
                match self.failure.take() {
                    Some(error) => return Err(error),
                    None if eof => break,
                    None => {}
                }
            }
        }
        let filtered = filter.is_some();
        let unit_bytes = usize::try_from(self.pace.next()).unwrap_or(usize::MAX);
        loop {
            let wanted = self.wanted.max(unit_bytes).saturating_add(self.held_back);
            let eof = self.fill(wanted).await;
            let len = self.buffer.len();
            let mut limit = len;
            if eof && self.notes.is_none() {
                self.notes = Some(self.notes_below());
            } else if !eof && self.failure.is_none() {
                limit -= self.held_back;
            }
            let notes = self.notes.flatten();
            let notes = notes.map(|at| at.saturating_sub(self.base));
            reader.notes_from(notes.map(|at| usize::try_from(at).unwrap_or(usize::MAX)));
            let stop = reader
                .index(&self.buffer, 0, limit, eof, filtered)
                .map_err(|e| text_error(self.source.name(), e))?;
            let (records, lines) = reader.passed();
            let rest = match stop {
                Stop::NeedMore(0) | Stop::Done(0) if self.failure.is_some() => {
                    self.ended = true;
                    return self.failure.take().map_or(Ok(None), Err);
                }
                Stop::NeedMore(0) if !eof => {
                    self.wanted = wanted.max(len).saturating_mul(2);
                    continue;
                }
                Stop::Done(at) | Stop::NeedMore(at) => self.buffer.split_off(at),
                Stop::TooLong(at) => {
                    let line = RestOfLine::new(self.record_end, &self.buffer);
                    let chunk = std::mem::take(&mut self.buffer);
                    self.pass(&chunk);
                    let newline = self.record_end.byte();
                    let inside = memchr::memchr_iter(newline, &chunk[at..]).count() as u64;
                    let base = self.base;
                    self.base += len as u64;
                    let (text_end, lines_beyond) = self.skip_line(line).await;
                    let rest = std::mem::replace(&mut self.buffer, chunk);
                    let place = Place {
                        offset: base,
                        ..self.place
                    };
                    let long = text_end - (base + at as u64);
                    self.place.records += records;
                    self.place.lines += lines + inside + lines_beyond;
                    let decoded = self
                        .decode(reader, filter, batch_rows, place, Some(long))
                        .await?;
                    self.buffer = rest;
                    return Ok(Some(decoded));
                }
            };
            let chunk = std::mem::take(&mut self.buffer);
            self.pass(&chunk);
            self.buffer = chunk;
            let chunk_len = self.buffer.len() as u64;
            let place = Place {
                offset: self.base,
                ..self.place
            };
            self.base += chunk_len;
            self.place.records += records;
            self.place.lines += lines;
            self.ended = eof && rest.is_empty();
            self.wanted = 0;
            let decoded = self.decode(reader, filter, batch_rows, place, None).await?;
            self.buffer = rest;
            return Ok(Some(decoded));
        }
    }

    /// Rows that may be taken yet.
    fn left(&self) -> Option<usize> {
        self.rows_left.as_ref().map(RowsLeft::get)
    }

    async fn decode(
        &mut self,
        reader: &mut dyn ChunkReader,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
        place: Place,
        long: Option<u64>,
    ) -> Result<DecodedChunk> {
        let unit = Unit::new(std::mem::take(&mut self.buffer), long);
        let name = self.source.name();
        let decoded = unit.decode(name, place, reader, filter, batch_rows, self.left());
        let chunk = decoded?.map_err(|problem| self.verdict.first_bad(&problem))?;
        let read = self.ahead.consumed();
        let new = read - std::mem::replace(&mut self.counted, read);
        unit.tell(&self.verdict, place, reader, &chunk, new)?;
        let left = self.rows_left.as_ref();
        if left.is_some_and(|left| left.took(chunk.delivered)) {
            // (What is behind is not judged.)
            self.verdict.judge(0)?;
        } else if self.ended {
            self.source.check_unchanged().await?;
            self.verdict.stats.complete.store(true, Ordering::Relaxed);
            self.verdict.judge(0)?;
        }
        Ok(chunk)
    }

    /// Drops what is left of a line: where its text ended, and the physical lines passed.
    async fn skip_line(&mut self, mut rest: RestOfLine) -> (u64, u64) {
        loop {
            let eof = self.fill(64 << 10).await;
            if let Some(end) = rest.pass(&self.buffer) {
                let line: Vec<u8> = self.buffer.drain(..end.next).collect();
                self.pass(&line);
                self.base += end.next as u64;
                return (self.base - end.length as u64, end.lines as u64);
            }
            self.base += self.buffer.len() as u64;
            let line = std::mem::take(&mut self.buffer);
            self.pass(&line);
            if eof || self.failure.is_some() {
                return (self.base - rest.finish().length as u64, 0);
            }
        }
    }
}
