//! A file that may be read anywhere, in units.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::buffer::Buffer;
use biotide_common::BiotideError;
use biotide_text::TextError;
use biotide_text::delimited::{DecodedChunk, Place, RowFilter, Stop};
use datafusion_common::Result;
use parking_lot::Mutex;

use super::chunk_source::ChunkSource;
use super::verdict::Verdict;
use crate::spec::{ChunkReader, FileStart, TextLayout};

/// How long to wait for a predecessor that is at work, before doing its work.
const PATIENCE: Duration = Duration::from_millis(2);

/// Where the first record of a unit starts, and what came before it.
#[derive(Debug, Clone, Copy)]
struct Boundary {
    offset: u64,
    lines: u64,
    records: u64,
}

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
}

/// One file of one scan, shared by the partitions.
#[derive(Debug)]
pub(super) struct FileScan {
    source: ChunkSource,
    layout: Arc<dyn TextLayout>,
    pub(super) verdict: Verdict,
    unit_bytes: u64,
    start: FileStart,
    /// Units of this process: spans of the file.
    units: Vec<u64>,
    next: AtomicU64,
    done: AtomicU64,
    /// Starts of units that someone may still ask for.
    boundaries: Mutex<HashMap<u64, Boundary>>,
    lookahead: u64,
}

impl FileScan {
    pub(super) fn new(
        source: ChunkSource,
        layout: Arc<dyn TextLayout>,
        verdict: Verdict,
        start: FileStart,
        ranges: &[(u64, u64)],
        unit_bytes: u64,
    ) -> Self {
        let units: Vec<u64> = (0..source.size().div_ceil(unit_bytes))
            .filter(|unit| {
                let at = unit * unit_bytes;
                ranges.iter().any(|(from, to)| (*from..*to).contains(&at))
            })
            .collect();
        let first = Boundary {
            offset: start.offset,
            lines: start.lines,
            records: 0,
        };
        let lookahead = (layout.mean_record_bytes() * 4.0) as u64;
        Self {
            source,
            verdict,
            unit_bytes,
            start,
            units,
            next: AtomicU64::new(0),
            done: AtomicU64::new(0),
            boundaries: Mutex::new(HashMap::from([(0, first)])),
            lookahead: lookahead.clamp(512, 64 << 10),
            layout,
        }
    }

    /// Takes the next unit.
    pub(super) fn take(&self) -> Option<u64> {
        let i = self.next.fetch_add(1, Ordering::Relaxed);
        self.units.get(usize::try_from(i).ok()?).copied()
    }

    /// Reads a unit that was taken.
    pub(super) async fn process(
        &self,
        unit: u64,
        reader: &mut dyn ChunkReader,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
        limit: Option<usize>,
    ) -> Result<DecodedChunk> {
        let filtered = filter.is_some();
        let known = self.boundaries.lock().get(&unit).copied();
        let guess = known.map(|known| known.offset);
        let mut indexed = self.index(unit, guess, reader, filtered).await?;
        let boundary = match known {
            Some(known) => known,
            None => {
                let (boundary, used_reader) = self.boundary(unit, reader).await?;
                if used_reader || boundary.offset != indexed.begin {
                    indexed = self
                        .index(unit, Some(boundary.offset), reader, filtered)
                        .await?;
                }
                boundary
            }
        };
        self.publish(unit, boundary, &indexed, reader);
        let Indexed {
            bytes, base, long, ..
        } = indexed;
        let place = Place {
            offset: base,
            lines: boundary.lines,
            records: boundary.records,
        };
        let bytes = Buffer::from_vec(bytes);
        let decoded = reader.decode(&bytes, place, filter, batch_rows, limit);
        let mut chunk = match decoded {
            Ok(chunk) => chunk,
            Err(TextError::BadRow(problem)) => return Err(self.verdict.first_bad(&problem).into()),
            Err(error) => return Err(text_error(self.source.name(), error)),
        };
        if let Some(long) = long
            && let Some(last) = chunk.problems.last_mut()
        {
            last.length = long;
        }
        self.verdict.add(&mut chunk, self.unit_len(unit))?;
        if limit.is_none() {
            self.finish_unit().await?;
        }
        Ok(chunk)
    }

    async fn finish_unit(&self) -> Result<()> {
        let done = self.done.fetch_add(1, Ordering::AcqRel) + 1;
        let whole = self.units.len() as u64;
        if done < whole {
            let remaining = (whole - done) * self.unit_bytes;
            return Ok(self.verdict.judge(Some(remaining))?);
        }
        self.finish().await
    }

    /// Says that the last unit was read, and whole.
    pub(super) async fn finish(&self) -> Result<()> {
        self.source.close();
        self.source.check_unchanged().await?;
        self.verdict.stats.complete.store(true, Ordering::Relaxed);
        Ok(self.verdict.judge(Some(0))?)
    }

    /// Bytes of a unit.
    pub(super) fn unit_len(&self, unit: u64) -> u64 {
        let (start, end) = self.span(unit);
        end - start
    }

    fn span(&self, unit: u64) -> (u64, u64) {
        (
            unit * self.unit_bytes,
            ((unit + 1) * self.unit_bytes).min(self.source.size()),
        )
    }

