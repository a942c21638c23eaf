//! Records and their shape: where every field of every good row ends, and what is wrong with the rest.

use std::ops::Range;

use super::flaw::Flaw;
use super::quoted::Quoted;
use super::repair;
use super::{Dialect, Layout, OnError};
use crate::error::{Result, TextError};
use crate::problem::{Action, Reason};
use crate::scan::{Scanner, Separators, Split};

/// How indexing a chunk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Every record that starts before the limit is done; the next one starts here.
    Done(usize),
    /// The record that starts here needs more bytes.
    NeedMore(usize),
    /// The record that starts here is longer than `max_record_bytes` and its end is not in the chunk:
    /// it was rejected, with the bytes of the chunk for its length; reading resumes after the first
    /// newline that follows the chunk. [`RecordIndex::lines`] ends where the record starts.
    TooLong(usize),
}

/// The records of one chunk. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub struct RecordIndex {
    /// Where each row starts.
    pub(crate) starts: Vec<u32>,
    /// Where each field ends, `stride` of them a row. A field that a short row lacks ends before it
    /// starts. With `pairs`: where each value starts and ends, and in the end of a row where the record
    /// ends.
    pub(crate) split: Split,
    /// Positions per row.
    pub(crate) stride: usize,
    /// Whether fields may stand in any order, with something else between them (JSON).
    pub(crate) pairs: bool,
    /// Rows before each record that is no row, in order: gives rows their record number.
    pub(crate) gaps: Vec<u32>,
    /// Records of the wrong shape, in order.
    pub(crate) bad: Vec<Flaw>,
    /// Bytes of the chunk that the index covers.
    pub(crate) covered: Range<usize>,
    /// Whether a field may be quoted or escaped.
    pub(crate) quoted: bool,
    /// Whether repaired rows may hold bytes that are not UTF-8.
    pub(crate) dirty: bool,
    /// Rows where only their number was asked for; `starts` is then empty.
    counted: u64,
    pub(crate) blank: u64,
    pub(crate) lines: u64,
}

impl RecordIndex {
    /// Of one row that is one field of so many bytes.
    pub(crate) fn of_field(length: usize) -> Self {
        let mut index = Self::default();
        index.reset(1, 0);
        index.starts.push(0);
        index.split.ends.push(length as u32);
        index
    }

    /// Rows of good (or repaired) shape.
    pub fn rows(&self) -> usize {
        self.starts.len() + self.counted as usize
    }

    /// Records: rows, rejected and blank ones.
    pub fn records(&self) -> u64 {
        self.rows() as u64 + self.gaps.len() as u64
    }

    /// Rejected records.
    pub fn rejected(&self) -> u64 {
        self.gaps.len() as u64 - self.blank
    }

    /// Blank records.
    pub fn blank(&self) -> u64 {
        self.blank
    }

    /// Newlines passed.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether rows were only counted.
    pub fn is_count(&self) -> bool {
        self.counted > 0
    }

    /// Bytes that the index itself takes.
    pub fn memory(&self) -> usize {
        (self.starts.capacity() + self.split.ends.capacity() + self.split.newlines.capacity()) * 4
    }

    pub(crate) fn reset(&mut self, stride: usize, from: usize) {
        self.starts.clear();
        self.split.clear();
        self.gaps.clear();
        self.bad.clear();
        self.stride = stride;
        self.covered = from..from;
        (self.quoted, self.dirty) = (false, false);
        (self.counted, self.blank, self.lines) = (0, 0, 0);
    }

    /// Where the text of a row ends: further than its last field if it has lost some.
    pub(crate) fn row_end(&self, row: usize) -> usize {
        let start = self.starts[row] as usize;
        match self
            .bad
            .binary_search_by_key(&start, |bad| bad.bytes().start)
        {
            Ok(i) => self.bad[i].bytes().end,
            Err(_) => self.last_end(row).max(start),
        }
    }

    /// Where the last field of a row ends.
    pub(crate) fn last_end(&self, row: usize) -> usize {
        let end = ((row + 1) * self.stride).checked_sub(1);
        end.map_or(self.starts[row], |at| self.split.ends[at]) as usize
    }

    /// The record number of a row, counted from 0 in this chunk.
    pub(crate) fn record_of(&self, row: usize) -> u64 {
        row as u64 + self.gaps.partition_point(|&rows| rows as usize <= row) as u64
    }

    pub(crate) fn gap(&mut self) {
        self.gaps.push(self.starts.len() as u32);
    }

    /// Gives bad records their line: the newlines of the chunk before them.
    pub(crate) fn place(&mut self, bytes: &[u8], newline: u8) {
        let mut at = self.covered.start;
        let mut line = 0;
        for bad in &mut self.bad {
            let start = bad.bytes().start.max(at);
            let between = &bytes[at..start];
            line += memchr::memchr_iter(newline, between).count() as u32;
            at = start;
            bad.line = line;
        }
    }
}

