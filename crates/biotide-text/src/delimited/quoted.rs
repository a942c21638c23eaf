//! The general path: quotes, escapes and delimiters of several bytes. A state machine over the
//! positions of the structural bytes, so that plain text between them costs nothing.

use super::index::Indexer;
use super::{Delimiter, Dialect, OnError, RecordEnd};
use crate::chunk::{RecordIndex, Stop};
use crate::problem::Reason;

/// Positions of the bytes that may matter, and how far they have been used.
#[derive(Debug)]
pub(crate) struct Quoted {
    needles: Vec<u8>,
    positions: Vec<u32>,
    next: usize,
}

/// What stands at a position where a field may end.
pub(super) enum Mark {
    Delimiter,
    /// The record ends; the next one starts here.
    Newline(usize),
    /// The text ends, and nothing follows.
    Eof,
    /// The text ends too early to tell.
    Cut,
    Text,
}

/// Where a quoted field ends.
enum Quote {
    /// After the closing quote.
    Closed(usize),
    Open,
}

/// Where a field is read: the start of its record, the fields before it, and whether the text is all.
#[derive(Clone, Copy)]
pub(super) struct InRecord {
    pub(super) start: usize,
    pub(super) fields: usize,
    pub(super) eof: bool,
}

/// What a field is that starts with a quote.
pub(super) enum Opened {
    /// It ends here, before this mark.
    Closed(usize, Mark),
    /// Text follows its quotes, or they are text: it goes on as plain text from here.
    Text(usize),
}

/// How a record ended.
pub(crate) enum Record {
    /// With everything in place (or repaired): where its text ends and the next record starts.
    Whole {
        end: usize,
        next: usize,
        fields: usize,
        problem: Option<Reason>,
    },
    /// A quote in the field that starts here cannot be what it seems.
    BadQuote {
        field: usize,
        reason: Reason,
        fields: usize,
    },
    /// More bytes are needed.
    Cut,
    /// A few more bytes are needed, however long the record is already: they say whether a quoted
    /// field is followed by a delimiter or by text, and so on which line reading resumes.
    CutMark,
}

impl Quoted {
    pub(crate) fn new(dialect: &Dialect) -> Self {
        let mut needles = vec![
            dialect.record_end.byte(),
            dialect.delimiter.bytes().first().copied().unwrap_or(b'\t'),
        ];
        if dialect.delimiter == Delimiter::Blanks {
            needles.push(b'\t');
        }
        needles.extend(dialect.quote);
        needles.extend(dialect.own_escape());
        needles.extend((dialect.record_end == RecordEnd::Any).then_some(b'\r'));
        Self {
            needles,
            positions: Vec::new(),
            next: 0,
        }
    }

    /// The next structural position at or after `at`.
    pub(super) fn seek(&mut self, at: usize) -> Option<usize> {
        while let Some(&position) = self.positions.get(self.next) {
            if position as usize >= at {
                return Some(position as usize);
            }
            self.next += 1;
        }
        None
    }

    /// Goes back to `at`.
    pub(crate) fn rewind(&mut self, at: usize) {
        self.next = self
            .positions
            .partition_point(|&position| (position as usize) < at);
    }
}

impl Indexer {
    pub(crate) fn index_quoted(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        out: &mut RecordIndex,
    ) -> Stop {
        out.quoted = true;
        out.split.non_ascii = self.load_positions(bytes, from);
        let newline = self.separators.newline;
        let mut at = from;
        let stop = loop {
            if at >= limit.min(bytes.len()) {
                break Stop::Done(at);
            }
            if self.is_comment(&bytes[at..]) {
                match self.first_lines(bytes, at, eof) {
                    Some((end, next)) => {
                        self.close_comment(at..end, out);
                        at = next;
                    }
                    None => break self.unfinished(bytes, at, out),
                }
                continue;
            }
            let mark = out.split.ends.len();
            match self.record(bytes, at, eof, out) {
                Record::Whole {
                    end,
                    next,
                    fields,
                    problem,
                } => {
                    self.close_record(bytes, at..end, fields, problem, out);
                    at = next;
                }
                Record::BadQuote {
                    field,
                    reason,
                    fields,
                } => {
                    out.split.ends.truncate(mark);
                    let Some((end, next)) = self.first_lines(bytes, field, eof) else {
                        break self.unfinished(bytes, at, out);
                    };
                    let long = end - at > self.layout.max_record_bytes;
                    let reason = if long { Reason::RecordTooLong } else { reason };
                    self.reject(at..end, reason, fields + 1, out);
                    at = next;
                    self.quoted.rewind(at);
                }
                Record::Cut => {
                    out.split.ends.truncate(mark);
                    break self.unfinished(bytes, at, out);
                }
                Record::CutMark => {
                    out.split.ends.truncate(mark);
                    break Stop::NeedMore(at);
                }
            }
        };
        let (Stop::Done(end) | Stop::NeedMore(end) | Stop::TooLong(end)) = stop;
        out.lines = memchr::memchr_iter(newline, &bytes[from..end]).count() as u64;
        stop
    }

