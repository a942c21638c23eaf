//! Records and their shape: whether each is an object, and where the values of columns stand in it.

use std::ops::Range;
use std::sync::Arc;

use super::keys::{Keys, Target};
use super::walk::{self, Fault, Kind};
use super::{Framing, Json};
use crate::chunk::{Flaw, RecordIndex, Stop};
use crate::delimited::{Layout, OnError};
use crate::error::{Result, TextError};
use crate::problem::{Action, Reason};

/// Finds the records of chunks of one layout.
#[derive(Debug)]
pub(crate) struct JsonIndexer {
    layout: Arc<Layout>,
    keys: Keys,
    framing: Framing,
    /// For each column, where its values go in a row: nowhere, if it is not wanted.
    slots: Vec<Option<u32>>,
    wanted: usize,
    /// Values under keys that are no column.
    unknown: u64,
}

impl JsonIndexer {
    /// `wanted`: the columns that may be built.
    pub(crate) fn new(layout: Arc<Layout>, json: &Json, wanted: &[usize]) -> Self {
        let mut keys = Keys::default();
        for (path, column) in &json.paths {
            keys.insert(path, *column);
        }
        let mut this = Self {
            slots: Vec::new(),
            framing: json.framing,
            layout,
            keys,
            wanted: 0,
            unknown: 0,
        };
        this.want(wanted);
        this
    }

    /// Changes which columns may be built.
    pub(crate) fn want(&mut self, wanted: &[usize]) {
        self.slots = vec![None; self.layout.columns.len()];
        self.wanted = 0;
        for &column in wanted {
            if let Some(slot @ None) = self.slots.get_mut(column) {
                *slot = Some(self.wanted as u32);
                self.wanted += 1;
            }
        }
    }

    /// Where the values of a column are in a row.
    pub(crate) fn slot(&self, column: usize) -> Option<usize> {
        self.slots[column].map(|slot| slot as usize)
    }

    /// Values under keys that are no column, of the last index.
    pub(crate) fn unknown(&self) -> u64 {
        self.unknown
    }

    /// As [`Indexer::index`](crate::delimited::Indexer::index). A row of the index has a start and an end
    /// for every value that is wanted, and then the end of the record.
    pub(crate) fn index(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        out: &mut RecordIndex,
    ) -> Result<Stop> {
        if bytes.len() > i32::MAX as usize {
            return Err(TextError::ChunkTooLarge(bytes.len()));
        }
        out.reset(2 * self.wanted + 1, from);
        out.pairs = true;
        self.unknown = 0;
        let valid = simdutf8::basic::from_utf8(&bytes[from.min(bytes.len())..]).is_ok();
        let stop = match self.framing {
            Framing::Lines => self.lines(bytes, from, limit, eof, valid, out),
            Framing::Values => self.values(bytes, from, limit, eof, valid, out),
        };
        let (Stop::Done(end) | Stop::NeedMore(end) | Stop::TooLong(end)) = stop;
        out.covered = from..end.max(from);
        out.lines = memchr::memchr_iter(b'\n', &bytes[out.covered.clone()]).count() as u64;
        out.place(bytes, b'\n');
        Ok(stop)
    }

    /// A record a line.
    fn lines(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        valid: bool,
        out: &mut RecordIndex,
    ) -> Stop {
        let most = self.layout.max_record_bytes;
        let mut at = from;
        while at < limit.min(bytes.len()) {
            let (end, next) = match memchr::memchr(b'\n', &bytes[at..]) {
                Some(i) => (at + i, at + i + 1),
                None if eof => (bytes.len(), bytes.len()),
                None if bytes.len() - at > most => {
                    self.flaw(at..bytes.len(), Reason::RecordTooLong, 0, false, out);
                    return Stop::TooLong(at);
                }
                None => return Stop::NeedMore(at),
            };
            let cr = end > at && bytes[end - 1] == b'\r';
            let record = at..end - usize::from(cr);
            if record.len() > most {
                self.flaw(record, Reason::RecordTooLong, 0, false, out);
            } else {
                self.line(bytes, record, valid, out);
            }
            at = next;
        }
        Stop::Done(at)
    }

