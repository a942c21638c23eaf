//! Rows of the wrong shape that can be read all the same. (Lenient reading only, and always logged.)

use std::ops::Range;

use arrow_buffer::Buffer;

use super::{ColumnType, Dialect, Layout};
use crate::chunk::RecordIndex;
use crate::chunk::columns::{Fields, Rows};

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

/// Gives a record that has too many or too few fields just as many as there are columns, if the types of
/// the columns (or, of one that has too many, a blank behind a delimiter) leave one way only: fields next
/// to each other become one, or an empty one is put between two. Its field ends are those from `mark` on.
pub(crate) fn refit(
    layout: &Layout,
    bytes: &[u8],
    record: &Range<usize>,
    mark: usize,
    out: &mut RecordIndex,
) -> bool {
    if layout.trailing_delimiter || layout.dialect.has_pairs() {
        return false;
    }
    let columns = layout.columns.len();
    let ends: Vec<usize> = out.split.ends[mark..].iter().map(|e| *e as usize).collect();
    let row = Fielded {
        layout,
        bytes,
        start: record.start,
        width: layout.dialect.delimiter.bytes().len(),
        ends: &ends,
    };
    if ends.len() > columns {
        let Some(at) = row.merged_at(ends.len() - columns) else {
            return false;
        };
        out.split
            .ends
            .drain(mark + at..mark + at + ends.len() - columns);
        return true;
    }
    let missing = columns - ends.len();
    let Some(at) = row.missing_at(missing) else {
        return false;
    };
    // An empty field ends where the one before it does: the next starts where it would have.
    let gap = std::iter::repeat_n(ends[at - 1] as u32, missing);
    out.split.ends.splice(mark + at..mark + at, gap);
    true
}

/// A record of the wrong number of fields.
struct Fielded<'a> {
    layout: &'a Layout,
    bytes: &'a [u8],
    start: usize,
    /// Bytes of a delimiter.
    width: usize,
    ends: &'a [usize],
}

impl Fielded<'_> {
    /// The bytes from the start of one field to the end of another.
    fn field(&self, first: usize, last: usize) -> &[u8] {
        let start = match first.checked_sub(1) {
            Some(before) => self.ends[before] + self.width,
            None => self.start,
        };
        &self.bytes[start..self.ends[last]]
    }

    fn fits(&self, column: usize, first: usize, last: usize) -> bool {
        fits(self.layout, column, self.field(first, last))
    }

    /// The field that the `extra` ones behind it are part of.
    fn merged_at(&self, extra: usize) -> Option<usize> {
        let columns = self.layout.columns.len();
        let n = self.ends.len();
        // Delimiters without anything behind them are only too many.
        if columns == 0 || (n - extra..n).all(|i| self.field(i, i).is_empty()) {
            return None;
        }
        let (before, behind) = self.fitting(columns, extra);
        let fitting: Vec<usize> = (0..columns)
            .filter(|&i| before >= i && behind <= i && self.fits(i, i, i + extra))
            .collect();
        if let [only] = fitting[..] {
            return Some(only);
        }
        // `Smith, John`: a blank stands behind the delimiter where it is text.
        let follows = |i: usize| matches!(self.field(i, i), [b' ', rest @ ..] if !rest.is_empty());
        let mut following = (0..n).filter(|&i| follows(i));
        let first = following.next()?.checked_sub(1)?;
        let others = following.count() + 1;
        let is_run = others == extra && (first + 1..=first + extra).all(follows);
        (is_run && fitting.contains(&first)).then_some(first)
    }

    /// The column from which on `missing` ones are empty, where it is not at the end. The first column, by
    /// which rows are known, is never missing.
    fn missing_at(&self, missing: usize) -> Option<usize> {
        let n = self.ends.len();
        let before = (0..n).take_while(|&i| self.fits(i, i, i)).count();
        if before == n {
            return None;
        }
        let behind = (0..n).rev();
        let behind = behind.take_while(|&i| self.fits(i + missing, i, i)).count();
        let mut fitting = (1..=n).filter(|&at| at <= before && n - at <= behind);
        let only = fitting.next()?;
        fitting.next().is_none().then_some(only)
    }

    /// With `extra` fields too many: the first columns that fit the first fields, so many; and the first
    /// column behind which all fit the last fields.
    fn fitting(&self, columns: usize, extra: usize) -> (usize, usize) {
        let before = (0..columns).take_while(|&i| self.fits(i, i, i)).count();
        let behind = (0..columns).rev();
        let behind = behind.take_while(|&i| self.fits(i, i + extra, i + extra));
        (before, columns.saturating_sub(behind.count() + 1))
    }
}

