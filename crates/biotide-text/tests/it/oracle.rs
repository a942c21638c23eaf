//! The rules of `biotide_text::delimited`, followed one byte after the other. Slow, and written to be
//! read next to the rules rather than next to the indexer: it sees the whole text at once, knows no
//! chunk, no SIMD and no index.

use biotide_text::delimited::{Delimiter, Layout, OnError, RecordEnd};
use biotide_text::problem::{Action, Reason};

/// A field as it stands, its quotes and escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) value: Vec<u8>,
    pub(crate) quoted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) record: u64,
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) fields: Vec<Field>,
}

/// What the tests compare of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bad {
    pub(crate) offset: u64,
    pub(crate) column: Option<usize>,
    pub(crate) reason: Reason,
    pub(crate) record: u64,
    pub(crate) line: u64,
    pub(crate) length: u64,
    pub(crate) action: Action,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) rows: Vec<Row>,
    pub(crate) bad: Vec<Bad>,
    pub(crate) rejected: u64,
    pub(crate) blank: u64,
}

/// A field with the bytes that it is.
type Ranged = (std::ops::Range<usize>, Field);

pub(crate) struct Oracle<'a> {
    layout: &'a Layout,
    text: &'a [u8],
    /// Whether a column takes a field.
    fits: &'a dyn Fn(usize, &Field) -> bool,
    out: Reading,
}

/// A record that was read to its end.
struct Found {
    /// The raw bytes of each field, and what they mean.
    fields: Vec<Ranged>,
    end: usize,
    next: usize,
    problem: Option<Reason>,
}

/// A quote that opens in `field` cannot be what it seems.
struct Broken {
    field: usize,
    reason: Reason,
}

/// Reads everything. `text` starts at the first data record. All columns are text.
pub(crate) fn read(layout: &Layout, text: &[u8]) -> Reading {
    read_typed(layout, text, &|_, _| true)
}

/// The same of columns that `fits` says what they take.
pub(crate) fn read_typed(
    layout: &Layout,
    text: &[u8],
    fits: &dyn Fn(usize, &Field) -> bool,
) -> Reading {
    let mut oracle = Oracle {
        layout,
        text,
        fits,
        out: Reading::default(),
    };
    let mut at = 0;
    while at < text.len() {
        at = oracle.step(at);
    }
    oracle.out.bad.sort();
    oracle.out
}