    fn line(&mut self, bytes: &[u8], record: Range<usize>, valid: bool, out: &mut RecordIndex) {
        let text = &bytes[..record.end];
        let start = walk::blank(text, record.start);
        if start == record.end {
            out.blank += 1;
            return out.gap();
        }
        let mark = out.split.ends.len();
        let walked =
            self.record(text, start, mark, out)
                .and_then(|end| match walk::blank(text, end) {
                    after if after == text.len() => Ok(()),
                    after => Err(Fault {
                        at: after,
                        what: "text after the object",
                    }),
                });
        self.close(bytes, record, walked, mark, valid, out);
    }

    /// Values one after the other: with commas between them or without, in one list or in none.
    fn values(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        valid: bool,
        out: &mut RecordIndex,
    ) -> Stop {
        let most = self.layout.max_record_bytes;
        let mut at = from;
        loop {
            // What stands between two records belongs to the second, and is read together with it: where
            // reading resumes after it depends on that, and must not depend on where a chunk starts.
            let between = at;
            at = walk::between(bytes, at);
            if at >= limit.min(bytes.len()) {
                return match eof || at < bytes.len() || at - between > most {
                    true => Stop::Done(at),
                    false => Stop::NeedMore(between),
                };
            }
            let mark = out.split.ends.len();
            let walked = self.record(bytes, at, mark, out);
            let end = match &walked {
                Ok(end) => Some(*end),
                Err(fault) if fault.at >= bytes.len() => None,
                Err(fault) => resume(bytes, between, at, fault.at),
            };
            let Some(end) = end.or(eof.then_some(bytes.len())) else {
                out.split.ends.truncate(mark);
                if bytes.len() - at > most {
                    self.flaw(at..bytes.len(), Reason::RecordTooLong, 0, false, out);
                    return Stop::TooLong(at);
                }
                return Stop::NeedMore(between);
            };
            let record = at..at + bytes[at..end].trim_ascii_end().len();
            at = end;
            if record.len() > most {
                out.split.ends.truncate(mark);
                self.flaw(record, Reason::RecordTooLong, 0, false, out);
            } else {
                self.close(bytes, record, walked.map(|_| ()), mark, valid, out);
            }
        }
    }

    /// Walks over the object at `at`, and writes down where wanted values are: answers where it ends.
    fn record(
        &mut self,
        text: &[u8],
        at: usize,
        mark: usize,
        out: &mut RecordIndex,
    ) -> std::result::Result<usize, Fault> {
        out.split.ends.resize(mark + out.stride, 0);
        if text.get(at) != Some(&b'{') {
            // What else it is does not matter, but for where it ends.
            let end = walk::value(text, at, 0)?.0;
            return Err(Fault {
                at: end,
                what: NOT_AN_OBJECT,
            });
        }
        let mut values = Values {
            row: &mut out.split.ends[mark..],
            slots: &self.slots,
            quoted: false,
            unknown: 0,
        };
        let end = members(text, at, &mut self.keys, &mut values, 0);
        out.quoted |= values.quoted;
        self.unknown += values.unknown;
        end
    }

    /// Decides about a record whose row starts at `mark`.
    fn close(
        &self,
        bytes: &[u8],
        record: Range<usize>,
        walked: std::result::Result<(), Fault>,
        mark: usize,
        valid: bool,
        out: &mut RecordIndex,
    ) {
        let lenient = self.layout.on_error == OnError::Lenient;
        let problem = match walked {
            Err(fault) if fault.what == NOT_AN_OBJECT => Some((Reason::NotAnObject, 0, false)),
            Err(fault) => {
                let at = fault.at.saturating_sub(record.start);
                // What was read before the fault is kept, if there is something.
                let some = bytes.get(walk::blank(bytes, record.start)) == Some(&b'{');
                Some((Reason::InvalidJson, at, lenient && some))
            }
            Ok(()) if !valid && simdutf8::basic::from_utf8(&bytes[record.clone()]).is_err() => {
                out.dirty |= lenient;
                Some((Reason::InvalidUtf8, 0, lenient))
            }
            Ok(()) => None,
        };
        if let Some((reason, at, kept)) = problem {
            if !kept {
                out.split.ends.truncate(mark);
            }
            self.flaw(record.clone(), reason, at, kept, out);
            if !kept {
                return;
            }
            out.dirty |= !valid;
        }
        if let Some(end) = out.split.ends.last_mut() {
            *end = record.end as u32;
        }
        out.starts.push(record.start as u32);
    }