/// Positions that the index has of so many fields.
fn positions(dialect: &Dialect, fields: usize) -> usize {
    match dialect.has_pairs() {
        true => 2 * fields + 1,
        false => fields,
    }
}

/// Finds the records of chunks of one layout.
#[derive(Debug)]
pub struct Indexer {
    pub(crate) scanner: Scanner,
    pub(crate) separators: Separators,
    pub(crate) layout: std::sync::Arc<Layout>,
    pub(crate) stride: usize,
    pub(crate) quoted: Quoted,
    /// Where notes below the table start in the chunks to come.
    notes: usize,
    /// Whether text without quotes can be split by single bytes.
    simple: bool,
}

impl Indexer {
    /// An indexer with the fastest scanner of this machine.
    pub fn new(layout: std::sync::Arc<Layout>) -> Self {
        Self::with_scanner(layout, Scanner::best())
    }

    /// An indexer with a scanner of the caller's choice.
    pub fn with_scanner(layout: std::sync::Arc<Layout>, scanner: Scanner) -> Self {
        let dialect = &layout.dialect;
        Self {
            scanner,
            separators: Separators {
                delimiter: dialect.delimiter.bytes().first().copied().unwrap_or(b'\t'),
                newline: dialect.record_end.byte(),
                quote: dialect.quote,
            },
            stride: positions(
                dialect,
                layout.columns.len() + usize::from(layout.trailing_delimiter),
            ),
            quoted: Quoted::new(dialect),
            notes: usize::MAX,
            simple: dialect.delimiter.byte().is_some() && dialect.own_escape().is_none(),
            layout,
        }
    }

    /// Says where notes below the table start in the chunks to come, if they do.
    pub fn notes_from(&mut self, at: Option<usize>) {
        self.notes = at.unwrap_or(usize::MAX);
    }

    /// Indexes the records that start in `bytes[from..limit]`. `from` must be the start of a record;
    /// `eof` says that nothing follows `bytes`. With `count_only`, rows may be counted without being
    /// written down (then [`RecordIndex::is_count`]).
    pub fn index(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        count_only: bool,
        out: &mut RecordIndex,
    ) -> Result<Stop> {
        if bytes.len() > i32::MAX as usize {
            return Err(TextError::ChunkTooLarge(bytes.len()));
        }
        out.reset(self.stride, from);
        out.pairs = self.layout.dialect.has_pairs();
        if from >= limit.min(bytes.len()) {
            return Ok(Stop::Done(from));
        }
        let stop = match self.index_simple(bytes, from, limit, eof, count_only, out) {
            Some(stop) => stop,
            None => {
                out.reset(self.stride, from);
                self.index_quoted(bytes, from, limit, eof, out)
            }
        };
        let (Stop::Done(end) | Stop::NeedMore(end) | Stop::TooLong(end)) = stop;
        out.covered = from..end;
        if out.split.non_ascii {
            self.check_utf8(bytes, out);
        }
        out.place(bytes, self.separators.newline);
        Ok(stop)
    }

    /// The quote-free path. `None` where it does not apply.
    fn index_simple(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        count_only: bool,
        out: &mut RecordIndex,
    ) -> Option<Stop> {
        if !self.simple {
            return None;
        }
        let newline = self.separators.newline;
        // Up to the end of the last record that starts before the limit, if that is here.
        let last = limit.min(bytes.len()).max(from + 1) - 1;
        let (end, complete) = match memchr::memchr(newline, &bytes[last..]) {
            Some(i) => (last + i + 1, true),
            None if eof => (bytes.len(), true),
            None => match memchr::memrchr(newline, &bytes[from..]) {
                Some(i) => (from + i + 1, false),
                None => (from, false),
            },
        };
        if !complete && bytes.len() - end > self.layout.max_record_bytes {
            return None; // the general path knows what to do with a record that long
        }
        let text = &bytes[from..end];
        if count_only && self.count(text, out) {
            return Some(if complete {
                Stop::Done(end)
            } else {
                Stop::NeedMore(end)
            });
        }
        if !self
            .scanner
            .split(text, from as u32, self.separators, &mut out.split)
        {
            return None;
        }
        out.lines = out.split.newlines.len() as u64;
        if text.last().is_some_and(|&byte| byte != newline) {
            out.split.newlines.push(out.split.ends.len() as u32);
            out.split.ends.push(end as u32);
        }
        let longest = text.len() > self.layout.max_record_bytes;
        if self.regular(out) && !longest {
            self.finish_regular(bytes, from, out);
        } else {
            self.compact(bytes, from, out);
        }
        Some(if complete {
            Stop::Done(end)
        } else {
            Stop::NeedMore(end)
        })
    }