/// Whether a column would take these bytes.
fn fits(layout: &Layout, column: usize, field: &[u8]) -> bool {
    /// Longer than any number or date.
    const LONG: usize = 512;
    if field.is_empty() || layout.columns[column].ty == ColumnType::Text {
        return true;
    }
    if field.len() > LONG {
        return false;
    }
    let mut index = RecordIndex::of_field(field.len());
    index.quoted = true;
    let fields = Fields {
        layout,
        bytes: &Buffer::from(field),
        index: &index,
        column,
        slot: 0,
        rows: Rows::All(1),
        compact: true,
    };
    let mut bad = Vec::new();
    fields.build(&mut bad).is_ok() && bad.is_empty()
}

/// The delimiter that splits a record into so many fields where its own does not split it at all.
fn other_delimiter(dialect: &Dialect, columns: usize, text: &[u8]) -> Option<u8> {
    let own = dialect.delimiter.byte()?;
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

#[cfg(test)]
mod tests {
    use arrow_array::{Array, RecordBatch};
    use arrow_cast::display::array_value_to_string;

    use super::*;
    use crate::delimited::{Column, Decoder, OnError};

    fn read(row: &str) -> String {
        let columns = [
            ("id", ColumnType::Text),
            ("npx", ColumnType::Float64),
            ("name", ColumnType::Text),
            ("n", ColumnType::Int64),
            ("note", ColumnType::Text),
        ];
        let columns = columns.map(|(name, ty)| Column::new(name, ty)).to_vec();
        let mut layout = Layout::new(Dialect::csv(), columns);
        layout.on_error = OnError::Lenient;
        let mut decoder = Decoder::new(layout, None, 10).unwrap();
        let text = format!("{row}\n");
        assert_eq!(decoder.decode(text.as_bytes()), text.len());
        decoder.finish();
        let batch: RecordBatch = decoder.flush().unwrap().unwrap();
        assert!(!decoder.take_problems().is_empty());
        let show = |column: &std::sync::Arc<dyn Array>| match column.is_null(0) {
            true => "-".to_owned(),
            false => array_value_to_string(column, 0).unwrap(),
        };
        batch
            .columns()
            .iter()
            .map(show)
            .collect::<Vec<_>>()
            .join("|")
    }

    #[test]
    fn types_say_where_a_delimiter_is_one_too_many() {
        assert_eq!(read("P1,1.5,a,b,3,x"), "P1|1.5|a,b|3|x");
        assert_eq!(read("P1,x,1.5,a,3,y"), "P1,x|1.5|a|3|y");
        assert_eq!(read("P1,1.5,\"a\",b,c,3,x"), "P1|1.5|\"a\",b,c|3|x");
        // Nothing behind it.
        assert_eq!(read("P1,1.5,a,3,x,,"), "P1|1.5|a|3|x");
        // The last one, if it is the only one that fits.
        assert_eq!(read("P1,1.5,a,3,x,y"), "P1|1.5|a|3|x,y");
        // Two ways: what is more is cut off. But a blank tells.
        assert_eq!(read("P1,1.5,a,3,4,x"), "P1|1.5|a|3|4");
        assert_eq!(read("P1,1.5,a,3,4, x"), "P1|1.5|a|3|4, x");
        assert_eq!(read("P1,1.5,a, 3,4,x"), "P1|1.5|a, 3|4|x");
    }

    #[test]
    fn types_say_where_a_field_is_missing() {
        assert_eq!(read("P1,a,3,x"), "P1|-|a|3|x");
        assert_eq!(read("P1,1.5,a,3"), "P1|1.5|a|3|-");
        // Three ways, and none: then it is the last.
        assert_eq!(read("P1,1.5,3,x"), "P1|1.5|3|-|-");
        assert_eq!(read("P1,a,x"), "P1|-|x|-|-");
    }
}
