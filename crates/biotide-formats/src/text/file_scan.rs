//! A file that may be read anywhere, in units.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use biotide_common::BiotideError;
use biotide_text::TextError;
use biotide_text::chunk::{DecodedChunk, Place, RowFilter, Stop};
use biotide_text::delimited::{RecordEnd, RestOfLine};
use datafusion_common::{Result, internal_err};
use datafusion_execution::memory_pool::MemoryReservation;
use parking_lot::Mutex;

use super::boundaries::{Boundaries, Boundary, Span};
use super::chunk_source::ChunkSource;
use super::cuts::{ALIGNED, Cut, Cuts};
use super::pace::Pace;
use super::unit::Unit;
use super::verdict::Verdict;
use super::worker::Worker;
use crate::spec::{ChunkReader, FileStart, TextLayout};

/// How long to wait for a predecessor that is at work, before doing its work.
const PATIENCE: Duration = Duration::from_millis(2);

/// Bytes beyond a unit that are not worth counting.
const LITTLE: usize = 1 << 20;

/// What reading the bytes of a unit gave.
struct Indexed {
    bytes: Vec<u8>,
    /// Offset of `bytes` in the file.
    base: u64,
    /// Offset of the first record.
    begin: u64,
    /// Offset of the first record after the unit.
    next: u64,
    /// Newlines passed in bytes that are not in the chunk (the rest of a record that is too long).
    lines_beyond: u64,
    /// The length of a record that is too long, where its end is not in `bytes`.
    long: Option<u64>,
    /// What a record beyond the unit's end takes.
    _memory: Option<MemoryReservation>,
}

/// One file of one scan, shared by the partitions.
#[derive(Debug)]
pub(super) struct FileScan {
    source: Arc<ChunkSource>,
    layout: Arc<dyn TextLayout>,
    /// Which of the layout's variants the file is of.
    pub(super) variant: usize,
    record_end: RecordEnd,
    /// Where notes below the table start.
    notes: Option<u64>,
    pub(super) verdict: Verdict,
    cuts: Mutex<Cuts>,
    /// Bytes that this process reads, and those of units that were read whole.
    bytes: u64,
    done: AtomicU64,
    boundaries: Mutex<Boundaries>,
    lookahead: u64,
    pub(super) pace: Pace,
}

impl FileScan {
    pub(super) fn new(
        source: Arc<ChunkSource>,
        layout: Arc<dyn TextLayout>,
        verdict: Verdict,
        start: FileStart,
        notes: Option<u64>,
        ranges: &[(u64, u64)],
        pace: Pace,
    ) -> Self {
        let cuts = Cuts::new(source.size(), ranges);
        let first = Boundary {
            offset: start.offset,
            lines: start.lines,
            records: 0,
        };
        let lookahead = (layout.mean_record_bytes() * 4.0) as u64;
        Self {
            source,
            verdict,
            bytes: cuts.bytes(),
            cuts: Mutex::new(cuts),
            done: AtomicU64::new(0),
            boundaries: Mutex::new(Boundaries::new(first)),
            lookahead: lookahead.clamp(512, 64 << 10),
            variant: start.variant,
            record_end: layout.record_end(start.variant),
            notes,
            layout,
            pace,
        }
    }

    /// Takes the next unit, and its number in line.
    pub(super) fn take(&self) -> Option<(u64, Cut)> {
        let unit_bytes = self.pace.next();
        self.cuts.lock().take(unit_bytes)
    }

    /// Reads a unit that was taken, of at most `limit` rows.
    ///
    /// Where its first record starts may not be certain yet: then the line after its first newline is
    /// taken for it, and columns are built on that. Only then it must be known whether that was right,
    /// and by that time it nearly always is.
    pub(super) async fn process(
        &self,
        cut: Cut,
        worker: &mut Worker,
        limit: Option<usize>,
    ) -> Result<DecodedChunk> {
        let Worker {
            reader,
            predicate,
            buffer,
            batch_rows,
            ..
        } = worker;
        let reader = &mut **reader;
        let unit = cut.unit;
        let mut certain = self.boundaries.lock().of(unit);
        loop {
            let guess = certain.map(|boundary| boundary.offset);
            let bytes = std::mem::take(buffer);
            let indexed = self
                .index(cut, guess, bytes, reader, predicate.is_some())
                .await?;
            let begin = indexed.begin;
            self.boundaries.lock().tell(unit, indexed.span(reader));
            if certain.is_none() && self.layout.shows_lines() {
                match self.find(unit, reader).await? {
                    (found, false) if found.offset == begin => certain = Some(found),
                    (found, _) => {
                        certain = Some(found);
                        continue;
                    }
                }
            }
            let mut place = Place {
                offset: indexed.base,
                lines: certain.map_or(0, |boundary| boundary.lines),
                records: certain.map_or(0, |boundary| boundary.records),
            };
            let chunk = Unit::new(indexed.bytes, indexed.long);
            let filter = predicate.as_mut().map(|p| p as &mut dyn RowFilter);
            let name = self.source.name();
            let decoded = chunk.decode(name, place, reader, filter, *batch_rows, limit);
            if certain.is_none() {
                let (found, reader_used) = self.find(unit, reader).await?;
                certain = Some(found);
                // An error may be of rows that are none.
                if reader_used || found.offset != begin || !matches!(decoded, Ok(Ok(_))) {
                    *buffer = chunk.into_buffer();
                    continue;
                }
                (place.lines, place.records) = (found.lines, found.records);
            }
            self.boundaries.lock().forget(unit);
            self.cuts.lock().forget(unit);
            let decoded = decoded?.map_err(|problem| self.verdict.first_bad(&problem))?;
            chunk.tell(&self.verdict, place, reader, &decoded, self.stored(cut))?;
            *buffer = chunk.into_buffer();
            return Ok(decoded);
        }
    }