    /// Counts rows, if every record is one: no quote, no blank line, no other shape.
    fn count(&self, text: &[u8], out: &mut RecordIndex) -> bool {
        let layout = &self.layout;
        if self.stride < 2
            || layout.trailing_delimiter
            || layout.dialect.comment.is_some()
            || text.len() > layout.max_record_bytes
        {
            return false;
        }
        let charset = layout.dialect.charset;
        let delimiters = self.stride as u64 - 1;
        let Some(count) = self.scanner.count(text, self.separators, delimiters) else {
            return false;
        };
        let open = text
            .last()
            .is_some_and(|&byte| byte != self.separators.newline);
        if (open && count.open_delimiters != delimiters)
            || (count.non_ascii
                && (layout.dialect.cuts_utf8() || !charset.is_total() && !charset.is_valid(text)))
        {
            return false;
        }
        out.counted = count.records + u64::from(open);
        out.lines = count.records;
        true
    }

    /// Whether every record has exactly `stride` fields, and none is a comment, blank, or has a
    /// trailing field that must be looked at.
    fn regular(&self, out: &RecordIndex) -> bool {
        let stride = self.stride as u32;
        stride > 1
            && self.layout.dialect.comment.is_none()
            && !self.layout.trailing_delimiter
            && out.split.ends.len() == out.split.newlines.len() * self.stride
            && out
                .split
                .newlines
                .iter()
                .zip(1u32..)
                .all(|(&at, row)| at + 1 == row * stride)
    }

    fn finish_regular(&self, bytes: &[u8], from: usize, out: &mut RecordIndex) {
        let mut start = from as u32;
        out.starts.reserve(out.split.newlines.len());
        for &at in &out.split.newlines {
            out.starts.push(start);
            let end = out.split.ends[at as usize];
            out.split.ends[at as usize] = self.trim_cr(bytes, start as usize, end as usize) as u32;
            start = end + 1;
        }
    }

    /// The end of the text from `start` whose line ends at `end`: without the CR of a CRLF.
    pub(crate) fn trim_cr(&self, bytes: &[u8], start: usize, end: usize) -> usize {
        let cr = self.separators.newline == b'\n' && end > start && bytes[end - 1] == b'\r';
        end - usize::from(cr)
    }

    /// Keeps the rows of `out.split`, moves what is not one out of the way.
    fn compact(&self, bytes: &[u8], from: usize, out: &mut RecordIndex) {
        let found = std::mem::take(&mut out.split);
        out.split.non_ascii = found.non_ascii;
        let mut start = from as u32;
        let mut first = 0usize;
        for &at in &found.newlines {
            let at = at as usize;
            let end = found.ends[at];
            let record = start as usize..self.trim_cr(bytes, start as usize, end as usize);
            if self.is_comment(&bytes[record.clone()]) {
                self.close_comment(record, out);
                (start, first) = (end + 1, at + 1);
                continue;
            }
            out.split.ends.extend_from_slice(&found.ends[first..at]);
            out.split.ends.push(record.end as u32);
            self.close_record(bytes, record, at + 1 - first, None, out);
            (start, first) = (end + 1, at + 1);
        }
    }

    pub(crate) fn is_comment(&self, text: &[u8]) -> bool {
        self.layout
            .dialect
            .comment
            .as_ref()
            .is_some_and(|prefix| text.starts_with(prefix))
    }

    /// A comment is no record, unless it is longer than one may be.
    pub(crate) fn close_comment(&self, comment: Range<usize>, out: &mut RecordIndex) {
        if comment.len() > self.layout.max_record_bytes {
            self.reject(comment, Reason::RecordTooLong, 0, out);
        }
    }