    fn flaw(
        &self,
        bytes: Range<usize>,
        reason: Reason,
        at: usize,
        repaired: bool,
        out: &mut RecordIndex,
    ) {
        let flaw = Flaw::of_record(bytes, out.records(), at, reason);
        out.bad.push(Flaw {
            action: match repaired {
                true => Action::Repaired,
                false => Action::Rejected,
            },
            ..flaw
        });
        if !repaired {
            out.gap();
        }
    }
}

const NOT_AN_OBJECT: &str = "it is not an object";

/// What is written down of a record.
struct Values<'a> {
    row: &'a mut [u32],
    slots: &'a [Option<u32>],
    /// Whether a string has escapes.
    quoted: bool,
    unknown: u64,
}

impl Values<'_> {
    /// Where the value of a column is, as its column reads it: strings without their quotes, unless they
    /// have to be unescaped or are empty, which is not NULL.
    #[inline(always)]
    fn put(&mut self, column: usize, start: usize, end: usize, kind: Kind) {
        let Some(slot) = self.slots[column] else {
            return;
        };
        let (start, end) = match kind {
            Kind::Null => (0, 0),
            Kind::Plain if end - start > 2 => (start + 1, end - 1),
            Kind::Plain | Kind::Escaped => {
                self.quoted = true;
                (start, end)
            }
            _ => (start, end),
        };
        let at = 2 * slot as usize;
        self.row[at] = start as u32;
        self.row[at + 1] = end as u32;
    }
}

/// Walks over the object that starts at `at`, whose keys are columns.
fn members(
    text: &[u8],
    at: usize,
    keys: &mut Keys,
    values: &mut Values<'_>,
    depth: usize,
) -> std::result::Result<usize, Fault> {
    let mut at = walk::blank(text, at + 1);
    if text.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    let mut before = None;
    let mut guess = keys.first();
    loop {
        let entry = match keys.guessed(text, at, guess) {
            Some(value) => {
                at = value;
                Some(guess)
            }
            None => {
                let key = at;
                let escaped = match text.get(at) {
                    Some(b'"') => {
                        let (end, escaped) = walk::string(text, at + 1)?;
                        at = end + 1;
                        escaped
                    }
                    Some(_) => {
                        let what = "a key is expected";
                        return Err(Fault { at, what });
                    }
                    None => {
                        let (at, what) = (text.len(), "an object is not closed");
                        return Err(Fault { at, what });
                    }
                };
                let name = &text[key..at];
                at = walk::colon(text, at)?;
                keys.find(name, escaped, before)
            }
        };
        if let Some(entry) = entry {
            (before, guess) = (Some(entry), keys.next(entry));
        }
        let start = at;
        match entry.map(|entry| keys.target(entry)) {
            Some(Target::Column(column)) => {
                let column = *column;
                let (end, kind) = walk::value(text, at, depth + 1)?;
                values.put(column, start, end, kind);
                at = end;
            }
            Some(Target::Keys(inner)) if text.get(at) == Some(&b'{') => {
                at = members(text, at, inner, values, depth + 1)?;
            }
            other => {
                let known = other.is_some();
                let (end, kind) = walk::value(text, at, depth + 1)?;
                values.unknown += u64::from(!known || kind != Kind::Null);
                at = end;
            }
        }
        match walk::after_member(text, at)? {
            (next, true) => at = next,
            (end, false) => return Ok(end),
        }
    }
}

/// Where reading goes on after a record that starts at `start` and is no JSON from `at` on: after its last
/// bracket, as far as those tell, or on a line that starts an object as far in as the record's line does.
/// `None`: further on. Before the record, nothing but separators stands from `between` on.
pub(super) fn resume(bytes: &[u8], between: usize, start: usize, at: usize) -> Option<usize> {
    let line = memchr::memrchr(b'\n', &bytes[between..start]);
    let indent = line.map(|i| start - (between + i + 1));
    let (mut depth, mut quoted, mut i) = (0i64, false, start);
    while i < bytes.len() {
        match bytes[i] {
            b'\n' => {
                // No string goes over a line end.
                quoted = false;
                if let Some(indent) = indent.filter(|_| i >= at) {
                    let line = bytes.get(i + 1..i + 2 + indent)?;
                    if line.ends_with(b"{") && line.trim_ascii_start().len() == 1 {
                        return Some(i);
                    }
                }
            }
            b'\\' if quoted => i += 1,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth -= 1;
                if depth <= 0 && i >= at {
                    return Some(i + 1);
                }
            }
            b',' if !quoted && depth == 0 && i >= at => return Some(i),
            _ => {}
        }
        i += 1;
    }
    None
}