    /// Counts a unit that was read whole; answers whether it was the last. With `judge`, too many bad
    /// records are an error as soon as what remains cannot bring their share back.
    pub(super) fn passed(&self, cut: Cut, judge: bool) -> Result<bool> {
        let done = self.done.fetch_add(cut.len(), Ordering::AcqRel) + cut.len();
        let left = self.bytes.saturating_sub(done);
        if left > 0 && judge {
            self.verdict.judge(left)?;
        }
        Ok(left == 0)
    }

    /// Says that every unit was read whole.
    pub(super) async fn finish(&self) -> Result<()> {
        let done = self.done.load(Ordering::Acquire);
        if done != self.bytes {
            return internal_err!("{done} of {} bytes were read", self.bytes);
        }
        self.source.close();
        // (The scan itself is known until the statement ends: there may be thousands of files.)
        self.pace.free();
        self.source.check_unchanged().await?;
        self.verdict.stats.complete.store(true, Ordering::Relaxed);
        Ok(self.verdict.judge(0)?)
    }

    /// Bytes of the store that a unit stands for.
    pub(super) fn stored(&self, cut: Cut) -> u64 {
        self.source.stored(cut.start, cut.end)
    }

    /// Reads and indexes a unit from the record at `begin`, or from its first line if that is not known.
    async fn index(
        &self,
        cut: Cut,
        begin: Option<u64>,
        mut bytes: Vec<u8>,
        reader: &mut dyn ChunkReader,
        filtered: bool,
    ) -> Result<Indexed> {
        let Cut { start, end, .. } = cut;
        let first = match begin {
            Some(begin) => begin.max(start).min(end),
            // The byte before tells whether a record may start with the unit's first one.
            None => start.max(1) - 1,
        };
        let base = first & !(ALIGNED - 1);
        let size = self.source.size();
        let mut stop_at = (end + self.lookahead).min(size);
        let wanted = usize::try_from(stop_at - base).unwrap_or(usize::MAX);
        if bytes.capacity() / 4 > wanted.max(1 << 20) {
            // A record that was very long made it grow.
            bytes = Vec::new();
        }
        bytes.reserve_exact(wanted.saturating_sub(bytes.len()));
        // What is left of the last unit is overwritten: only what is more is cleared before.
        bytes.resize(wanted, 0);
        self.source.fill(base, &mut bytes).await?;
        let mut memory = None;
        let mut from = begin.map(|begin| begin - base);
        let notes = self.notes.map(|at| at.saturating_sub(base));
        reader.notes_from(notes.map(|at| usize::try_from(at).unwrap_or(usize::MAX)));
        loop {
            let known = from.or_else(|| {
                let skipped = usize::try_from(first - base).unwrap_or(0);
                let newline = memchr::memchr(self.record_end.byte(), bytes.get(skipped..)?);
                newline.map(|i| (skipped + i) as u64 + 1)
            });
            let eof = stop_at == size;
            let limit = usize::try_from(end - base).unwrap_or(usize::MAX);
            // No line starts in the unit: whatever started before it goes on.
            let from_here = known.unwrap_or(bytes.len() as u64);
            let nothing = from_here >= end - base && (known.is_some() || eof || begin.is_none());
            if nothing {
                // Leaves the reader with an empty index.
                reader
                    .index(&[], 0, 0, true, filtered)
                    .map_err(|e| self.error(e))?;
                let next = base + from_here;
                bytes.clear();
                return Ok(Indexed {
                    bytes,
                    base,
                    begin: next,
                    next,
                    lines_beyond: 0,
                    long: None,
                    _memory: memory,
                });
            }
            let at = usize::try_from(from_here).unwrap_or(usize::MAX);
            let stop = reader
                .index(&bytes, at, limit, eof, filtered)
                .map_err(|e| self.error(e))?;
            let begin = base + from_here;
            let indexed = |bytes, memory, next, lines_beyond, long| Indexed {
                bytes,
                base,
                begin,
                next,
                lines_beyond,
                long,
                _memory: memory,
            };
            match stop {
                Stop::Done(at) => {
                    let next = base + at as u64;
                    return Ok(indexed(bytes, memory, next, 0, None));
                }
                Stop::NeedMore(at) => {
                    from = Some(from_here);
                    let have = (bytes.len() - at) as u64;
                    let more = (stop_at + have.max(64 << 10)).min(size);
                    let old = bytes.len();
                    let added = usize::try_from(more - stop_at).unwrap_or(usize::MAX);
                    if added > LITTLE {
                        self.pace.reserve_long(&mut memory, added)?;
                    }
                    bytes.resize(usize::try_from(more - base).unwrap_or(usize::MAX), 0);
                    self.source.fill(stop_at, &mut bytes[old..]).await?;
                    stop_at = more;
                }
                Stop::TooLong(at) => {
                    let record = base + at as u64;
                    let rest = RestOfLine::new(self.record_end, &bytes);
                    let (text_end, next, lines) = self.skip_line(stop_at, rest).await?;
                    let newline = self.record_end.byte();
                    let inside = memchr::memchr_iter(newline, &bytes[at..]).count() as u64;
                    return Ok(indexed(
                        bytes,
                        memory,
                        next,
                        lines + inside,
                        Some(text_end - record),
                    ));
                }
            }
        }
    }