    /// Finds the structural bytes of `bytes[from..]`. Answers whether a byte is not ASCII.
    pub(crate) fn load_positions(&mut self, bytes: &[u8], from: usize) -> bool {
        let Quoted {
            needles,
            positions,
            next,
        } = &mut self.quoted;
        positions.clear();
        *next = 0;
        self.scanner
            .structurals(&bytes[from..], from as u32, needles, positions)
    }

    /// The record at `at` does not end in the chunk.
    fn unfinished(&self, bytes: &[u8], at: usize, out: &mut RecordIndex) -> Stop {
        // A CR at the end may be half of a line end.
        if self.trim_cr(bytes, at, bytes.len()) - at <= self.layout.max_record_bytes {
            return Stop::NeedMore(at);
        }
        self.reject(at..bytes.len(), Reason::RecordTooLong, 0, out);
        Stop::TooLong(at)
    }

    /// The lines up to the one in which `field` starts: where their text ends, where the next starts.
    pub(crate) fn first_lines(
        &self,
        bytes: &[u8],
        field: usize,
        eof: bool,
    ) -> Option<(usize, usize)> {
        let newline = match self.layout.dialect.record_end {
            RecordEnd::Any => memchr::memchr2(b'\n', b'\r', &bytes[field..]),
            _ => memchr::memchr(self.separators.newline, &bytes[field..]),
        };
        match newline {
            Some(i) if bytes[field + i] != self.separators.newline => {
                let end = field + i;
                match bytes.get(end + 1) {
                    None if !eof => None,
                    Some(b'\n') => Some((end, end + 2)),
                    _ => Some((end, end + 1)),
                }
            }
            Some(i) => {
                let end = field + i;
                Some((self.trim_cr(bytes, field, end), end + 1))
            }
            None => eof.then(|| (self.trim_cr(bytes, field, bytes.len()), bytes.len())),
        }
    }

    /// Pushes the field ends of the record at `start`; between blanks where fields start, too, and in the
    /// end where the record does.
    pub(crate) fn record(
        &mut self,
        bytes: &[u8],
        start: usize,
        eof: bool,
        out: &mut RecordIndex,
    ) -> Record {
        if self.layout.dialect.has_pairs() {
            return self.record_of_blanks(bytes, start, eof, out);
        }
        let width = self.layout.dialect.delimiter.bytes().len();
        let mut field = start;
        let mut fields = 0usize;
        let mut problem = None;
        loop {
            // Where plain text starts: the field itself, unless it is quoted.
            let mut plain = field;
            if let Some(quote) = self.layout.dialect.quote
                && bytes.get(field) == Some(&quote)
            {
                let reader = InRecord { start, fields, eof };
                match self.quoted_field(bytes, field, quote, reader, &mut problem) {
                    Err(stop) => return stop,
                    Ok(Opened::Text(from)) => plain = from,
                    Ok(Opened::Closed(after, mark)) => {
                        out.split.ends.push(after as u32);
                        fields += 1;
                        let next = match mark {
                            Mark::Newline(next) => next,
                            Mark::Eof => bytes.len(),
                            _ => {
                                field = after + width;
                                continue;
                            }
                        };
                        return Record::Whole {
                            end: after,
                            next,
                            fields,
                            problem,
                        };
                    }
                }
            }
            let mut at = plain;
            let (end, next) = loop {
                // No CR before `at` belongs to a line end: it was escaped, or is none.
                let Some(position) = self.quoted.seek(at) else {
                    if eof {
                        let end = self.trim_cr(bytes, at, bytes.len());
                        break (end, Some(bytes.len()));
                    }
                    return Record::Cut;
                };
                let byte = bytes[position];
                if self.layout.dialect.quote.is_none() && Some(byte) == self.layout.dialect.escape {
                    // In a record that is too long nothing hides a line end: reading resumes there.
                    let hides = position + 1 - start <= self.layout.max_record_bytes
                        || !matches!(
                            self.mark(bytes, position + 1, eof),
                            Mark::Newline(_) | Mark::Eof
                        );
                    at = position + 1 + usize::from(hides);
                    continue;
                }
                if byte == self.separators.newline {
                    break (self.trim_cr(bytes, at, position), Some(position + 1));
                }
                if byte == b'\r' && self.layout.dialect.record_end == RecordEnd::Any {
                    match bytes.get(position + 1) {
                        None if !eof => return Record::Cut,
                        Some(b'\n') => break (position, Some(position + 2)),
                        _ => break (position, Some(position + 1)),
                    }
                }
                if byte == self.separators.delimiter {
                    if bytes[position..].starts_with(self.layout.dialect.delimiter.bytes()) {
                        break (position, None);
                    }
                    let tail = &bytes[position..];
                    if !eof && self.layout.dialect.delimiter.bytes().starts_with(tail) {
                        return Record::Cut;
                    }
                }
                at = position + 1;
            };
            out.split.ends.push(end as u32);
            fields += 1;
            match next {
                Some(next) => {
                    return Record::Whole {
                        end,
                        next,
                        fields,
                        problem,
                    };
                }
                None => field = end + width,
            }
        }
    }

