//! Fields to columns, one column at a time.

mod boolean;
mod digits;
mod nulls;
mod number;
mod temporal;
mod text;

use std::borrow::Cow;

use arrow_array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::{Buffer, ScalarBuffer};

use super::RecordIndex;
use crate::delimited::{ColumnType, Dialect, Layout};
use crate::error::Result;
use crate::json_lines::unescape as unescape_json;
use crate::problem::Reason;
use nulls::Nulls;

pub(crate) use boolean::parse_bool;
pub(crate) use number::{Number, classify_number, parse_int, plain_number};
pub use temporal::date_format_problem;
pub(crate) use temporal::{TemporalClass, classify_temporal};

/// A value that is not one of its column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadValue {
    /// Row of the chunk's index.
    pub row: u32,
    pub column: u32,
    pub reason: Reason,
}

/// Which rows of the index to build.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows<'a> {
    All(usize),
    Some(&'a [u32]),
}

impl Rows<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::All(n) => *n,
            Self::Some(rows) => rows.len(),
        }
    }
}

/// The fields of one column of a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub layout: &'a Layout,
    pub bytes: &'a Buffer,
    pub index: &'a RecordIndex,
    pub column: usize,
    /// Its place in a row of the index.
    pub slot: usize,
    pub rows: Rows<'a>,
    /// Whether long text should be copied instead of pointing into the chunk.
    pub compact: bool,
}

impl<'a> Fields<'a> {
    /// Calls `f` with the row and the byte range of every field; the range of a missing field is empty.
    #[inline(always)]
    pub(crate) fn for_each(&self, mut f: impl FnMut(u32, usize, usize)) {
        let RecordIndex {
            starts,
            split,
            stride,
            pairs,
            ..
        } = self.index;
        let (starts, ends) = (starts.as_slice(), split.ends.as_slice());
        // A field starts where the one before it ends, behind a delimiter; or where that is written down.
        let (slot, between) = match pairs {
            true => (2 * self.slot + 1, 0),
            false => (self.slot, self.layout.dialect.delimiter.bytes().len()),
        };
        // One loop, and one place where `f` is called: else it is a function of its own, called a row.
        for i in 0..self.rows.len() {
            let row = match self.rows {
                Rows::All(_) => i,
                Rows::Some(rows) => rows[i] as usize,
            };
            let at = row * stride + slot;
            let start = match slot {
                0 => starts[row] as usize,
                _ => ends[at - 1] as usize + between,
            };
            f(row as u32, start, (ends[at] as usize).max(start));
        }
    }

    /// The value of the field, and whether it was quoted.
    #[inline(always)]
    pub(crate) fn value(&self, start: usize, end: usize) -> (Cow<'a, [u8]>, bool) {
        let field = self.bytes.as_slice().get(start..end).unwrap_or_default();
        if self.index.quoted {
            return match (self.layout.json.is_some(), field) {
                (false, _) => unquote(&self.layout.dialect, field),
                (true, [b'"', ..]) => (Cow::Owned(unescape_json(field)), true),
                (true, _) => (Cow::Borrowed(field), false),
            };
        }
        (Cow::Borrowed(field), false)
    }

    /// Whether this is a spelling of NULL. Numbers, dates and booleans have a few by default.
    pub(crate) fn is_null(&self, value: &[u8], quoted: bool, typed: bool) -> bool {
        if value.is_empty() {
            return typed || !quoted;
        }
        is_null_value(self.layout, value, typed)
    }

    /// Builds a primitive column.
    #[inline(always)]
    pub(crate) fn primitive<T: ArrowPrimitiveType>(
        &self,
        parse: impl Fn(&[u8]) -> std::result::Result<T::Native, Reason>,
        bad: &mut Vec<BadValue>,
    ) -> PrimitiveArray<T> {
        let n = self.rows.len();
        let mut values: Vec<T::Native> = Vec::with_capacity(n);
        let mut nulls = Nulls::default();
        // A spelling of NULL that the user gave may be a value too: `-999`.
        let own_nulls = !self.layout.null_values.is_empty();
        self.for_each(|row, start, end| {
            let (value, quoted) = self.value(start, end);
            let parsed = if value.is_empty()
                || own_nulls && is_null_value(self.layout, trim(&value), false)
            {
                None
            } else {
                match parse(&value) {
                    Ok(parsed) => Some(parsed),
                    Err(_) => self.second_look(row, &value, quoted, &parse, bad),
                }
            };
            if parsed.is_none() {
                nulls.push(values.len());
            }
            values.push(parsed.unwrap_or_default());
        });
        PrimitiveArray::new(ScalarBuffer::from(values), nulls.finish(n))
    }