    /// Finds the end of the line whose rest is at `at` without keeping what is before it: where the
    /// line's text ends, where the next line starts, and how many physical lines that is.
    async fn skip_line(&self, mut at: u64, mut rest: RestOfLine) -> Result<(u64, u64, u64)> {
        let mut bytes = Vec::new();
        while at < self.source.size() {
            bytes.clear();
            self.source.read(at, at + (1 << 20), &mut bytes).await?;
            if let Some(end) = rest.pass(&bytes) {
                let next = at + end.next as u64;
                return Ok((next - end.length as u64, next, end.lines as u64));
            }
            at += bytes.len() as u64;
        }
        Ok((at - rest.finish().length as u64, at, 0))
    }

    /// Where the unit's first record starts; and whether the reader was used to find out, so that what
    /// it had indexed is gone.
    async fn find(&self, unit: u64, reader: &mut dyn ChunkReader) -> Result<(Boundary, bool)> {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(boundary) = self.boundaries.lock().of(unit) {
                return Ok((boundary, false));
            }
            if Instant::now() > patience {
                break;
            }
            std::thread::yield_now();
        }
        // It never waits for a sibling to be polled, which may be never.
        let mut bytes = Vec::new();
        let mut used = false;
        loop {
            let (at, start) = {
                let boundaries = self.boundaries.lock();
                match boundaries.of(unit) {
                    Some(boundary) => return Ok((boundary, used)),
                    None => boundaries.last(),
                }
            };
            let Some(cut) = self.cuts.lock().get(at) else {
                // (Its worker was done with it in this moment, and has told where it ends.)
                if self.boundaries.lock().last().0 != at {
                    continue;
                }
                return internal_err!("unit {at} is of nobody");
            };
            let begin = Some(start.offset);
            let indexed = self.index(cut, begin, bytes, reader, true).await?;
            used = true;
            let span = indexed.span(reader);
            bytes = indexed.bytes;
            self.boundaries.lock().tell(at, span);
        }
    }

    fn error(&self, error: TextError) -> datafusion_common::DataFusionError {
        text_error(self.source.name(), error)
    }
}

impl Indexed {
    /// What it shows of the unit, by the counts of the reader that made it.
    fn span(&self, reader: &dyn ChunkReader) -> Span {
        let (records, lines) = reader.passed();
        Span {
            begin: self.begin,
            next: self.next,
            lines: lines + self.lines_beyond,
            records,
        }
    }
}

/// The text reader's error, with the file's name. An error of a filter goes through as it is.
pub(super) fn text_error(file: &str, error: TextError) -> datafusion_common::DataFusionError {
    match error {
        TextError::Filter(error) => match error.downcast() {
            Ok(error) => *error,
            Err(error) => datafusion_common::DataFusionError::External(error),
        },
        error => BiotideError::Text {
            file: file.to_owned(),
            source: Box::new(error),
        }
        .into(),
    }
}
