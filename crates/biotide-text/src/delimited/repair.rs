//! Rows of the wrong shape that can be read all the same. (Lenient reading only, and always logged.)

use std::ops::Range;

use super::index::RecordIndex;
use super::{Dialect, Layout};

/// Delimiters that a single row may have instead of its file's.
const OTHERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Splits a record by another delimiter, if there is just one that gives it as many fields as there are
/// columns, and no quote: a row that was pasted in from elsewhere. Its field ends are those from `mark` on.
pub(crate) fn resplit(
    layout: &Layout,
    bytes: &[u8],
    record: &Range<usize>,
    mark: usize,
    out: &mut RecordIndex,
) -> bool {
    let text = &bytes[record.clone()];
    let Some(delimiter) = other_delimiter(&layout.dialect, layout.columns.len(), text) else {
        return false;
    };
    out.split.ends.truncate(mark);
    let ends = memchr::memchr_iter(delimiter, text).map(|at| (record.start + at) as u32);
    out.split.ends.extend(ends);
    out.split.ends.push(record.end as u32);
    if layout.trailing_delimiter {
        out.split.ends.push(record.end as u32);
    }
    true
}

/// The delimiter that splits a record into so many fields where its own does not split it at all.
fn other_delimiter(dialect: &Dialect, columns: usize, text: &[u8]) -> Option<u8> {
    let [own] = dialect.delimiter[..] else {
        return None;
    };
    // Two fields may be one that holds a sign.
    if columns < 3 || memchr::memchr(own, text).is_some() {
        return None;
    }
    let marks = [dialect.quote, dialect.escape];
    if marks
        .iter()
        .flatten()
        .any(|mark| memchr::memchr(*mark, text).is_some())
    {
        return None;
    }
    let fits =
        |other: &&u8| **other != own && memchr::memchr_iter(**other, text).count() + 1 == columns;
    let mut fitting = OTHERS.iter().filter(fits);
    fitting.next().copied().filter(|_| fitting.next().is_none())
}