    /// A value that did not parse: NULL, a value between blanks, or a bad one.
    #[cold]
    fn second_look<N>(
        &self,
        row: u32,
        value: &[u8],
        quoted: bool,
        parse: impl Fn(&[u8]) -> std::result::Result<N, Reason>,
        bad: &mut Vec<BadValue>,
    ) -> Option<N> {
        let trimmed = trim(value);
        if self.is_null(trimmed, quoted, true) {
            return None;
        }
        match parse(trimmed) {
            Ok(parsed) => Some(parsed),
            Err(reason) => {
                bad.push(BadValue {
                    row,
                    column: self.column as u32,
                    reason,
                });
                None
            }
        }
    }

    /// Builds the column.
    pub(crate) fn build(&self, bad: &mut Vec<BadValue>) -> Result<ArrayRef> {
        let column = &self.layout.columns[self.column];
        match column.ty {
            ColumnType::Boolean => Ok(self.boolean(bad)),
            ColumnType::Int64 => Ok(self.int64(bad)),
            ColumnType::Float64 => Ok(self.bounded(self.float64(bad), bad)),
            ColumnType::Decimal(precision, scale) => self.decimal(precision, scale, bad),
            ColumnType::Date => Ok(self.date(bad)),
            ColumnType::Timestamp => Ok(self.timestamp(false, bad)),
            ColumnType::TimestampTz => Ok(self.timestamp(true, bad)),
            ColumnType::Text => self.text(),
            ColumnType::Nested(at) => self.nested(at, bad),
        }
    }
}

/// Spellings of NULL that number, date and boolean columns know by default.
pub(crate) const TYPED_NULLS: [&str; 7] = ["NA", "N/A", "NaN", "NULL", "None", ".", "-"];

/// Whether `value`, not empty, is a spelling of NULL.
pub(crate) fn is_null_value(layout: &Layout, value: &[u8], typed: bool) -> bool {
    layout
        .null_values
        .iter()
        .any(|null| null.as_bytes() == value)
        || typed
            && TYPED_NULLS
                .iter()
                .any(|null| null.as_bytes().eq_ignore_ascii_case(value))
}

/// Without spaces and tabs around it.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|b| !blank(b))
        .map_or(start, |i| i + 1);
    &value[start..end]
}

/// The value of a field, and whether it was quoted. A field that starts with a quote but is not closed
/// at its very end is text as it stands: the index lets that pass only where it is to be read so.
pub(crate) fn unquote<'f>(dialect: &Dialect, field: &'f [u8]) -> (Cow<'f, [u8]>, bool) {
    let escape = dialect.own_escape();
    let Some(quote) = dialect.quote else {
        return match escape.or(dialect.escape) {
            Some(escape) if memchr::memchr(escape, field).is_some() => {
                (Cow::Owned(unescape(field, escape)), false)
            }
            _ => (Cow::Borrowed(field), false),
        };
    };
    let [first, inner @ ..] = field else {
        return (Cow::Borrowed(field), false);
    };
    if *first != quote {
        return (Cow::Borrowed(field), false);
    }
    let mut at = 0usize;
    let mut plain = true;
    let closed = loop {
        let found = match escape {
            Some(escape) => memchr::memchr2(quote, escape, &inner[at..]),
            None => memchr::memchr(quote, &inner[at..]),
        };
        let Some(i) = found.map(|i| at + i) else {
            break None;
        };
        if inner[i] != quote || (escape.is_none() && inner.get(i + 1) == Some(&quote)) {
            plain = false;
            at = (i + 2).min(inner.len());
        } else {
            break Some(i);
        }
    };
    match closed {
        Some(i) if i + 1 == inner.len() => match plain {
            true => (Cow::Borrowed(&inner[..i]), true),
            false => (
                Cow::Owned(unescape(&inner[..i], escape.unwrap_or(quote))),
                true,
            ),
        },
        _ => (Cow::Borrowed(field), false),
    }
}

fn unescape(text: &[u8], escape: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(i) = memchr::memchr(escape, &text[at..]) {
        out.extend_from_slice(&text[at..at + i]);
        // The last byte of a file has nothing after it that it could escape: it stays.
        out.push(text.get(at + i + 1).copied().unwrap_or(escape));
        at = (at + i + 2).min(text.len());
    }
    out.extend_from_slice(&text[at..]);
    out
}