    /// Reads the field that starts with a quote at `field`. `Err`: the record ends there, one way or the
    /// other.
    #[inline]
    pub(super) fn quoted_field(
        &mut self,
        bytes: &[u8],
        field: usize,
        quote: u8,
        InRecord { start, fields, eof }: InRecord,
        problem: &mut Option<Reason>,
    ) -> Result<Opened, Record> {
        let longest = self.layout.max_record_bytes;
        let reason = match self.close_quote(bytes, field, quote) {
            Quote::Closed(after) if after - start > longest => Reason::UnterminatedQuote,
            Quote::Closed(after) => match self.mark(bytes, after, eof) {
                Mark::Cut => return Err(Record::CutMark),
                Mark::Text => {
                    let newline = self.separators.newline;
                    if memchr::memchr(newline, &bytes[field..after]).is_none() {
                        problem.get_or_insert(Reason::TextAfterQuote);
                        return Ok(Opened::Text(after));
                    }
                    Reason::TextAfterQuote
                }
                mark => return Ok(Opened::Closed(after, mark)),
            },
            Quote::Open if eof || bytes.len() - start > longest => Reason::UnterminatedQuote,
            Quote::Open => return Err(Record::Cut),
        };
        if self.layout.on_error != OnError::Lenient {
            return Err(Record::BadQuote {
                field,
                reason,
                fields,
            });
        }
        // The quote is text after all.
        problem.get_or_insert(reason);
        self.quoted.rewind(field + 1);
        Ok(Opened::Text(field + 1))
    }

    /// Where the quoted field that starts at `open` closes.
    fn close_quote(&mut self, bytes: &[u8], open: usize, quote: u8) -> Quote {
        let escape = self.layout.dialect.own_escape();
        let mut at = open + 1;
        while let Some(position) = self.quoted.seek(at) {
            let byte = bytes[position];
            if Some(byte) == escape {
                at = position + 2;
            } else if byte != quote {
                at = position + 1;
            } else if escape.is_none() && bytes.get(position + 1) == Some(&quote) {
                at = position + 2;
            } else {
                return Quote::Closed(position + 1);
            }
        }
        Quote::Open
    }

    /// What stands at `at`, just after a closing quote.
    pub(super) fn mark(&self, bytes: &[u8], at: usize, eof: bool) -> Mark {
        let rest = &bytes[at..];
        let delimiter = self.layout.dialect.delimiter.bytes();
        let newline = self.separators.newline;
        match rest {
            [] => {
                if eof {
                    Mark::Eof
                } else {
                    Mark::Cut
                }
            }
            [byte, ..] if *byte == newline => Mark::Newline(at + 1),
            [b'\t', ..] if self.layout.dialect.has_pairs() => Mark::Delimiter,
            [b'\r', b'\n', ..] if newline == b'\n' => Mark::Newline(at + 2),
            [b'\r'] if newline == b'\n' => {
                if eof {
                    Mark::Eof
                } else {
                    Mark::Cut
                }
            }
            [b'\r', ..] if self.layout.dialect.record_end == RecordEnd::Any => {
                Mark::Newline(at + 1)
            }
            _ if rest.starts_with(delimiter) => Mark::Delimiter,
            _ if !eof && delimiter.starts_with(rest) => Mark::Cut,
            _ => Mark::Text,
        }
    }
}
