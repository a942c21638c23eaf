//! Records and their shape: where every field of every good row ends, and what is wrong with the rest.

use std::ops::Range;

use super::quoted::Quoted;
use super::repair;
use super::{Dialect, Layout, OnError, RecordEnd};
use crate::chunk::{Flaw, RecordIndex, Stop};
use crate::error::{Result, TextError};
use crate::problem::{Action, Reason};
use crate::scan::{Scanner, Separators};

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
            simple: dialect.delimiter.byte().is_some()
                && dialect.own_escape().is_none()
                && dialect.record_end != RecordEnd::Any,
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
