//! A file that can only be read from its start: gzip.

use std::sync::atomic::Ordering;

use biotide_text::delimited::{DecodedChunk, Place, RowFilter, Stop};
use datafusion_common::Result;

use super::chunk_source::ChunkSource;
use super::file_scan::text_error;
use super::unit::Unit;
use super::verdict::Verdict;
use crate::compress::Gunzip;
use crate::spec::{ChunkReader, FileStart};

/// Reads a compressed file chunk by chunk.
#[derive(Debug)]
pub(super) struct StreamScan {
    source: ChunkSource,
    verdict: Verdict,
    gunzip: Gunzip,
    /// Compressed bytes pushed.
    pushed: u64,
    compressed: Vec<u8>,
    buffer: Vec<u8>,
    /// Offset of `buffer` in the decompressed stream.
    base: u64,
    place: Place,
    start: FileStart,
    wanted: usize,
    newline: u8,
    rows_left: Option<usize>,
    ended: bool,
}

impl StreamScan {
    pub(super) fn new(
        source: ChunkSource,
        verdict: Verdict,
        start: FileStart,
        newline: u8,
        chunk_bytes: usize,
        max_rows: Option<usize>,
    ) -> Self {
        Self {
            source,
            verdict,
            gunzip: Gunzip::default(),
            pushed: 0,
            compressed: Vec::new(),
            buffer: Vec::new(),
            base: 0,
            place: Place {
                offset: 0,
                lines: start.lines,
                records: 0,
            },
            start,
            wanted: chunk_bytes,
            newline,
            rows_left: max_rows,
            ended: false,
        }
    }

    /// Decompresses until `wanted` bytes are there; answers whether the stream ended before.
    async fn fill(&mut self, wanted: usize) -> Result<bool> {
        while self.buffer.len() < wanted {
            if self.pushed == self.source.size() {
                return Ok(true);
            }
            self.compressed.clear();
            let end = self.pushed + (256 << 10);
            self.source
                .read(self.pushed, end, &mut self.compressed)
                .await?;
            for step in self.compressed.chunks(Gunzip::STEP) {
                self.gunzip.push(self.source.name(), step)?;
                self.buffer.append(self.gunzip.output());
            }
            self.pushed += self.compressed.len() as u64;
            if self.pushed == self.source.size() {
                self.gunzip.finish(self.source.name())?;
                self.buffer.append(self.gunzip.output());
            }
        }
        Ok(false)
    }

    /// The batches of the next chunk; `None` at the end.
    pub(super) async fn next(
        &mut self,
        reader: &mut dyn ChunkReader,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
    ) -> Result<Option<DecodedChunk>> {
        if self.ended || self.rows_left == Some(0) {
            return Ok(None);
        }
        let before = if self.base == 0 { 0 } else { self.pushed };
        while self.base < self.start.offset {
            // The preamble.
            let skip = self.start.offset - self.base;
            let eof = self
                .fill(usize::try_from(skip).unwrap_or(usize::MAX).min(1 << 20))
                .await?;
            let n = self
                .buffer
                .len()
                .min(usize::try_from(skip).unwrap_or(usize::MAX));
            self.buffer.drain(..n);
            self.base += n as u64;
            if eof && n == 0 {
                break;
            }
        }
        let filtered = filter.is_some();
        loop {
            let eof = self.fill(self.wanted).await?;
            let len = self.buffer.len();
            let stop = reader
                .index(&self.buffer, 0, len, eof, filtered)
                .map_err(|e| text_error(self.source.name(), e))?;
            let (records, lines) = reader.passed();
            let rest = match stop {
                Stop::NeedMore(0) if !eof => {
                    self.wanted = self.wanted.max(len).saturating_mul(2);
                    continue;
                }
                Stop::Done(at) | Stop::NeedMore(at) => self.buffer.split_off(at),
                Stop::TooLong(at) => {
                    let last = self.buffer.last().copied();
                    let chunk = std::mem::take(&mut self.buffer);
                    let inside = memchr::memchr_iter(self.newline, &chunk[at..]).count() as u64;
                    let base = self.base;
                    self.base += len as u64;
                    let (text_end, lines_beyond) = self.skip_line(last).await?;
                    let rest = std::mem::replace(&mut self.buffer, chunk);
                    let place = Place {
                        offset: base,
                        ..self.place
                    };
                    let long = text_end - (base + at as u64);
                    self.place.records += records;
                    self.place.lines += lines + inside + lines_beyond;
                    let decoded = self
                        .decode(reader, filter, batch_rows, place, Some(long), before)
                        .await?;
                    self.buffer = rest;
                    return Ok(Some(decoded));
                }
            };
            let chunk_len = self.buffer.len() as u64;
            let place = Place {
                offset: self.base,
                ..self.place
            };
            self.base += chunk_len;
            self.place.records += records;
            self.place.lines += lines;
            self.ended = eof && rest.is_empty();
            let decoded = self
                .decode(reader, filter, batch_rows, place, None, before)
                .await?;
            self.buffer = rest;
            return Ok(Some(decoded));
        }
    }

    async fn decode(
        &mut self,
        reader: &mut dyn ChunkReader,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
        place: Place,
        long: Option<u64>,
        before: u64,
    ) -> Result<DecodedChunk> {
        let unit = Unit::new(std::mem::take(&mut self.buffer), long);
        let name = self.source.name();
        let decoded = unit.decode(name, place, reader, filter, batch_rows, self.rows_left);
        let chunk = decoded?.map_err(|problem| self.verdict.first_bad(&problem))?;
        unit.tell(&self.verdict, place, reader, &chunk, self.pushed - before)?;
        if let Some(left) = &mut self.rows_left {
            *left -= usize::try_from(chunk.delivered).unwrap_or(*left).min(*left);
        }
        if self.ended && self.rows_left != Some(0) {
            self.source.check_unchanged().await?;
            self.verdict.stats.complete.store(true, Ordering::Relaxed);
            self.verdict.judge(0)?;
        }
        Ok(chunk)
    }

    /// Drops what is left of a line: where its text ended, and the newlines passed.
    async fn skip_line(&mut self, mut before: Option<u8>) -> Result<(u64, u64)> {
        loop {
            let eof = self.fill(64 << 10).await?;
            if let Some(i) = memchr::memchr(self.newline, &self.buffer) {
                let last = if i > 0 {
                    Some(self.buffer[i - 1])
                } else {
                    before
                };
                let cr = self.newline == b'\n' && last == Some(b'\r');
                let end = self.base + i as u64 - u64::from(cr);
                self.buffer.drain(..=i);
                self.base += i as u64 + 1;
                return Ok((end, 1));
            }
            before = self.buffer.last().copied().or(before);
            self.base += self.buffer.len() as u64;
            self.buffer.clear();
            if eof {
                return Ok((self.base, 0));
            }
        }
    }
}
