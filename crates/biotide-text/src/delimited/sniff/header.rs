//! Whether the first record of a table names its columns.

use std::ops::Range;

use super::cells::{Cell, classify};
use super::records;
use crate::delimited::Dialect;
use crate::delimited::columns::{trim, unquote};
use crate::delimited::preamble::after_lines;

/// Records that are looked at.
const MOST: usize = 100;

/// A header is the rule. It is none where a column's first cell is a number or a date as those below it
/// are, and no other cell speaks for a header: words over numbers, a plain word (`gene`) over what is none,
/// the empty corner of a matrix.
pub(super) fn has(bytes: &[u8], complete: bool, dialect: &Dialect, skip_rows: usize) -> bool {
    let Some(at) = after_lines(bytes, dialect.record_end.byte(), skip_rows) else {
        return true;
    };
    let mut rows = records(bytes, at, complete, dialect).take(MOST);
    let Some(first) = rows.next() else {
        return true;
    };
    let value = |field: &Range<usize>| unquote(dialect, &bytes[field.clone()]).0.into_owned();
    let head: Vec<Vec<u8>> = first.fields.iter().map(value).collect();
    let mut below: Vec<Vec<Vec<u8>>> = vec![Vec::new(); head.len()];
    for row in rows.filter(|row| row.fields.len() == head.len()) {
        for (column, field) in below.iter_mut().zip(&row.fields) {
            column.push(value(field));
        }
    }
    let evidence = head.iter().zip(&below);
    let evidence = evidence.enumerate();
    let evidence = evidence.map(|(i, (head, below))| speaks_for(head, below, i == 0));
    let evidence: Vec<Option<bool>> = evidence.collect();
    evidence.contains(&Some(true)) || !evidence.contains(&Some(false))
}

/// Records that the header is of: 2 where the second names units, or goes on, over columns of numbers or
/// dates. What is no such column says nothing.
pub(super) fn rows(bytes: &[u8], complete: bool, dialect: &Dialect, skip_rows: usize) -> usize {
    let Some(at) = after_lines(bytes, dialect.record_end.byte(), skip_rows) else {
        return 1;
    };
    let mut rows = records(bytes, at, complete, dialect).take(MOST);
    let (Some(first), Some(second)) = (rows.next(), rows.next()) else {
        return 1;
    };
    let cell = |field: &Range<usize>| classify(&unquote(dialect, &bytes[field.clone()]).0);
    let n = second.fields.len();
    let below: Vec<Vec<Cell>> = rows
        .filter(|row| row.fields.len() == n)
        .map(|row| row.fields.iter().map(cell).collect())
        .collect();
    if first.fields.len() != n || below.len() < LEAST {
        return 1;
    }
    let (mut words, mut values) = (0, 0);
    for (i, field) in second.fields.iter().enumerate() {
        let filled = below.iter().filter(|row| row[i] != Cell::Empty);
        let is_typed =
            |row: &&Vec<Cell>| matches!(row[i], Cell::Integer | Cell::Float | Cell::Date);
        let typed = filled.clone().filter(is_typed).count() * 10 >= filled.count().max(1) * 9;
        match cell(field) {
            Cell::Integer | Cell::Float | Cell::Date => values += 1,
            // A marker of a missing value is none of a unit.
            Cell::Text if typed && !is_missing(&unquote(dialect, &bytes[field.clone()]).0) => {
                words += 1
            }
            _ => {}
        }
    }
    match values == 0 && words >= 2 {
        true => 2,
        false => 1,
    }
}

/// Rows below a second header row, of which its columns are judged.
const LEAST: usize = 3;

fn is_missing(value: &[u8]) -> bool {
    let missing = [
        "NA", "N/A", "NaN", "NULL", "None", ".", "-", "ND", "<LOD", "LOD",
    ];
    let value = trim(value);
    missing
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(value))
        || value.starts_with(b"<")
}

/// What a column's first cell speaks for: a header, a row, or neither.
fn speaks_for(head: &[u8], below: &[Vec<u8>], first: bool) -> Option<bool> {
    let filled: Vec<&Vec<u8>> = below
        .iter()
        .filter(|value| !trim(value).is_empty())
        .collect();
    let share = |wanted: &[Cell]| {
        let n = filled
            .iter()
            .filter(|value| wanted.contains(&classify(value)));
        n.count() as f64 / filled.len().max(1) as f64
    };
    let typed = share(&[Cell::Integer, Cell::Float]) >= 0.8 || share(&[Cell::Date]) >= 0.8;
    match classify(head) {
        Cell::Text | Cell::Odd if typed => Some(true),
        Cell::Text if filled.len() >= 3 && is_word(head) => {
            (!filled.iter().any(|value| is_word(value))).then_some(true)
        }
        Cell::Empty if first && !filled.is_empty() && filled.len() == below.len() => Some(true),
        cell @ (Cell::Integer | Cell::Float | Cell::Date) if share(&[cell]) >= 0.5 => Some(false),
        _ => None,
    }
}

/// Whether this is written as names of columns are: in small letters.
fn is_word(value: &[u8]) -> bool {
    let small = |byte: &u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b' ');
    trim(value).iter().all(small)
}