    /// Decides about the record whose `fields` last field ends were just pushed.
    pub(crate) fn close_record(
        &self,
        bytes: &[u8],
        record: Range<usize>,
        fields: usize,
        problem: Option<Reason>,
        out: &mut RecordIndex,
    ) {
        let layout = &self.layout;
        let mark = out.split.ends.len() - positions(&layout.dialect, fields);
        if record.is_empty() {
            out.split.ends.truncate(mark);
            out.blank += 1;
            return out.gap();
        }
        let columns = layout.columns.len();
        if record.start >= self.notes {
            out.split.ends.truncate(mark);
            return self.reject(record, Reason::Footnote, fields, out);
        }
        let problem = if record.len() > layout.max_record_bytes {
            out.split.ends.truncate(mark);
            return self.reject(record, Reason::RecordTooLong, fields, out);
        } else if problem.is_some() || fields == columns && !layout.trailing_delimiter {
            problem
        } else if layout.trailing_delimiter && fields == columns {
            out.split.ends.push(record.end as u32);
            None
        } else if layout.trailing_delimiter && fields == columns + 1 {
            let last = match columns.checked_sub(1) {
                Some(i) => {
                    out.split.ends[mark + i] as usize + layout.dialect.delimiter.bytes().len()
                }
                None => record.start,
            };
            let empty = bytes[last..record.end]
                .iter()
                .all(|b| matches!(b, b' ' | b'\t'));
            (!empty).then_some(Reason::TooManyFields)
        } else if fields < columns {
            Some(Reason::TooFewFields)
        } else {
            Some(Reason::TooManyFields)
        };
        match problem {
            Some(reason) if layout.on_error != OnError::Lenient => {
                out.split.ends.truncate(mark);
                return self.reject(record, reason, fields, out);
            }
            Some(reason) => {
                self.push_bad(record.clone(), reason, fields, true, out);
                let (few, many) = (Reason::TooFewFields, Reason::TooManyFields);
                let repaired = reason == few && repair::resplit(layout, bytes, &record, mark, out)
                    || [few, many].contains(&reason)
                        && repair::refit(layout, bytes, &record, mark, out);
                if !repaired {
                    self.pad(mark, record.end, out);
                }
            }
            None => {}
        }
        out.starts.push(record.start as u32);
    }

    /// Cuts or pads the row whose field ends start at `mark` to `stride` fields.
    fn pad(&self, mark: usize, end: usize, out: &mut RecordIndex) {
        // A missing field starts after the delimiter that is not there: it ends before it starts.
        out.split.ends.resize(mark + self.stride, end as u32);
    }

    pub(crate) fn reject(
        &self,
        record: Range<usize>,
        reason: Reason,
        fields: usize,
        out: &mut RecordIndex,
    ) {
        let reason = match record.start >= self.notes {
            true => Reason::Footnote,
            false => reason,
        };
        self.push_bad(record, reason, fields, false, out);
        out.gap();
    }

    fn push_bad(
        &self,
        bytes: Range<usize>,
        reason: Reason,
        fields: usize,
        repaired: bool,
        out: &mut RecordIndex,
    ) {
        out.bad.push(Flaw {
            action: Self::action(repaired),
            ..Flaw::of_record(bytes, out.records(), fields, reason)
        });
    }

    fn action(repaired: bool) -> Action {
        match repaired {
            true => Action::Repaired,
            false => Action::Rejected,
        }
    }

    /// Finds the rows that are not UTF-8 (or what the text is in). One check for the whole chunk; row by row only if it fails.
    fn check_utf8(&self, bytes: &[u8], out: &mut RecordIndex) {
        let by_field = self.layout.dialect.cuts_utf8();
        let charset = self.layout.dialect.charset;
        if charset.is_total() || !by_field && charset.is_valid(&bytes[out.covered.clone()]) {
            return;
        }
        let delimiter = self.layout.dialect.delimiter.bytes().len();
        let stride = self.stride;
        let mut kept = 0usize;
        let old_gaps = std::mem::take(&mut out.gaps);
        let mut gaps = old_gaps.iter().copied().peekable();
        let mut new_bad = Vec::new();
        for row in 0..out.starts.len() {
            while gaps.next_if(|&rows| rows as usize <= row).is_some() {
                out.gaps.push(kept as u32);
            }
            let start = out.starts[row] as usize;
            let ends = row * stride..(row + 1) * stride;
            let end = out.last_end(row);
            let valid = if by_field {
                let mut from = start;
                out.split.ends[ends.clone()].iter().all(|&end| {
                    let field = bytes.get(from..end as usize).unwrap_or_default();
                    from = end as usize + delimiter;
                    charset.is_valid(field)
                })
            } else {
                // The last field of a repaired row may end before the record does.
                charset.is_valid(&bytes[start..end.max(start)])
            };
            let lenient = self.layout.on_error == OnError::Lenient;
            if !valid {
                let before = row + old_gaps.partition_point(|&r| r as usize <= row);
                let bytes = start..out.row_end(row);
                new_bad.push(Flaw {
                    action: Self::action(lenient),
                    ..Flaw::of_record(bytes, before as u64, stride, Reason::InvalidUtf8)
                });
            }
            if valid || lenient {
                out.starts[kept] = out.starts[row];
                out.split.ends.copy_within(ends, kept * stride);
                kept += 1;
            } else {
                out.gaps.push(kept as u32);
            }
            out.dirty |= !valid && lenient;
        }
        out.gaps.extend(gaps.map(|_| kept as u32));
        out.starts.truncate(kept);
        out.split.ends.truncate(kept * stride);
        out.bad.append(&mut new_bad);
        out.bad.sort_by_key(Flaw::key);
    }
}
