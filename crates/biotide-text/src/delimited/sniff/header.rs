//! Whether the first record of a table names its columns.

use std::ops::Range;

use super::cells::{Cell, classify};
use super::records;
use crate::delimited::Dialect;
use crate::delimited::columns::{trim, unquote};

/// Records that are looked at.
const MOST: usize = 100;

/// A header is the rule. It is none where a column's first cell is a number or a date as those below it
/// are, and no other cell speaks for a header: words over numbers, a word spelled like none below it, the
/// empty corner of a matrix.
pub(super) fn has(bytes: &[u8], complete: bool, dialect: &Dialect, skip_rows: usize) -> bool {
    let newline = dialect.record_end.byte();
    let mut at = usize::from(bytes.starts_with(b"\xEF\xBB\xBF")) * 3;
    for _ in 0..skip_rows {
        match memchr::memchr(newline, &bytes[at..]) {
            Some(end) => at += end + 1,
            None => return true,
        }
    }
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
    let evidence = evidence.map(|(head, below)| speaks_for(head, below));
    let evidence: Vec<Option<bool>> = evidence.collect();
    evidence.contains(&Some(true)) || !evidence.contains(&Some(false))
}

/// What a column's first cell speaks for: a header, a row, or neither.
fn speaks_for(head: &[u8], below: &[Vec<u8>]) -> Option<bool> {
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
        Cell::Text | Cell::Odd if filled.len() >= 3 => {
            let alike = filled.iter().any(|value| spelling(value) == spelling(head));
            (!alike).then_some(true)
        }
        Cell::Empty if filled.len() >= 3 && filled.len() == below.len() => Some(true),
        cell @ (Cell::Integer | Cell::Float | Cell::Date) if share(&[cell]) >= 0.5 => Some(false),
        _ => None,
    }
}

/// How a word is written: `TP53` is `A0`, `Product A` is `Aa A`.
fn spelling(value: &[u8]) -> Vec<u8> {
    let mut kinds: Vec<u8> = trim(value)
        .iter()
        .map(|byte| match byte {
            b'0'..=b'9' => b'0',
            b'A'..=b'Z' => b'A',
            b'a'..=b'z' | 0x80.. => b'a',
            other => *other,
        })
        .collect();
    kinds.dedup();
    kinds
}