impl Oracle<'_> {
    fn newline(&self) -> u8 {
        match self.layout.dialect.record_end {
            RecordEnd::Lf | RecordEnd::Any => b'\n',
            RecordEnd::Cr => b'\r',
        }
    }

    /// If a line ends at `at`: where the next one starts.
    fn line_end(&self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        match self.layout.dialect.record_end {
            RecordEnd::Cr if rest.starts_with(b"\r") => Some(at + 1),
            RecordEnd::Cr => None,
            RecordEnd::Any if rest.starts_with(b"\r\n") => Some(at + 2),
            RecordEnd::Any if rest.starts_with(b"\r") => Some(at + 1),
            RecordEnd::Lf | RecordEnd::Any if rest.starts_with(b"\n") => Some(at + 1),
            RecordEnd::Lf if rest.starts_with(b"\r\n") => Some(at + 2),
            RecordEnd::Lf if rest == b"\r" => Some(at + 1),
            RecordEnd::Lf | RecordEnd::Any => None,
        }
    }

    /// The end of the line that `at` is on, and the start of the next.
    fn rest_of_line(&self, mut at: usize) -> (usize, usize) {
        while at < self.text.len() {
            if let Some(next) = self.line_end(at) {
                return (at, next);
            }
            at += 1;
        }
        (at, at)
    }

    fn number(&self) -> u64 {
        self.out.rows.len() as u64 + self.out.rejected + self.out.blank + 1
    }

    fn bad(&mut self, start: usize, end: usize, reason: Reason, action: Action) {
        let before = self.text[..start].iter();
        self.out.bad.push(Bad {
            offset: start as u64,
            column: None,
            reason,
            record: self.number(),
            line: 1 + before.filter(|&&b| b == self.newline()).count() as u64,
            length: (end - start) as u64,
            action,
        });
    }

    fn reject(&mut self, start: usize, end: usize, reason: Reason) {
        let reason = match end - start > self.layout.max_record_bytes {
            true => Reason::RecordTooLong,
            false => reason,
        };
        self.bad(start, end, reason, Action::Rejected);
        self.out.rejected += 1;
    }

    /// Reads what starts at `at`; answers where the next record starts.
    fn step(&mut self, at: usize) -> usize {
        let comment = self.layout.dialect.comment.as_ref();
        if comment.is_some_and(|prefix| self.text[at..].starts_with(prefix)) {
            let (end, next) = self.rest_of_line(at);
            if end - at > self.layout.max_record_bytes {
                self.reject(at, end, Reason::RecordTooLong);
            }
            return next;
        }
        match self.record(at) {
            Ok(found) => self.judge(at, found),
            Err(Broken { field, reason }) => {
                let (end, next) = self.rest_of_line(field);
                self.reject(at, end, reason);
                next
            }
        }
    }

    fn record(&self, start: usize) -> Result<Found, Broken> {
        let mut fields = Vec::new();
        let mut problem = None;
        let mut at = start;
        let blanks = self.layout.dialect.delimiter == Delimiter::Blanks;
        loop {
            if blanks {
                while matches!(self.text.get(at), Some(b' ' | b'\t')) {
                    at += 1;
                }
                let next = self.line_end(at);
                if next.is_some() || at == self.text.len() {
                    let long = at - start > self.layout.max_record_bytes;
                    let end = if fields.is_empty() && !long {
                        start
                    } else {
                        at
                    };
                    return Ok(Found {
                        fields,
                        end,
                        next: next.unwrap_or(at),
                        problem,
                    });
                }
                let (end, field) = self.field(start, at, &mut problem)?;
                fields.push((at..end, field));
                at = end;
                continue;
            }
            let (end, field) = self.field(start, at, &mut problem)?;
            fields.push((at..end, field));
            let next = self.line_end(end);
            if next.is_some() || end == self.text.len() {
                return Ok(Found {
                    fields,
                    end,
                    next: next.unwrap_or(end),
                    problem,
                });
            }
            at = end + self.layout.dialect.delimiter.bytes().len();
        }
    }

    /// Whether a field may end at `at`.
    fn boundary(&self, at: usize) -> bool {
        let delimiter = match &self.layout.dialect.delimiter {
            Delimiter::Bytes(bytes) => self.text[at..].starts_with(bytes),
            Delimiter::Blanks => matches!(self.text.get(at), Some(b' ' | b'\t')),
        };
        at == self.text.len() || self.line_end(at).is_some() || delimiter
    }

    /// The field at `at` of the record at `start`: where it ends, and what it says.
    fn field(
        &self,
        start: usize,
        at: usize,
        problem: &mut Option<Reason>,
    ) -> Result<(usize, Field), Broken> {
        let mut plain = at;
        if let Some(quote) = self.layout.dialect.quote
            && self.text.get(at) == Some(&quote)
        {
            let broken = match self.close(at + 1, quote) {
                Some((after, value)) if after - start <= self.layout.max_record_bytes => {
                    if self.boundary(after) {
                        let quoted = true;
                        return Ok((after, Field { value, quoted }));
                    }
                    let spans = self.text[at..after].contains(&self.newline());
                    if !spans {
                        problem.get_or_insert(Reason::TextAfterQuote);
                        plain = after;
                    }
                    spans.then_some(Reason::TextAfterQuote)
                }
                _ => Some(Reason::UnterminatedQuote),
            };
            if let Some(reason) = broken {
                if self.layout.on_error != OnError::Lenient {
                    return Err(Broken { field: at, reason });
                }
                problem.get_or_insert(reason);
                plain = at + 1;
            }
        }
        let (end, value) = self.plain(start, at, plain);
        let quoted = false;
        Ok((end, Field { value, quoted }))
    }

    /// Where the quoted text that starts at `at` ends (after its closing quote), and what it says.
    fn close(&self, mut at: usize, quote: u8) -> Option<(usize, Vec<u8>)> {
        let escape = self.layout.dialect.escape.unwrap_or(quote);
        let mut value = Vec::new();
        while at < self.text.len() {
            let byte = self.text[at];
            let next = self.text.get(at + 1);
            if byte == escape && escape != quote {
                value.push(*next?);
                at += 2;
            } else if byte == quote && escape == quote && next == Some(&quote) {
                value.push(quote);
                at += 2;
            } else if byte == quote {
                return Some((at + 1, value));
            } else {
                value.push(byte);
                at += 1;
            }
        }
        None
    }

    /// Text from `plain` on, of the field at `at`.
    fn plain(&self, start: usize, at: usize, plain: usize) -> (usize, Vec<u8>) {
        let dialect = &self.layout.dialect;
        let escape = dialect.escape.filter(|_| dialect.quote.is_none());
        let mut value = self.text[at..plain].to_vec();
        let mut at = plain;
        while !self.boundary(at) {
            let mut byte = self.text[at];
            if escape == Some(byte)
                && let Some(&next) = self.text.get(at + 1)
                && (at + 1 - start <= self.layout.max_record_bytes
                    || self.line_end(at + 1).is_none())
            {
                byte = next;
                at += 1;
            }
            value.push(byte);
            at += 1;
        }
        (at, value)
    }

    /// The fields of a record that its delimiter does not split, and one other does as it should be.
    fn of_another_delimiter(&self, start: usize, end: usize) -> Option<Vec<Ranged>> {
        let dialect = &self.layout.dialect;
        let text = &self.text[start..end];
        let has = |byte: u8| text.contains(&byte);
        let own = dialect.delimiter.byte()?;
        let plain =
            !has(own) && !dialect.quote.is_some_and(has) && !dialect.escape.is_some_and(has);
        let columns = self.layout.columns.len();
        let count = |byte: u8| text.iter().filter(|&&b| b == byte).count();
        let fitting: Vec<u8> = b",\t;|"
            .iter()
            .copied()
            .filter(|&byte| byte != own && count(byte) == columns - 1)
            .collect();
        let [delimiter] = fitting[..] else {
            return None;
        };
        if !plain || columns < 3 {
            return None;
        }
        let mut at = start;
        let fields = text.split(|&byte| byte == delimiter).map(|value| {
            let range = at..at + value.len();
            at += value.len() + 1;
            let field = Field {
                value: value.to_vec(),
                quoted: false,
            };
            (range, field)
        });
        Some(fields.collect())
    }

    /// Whether the columns take all these fields, as many as there are.
    fn all_fit(&self, fields: &[Ranged]) -> bool {
        let columns = 0..self.layout.columns.len();
        columns
            .zip(fields)
            .all(|(column, (range, field))| range.is_empty() || (self.fits)(column, field))
    }

    /// Makes fields that are too many parts of the one that leaves all others where they fit: if there is
    /// just one such, or blanks behind delimiters tell which it is.
    fn merge(&self, fields: &mut Vec<Ranged>) {
        let columns = self.layout.columns.len();
        let extra = fields.len() - columns;
        let raw = |(range, _): &Ranged| &self.text[range.clone()];
        if columns == 0 || fields[columns..].iter().all(|f| raw(f).is_empty()) {
            return;
        }
        let ways: Vec<(usize, Vec<Ranged>)> = (0..columns)
            .map(|at| (at, self.merged(fields, at, extra)))
            .filter(|(_, fields)| self.all_fit(fields))
            .collect();
        if let [(_, only)] = &ways[..] {
            fields.clone_from(only);
            return;
        }
        let follows = |f: &Ranged| raw(f).len() > 1 && raw(f)[0] == b' ';
        let following: Vec<usize> = (0..fields.len()).filter(|&i| follows(&fields[i])).collect();
        let told = |(at, _): &&(usize, _)| following == (at + 1..=at + extra).collect::<Vec<_>>();
        if let Some((_, told)) = ways.iter().find(told) {
            fields.clone_from(told);
        }
    }

    fn merged(&self, fields: &[Ranged], at: usize, extra: usize) -> Vec<Ranged> {
        let mut fields = fields.to_vec();
        let merged: Vec<_> = fields.drain(at..=at + extra).collect();
        let range = merged[0].0.start..merged[extra].0.end;
        let values: Vec<&[u8]> = merged.iter().map(|(_, field)| &field.value[..]).collect();
        let value = match self.layout.dialect.quote {
            Some(_) => self.text[range.clone()].to_vec(),
            None => values.join(self.layout.dialect.delimiter.bytes()),
        };
        let quoted = false;
        fields.insert(at, (range, Field { value, quoted }));
        fields
    }

    /// Puts empty fields behind the one behind which alone they make all others fit, if they do not fit
    /// with nothing but the end missing.
    fn place(&self, fields: &mut Vec<Ranged>) {
        let missing = self.layout.columns.len() - fields.len();
        if self.all_fit(fields) {
            return;
        }
        let ways = (1..=fields.len()).map(|at| {
            let mut fields = fields.clone();
            let end = fields[at - 1].0.end;
            let empty = Field {
                value: Vec::new(),
                quoted: false,
            };
            fields.splice(at..at, std::iter::repeat_n((end..end, empty), missing));
            fields
        });
        let ways: Vec<Vec<Ranged>> = ways.filter(|fields| self.all_fit(fields)).collect();
        if let [only] = &ways[..] {
            fields.clone_from(only);
        }
    }

    /// Decides about a record that was read to its end.
    fn judge(&mut self, start: usize, found: Found) -> usize {
        let Found {
            mut fields,
            end,
            next,
            problem,
        } = found;
        let layout = self.layout;
        let columns = layout.columns.len();
        if end == start {
            self.out.blank += 1;
            return next;
        }
        let stride = columns + usize::from(layout.trailing_delimiter);
        let trailing = layout.trailing_delimiter
            && fields.len() == stride
            && fields[columns]
                .0
                .clone()
                .all(|i| matches!(self.text[i], b' ' | b'\t'));
        let shape = match fields.len() {
            n if n < columns => Some(Reason::TooFewFields),
            n if n > columns && !trailing => Some(Reason::TooManyFields),
            _ => None,
        };
        let long = end - start > layout.max_record_bytes;
        let lenient = layout.on_error == OnError::Lenient;
        if long {
            self.reject(start, end, Reason::RecordTooLong);
            return next;
        }
        if let Some(reason) = problem.or(shape) {
            if !lenient {
                self.reject(start, end, reason);
                return next;
            }
            self.bad(start, end, reason, Action::Repaired);
            if reason == Reason::TooFewFields
                && let Some(others) = self.of_another_delimiter(start, end)
            {
                fields = others;
            }
            let refits = !layout.trailing_delimiter
                && layout.dialect.delimiter != Delimiter::Blanks
                && fields.len() != columns;
            match reason {
                Reason::TooManyFields if refits => self.merge(&mut fields),
                Reason::TooFewFields if refits => self.place(&mut fields),
                _ => {}
            }
        }
        fields.truncate(stride);
        let invalid =
            |raw: &std::ops::Range<usize>| std::str::from_utf8(&self.text[raw.clone()]).is_err();
        if fields.iter().any(|(raw, _)| invalid(raw)) {
            if !lenient {
                self.reject(start, end, Reason::InvalidUtf8);
                return next;
            }
            self.bad(start, end, Reason::InvalidUtf8, Action::Repaired);
        }
        let mut fields: Vec<Field> = fields.into_iter().map(|(_, field)| field).collect();
        let missing = Field {
            value: Vec::new(),
            quoted: false,
        };
        fields.resize(columns, missing);
        let before = self.text[..start].iter();
        self.out.rows.push(Row {
            record: self.number(),
            line: 1 + before.filter(|&&b| b == self.newline()).count() as u64,
            offset: start as u64,
            length: (end - start) as u64,
            fields,
        });
        next
    }
}

/// What a text column makes of the field.
pub(crate) fn text_of(layout: &Layout, field: &Field) -> Option<String> {
    let blank = |c: &u8| matches!(c, b' ' | b'\t');
    let mut value = &field.value[..];
    if layout.strip_whitespace && !field.quoted {
        while value.first().is_some_and(blank) {
            value = &value[1..];
        }
        while value.last().is_some_and(blank) {
            value = &value[..value.len() - 1];
        }
    }
    let null = layout.null_values.iter().any(|n| n.as_bytes() == value);
    if null || value.is_empty() && !field.quoted {
        return None;
    }
    Some(String::from_utf8_lossy(value).into_owned())
}