    /// Reads and indexes a unit from the record at `begin`, or from its first line if that is not known.
    async fn index(
        &self,
        unit: u64,
        begin: Option<u64>,
        reader: &mut dyn ChunkReader,
        filtered: bool,
    ) -> Result<Indexed> {
        let (start, end) = self.span(unit);
        let base = match begin {
            Some(begin) => begin.max(start).min(end),
            // The byte before tells whether a record may start with the unit's first one.
            None => start.max(1) - 1,
        };
        let size = self.source.size();
        let mut bytes = Vec::new();
        let mut stop_at = (end + self.lookahead).min(size);
        bytes.reserve(usize::try_from(stop_at - base).unwrap_or(0));
        self.source.read(base, stop_at, &mut bytes).await?;
        let mut from = begin.map(|begin| begin - base);
        loop {
            let known = from.or_else(|| {
                let newline = bytes.iter().position(|&b| b == self.layout.newline());
                newline.map(|i| i as u64 + 1)
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
                return Ok(Indexed {
                    bytes: Vec::new(),
                    base,
                    begin: next,
                    next,
                    lines_beyond: 0,
                    long: None,
                });
            }
            let at = usize::try_from(from_here).unwrap_or(usize::MAX);
            let stop = reader
                .index(&bytes, at, limit, eof, filtered)
                .map_err(|e| self.error(e))?;
            let begin = base + from_here;
            let indexed = |bytes, next, lines_beyond, long| Indexed {
                bytes,
                base,
                begin,
                next,
                lines_beyond,
                long,
            };
            match stop {
                Stop::Done(at) => {
                    let next = base + at as u64;
                    return Ok(indexed(bytes, next, 0, None));
                }
                Stop::NeedMore(at) => {
                    from = Some(from_here);
                    let have = (bytes.len() - at) as u64;
                    let more = (stop_at + have.max(64 << 10)).min(size);
                    self.source.read(stop_at, more, &mut bytes).await?;
                    stop_at = more;
                }
                Stop::TooLong(at) => {
                    let record = base + at as u64;
                    let (text_end, next, lines) =
                        self.skip_line(stop_at, bytes.last().copied()).await?;
                    let newline = self.layout.newline();
                    let inside = bytes[at..].iter().filter(|&&b| b == newline).count() as u64;
                    return Ok(indexed(
                        bytes,
                        next,
                        lines + inside,
                        Some(text_end - record),
                    ));
                }
            }
        }
    }

    /// Finds the next newline from `at` on without keeping what is before it: where the line's text
    /// ends, where the next line starts, and how many newlines that is.
    async fn skip_line(&self, mut at: u64, mut before: Option<u8>) -> Result<(u64, u64, u64)> {
        let mut bytes = Vec::new();
        while at < self.source.size() {
            bytes.clear();
            self.source.read(at, at + (1 << 20), &mut bytes).await?;
            if let Some(i) = bytes.iter().position(|&b| b == self.layout.newline()) {
                let last = if i > 0 { Some(bytes[i - 1]) } else { before };
                let cr = self.layout.newline() == b'\n' && last == Some(b'\r');
                let end = at + i as u64;
                return Ok((end - u64::from(cr), end + 1, 1));
            }
            before = bytes.last().copied();
            at += bytes.len() as u64;
        }
        Ok((at, at, 0))
    }

    /// Says where the unit after this one starts.
    fn publish(&self, unit: u64, boundary: Boundary, indexed: &Indexed, reader: &dyn ChunkReader) {
        let (records, lines) = reader.passed();
        let next = Boundary {
            offset: indexed.next,
            lines: boundary.lines + lines + indexed.lines_beyond,
            records: boundary.records + records,
        };
        let mut boundaries = self.boundaries.lock();
        boundaries.insert(unit + 1, next);
        // Whoever holds a later unit starts from the one just published.
        boundaries.remove(&unit);
    }

    /// Where the unit's first record starts; and whether the reader's index was used up to find out.
    async fn boundary(&self, unit: u64, reader: &mut dyn ChunkReader) -> Result<(Boundary, bool)> {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(boundary) = self.boundaries.lock().get(&unit) {
                return Ok((*boundary, false));
            }
            if Instant::now() > patience {
                break;
            }
            std::thread::yield_now();
        }
        // The nearest start that is known; the file's own, if all before this unit were taken back.
        let near = {
            let boundaries = self.boundaries.lock();
            let near = boundaries
                .iter()
                .filter(|(at, _)| **at <= unit)
                .max_by_key(|(at, _)| **at);
            near.map(|(at, boundary)| (*at, *boundary))
        };
        let first = Boundary {
            offset: self.start.offset,
            lines: self.start.lines,
            records: 0,
        };
        let (mut at, mut boundary) = near.unwrap_or((0, first));
        while at < unit {
            let indexed = self.index(at, Some(boundary.offset), reader, true).await?;
            let (records, lines) = reader.passed();
            boundary = Boundary {
                offset: indexed.next,
                lines: boundary.lines + lines + indexed.lines_beyond,
                records: boundary.records + records,
            };
            at += 1;
        }
        Ok((boundary, true))
    }

    fn error(&self, error: TextError) -> datafusion_common::DataFusionError {
        text_error(self.source.name(), error)
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
