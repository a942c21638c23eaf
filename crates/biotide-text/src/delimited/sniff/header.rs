//! Whether the first record of a table names its columns.

use std::ops::Range;

use super::cells::{Cell, classify};
use super::records;
use crate::chunk::columns::{TYPED_NULLS, trim, unquote};
use crate::delimited::Dialect;
use crate::delimited::preamble::after_lines;

/// Records that are looked at.
const MOST: usize = 100;

/// A header is the rule. It is none where a column's first cell is a number or a date as those below it
/// are, and not more speaks for a header: words over numbers, the empty corner of a matrix, or (less) a plain
/// word (`gene`) over what is none.
pub(super) fn has(bytes: &[u8], complete: bool, dialect: &Dialect, skip_rows: usize) -> bool {
    let Some((head, votes)) = votes(bytes, complete, dialect, skip_rows) else {
        return true;
    };
    let count = |wanted: Vote| votes.iter().filter(|vote| **vote == wanted).count();
    // 2019, 2020, 2021 over numbers are names, as numbers of samples are.
    let number = |(vote, value): (&Vote, &Vec<u8>)| {
        let text = std::str::from_utf8(trim(value)).ok()?;
        (*vote == Vote::Row).then(|| text.parse::<i64>().ok())
    };
    let rows: Vec<Option<i64>> = votes.iter().zip(&head).filter_map(number).collect();
    let in_turn = |pair: &[Option<i64>]| match pair {
        [Some(a), Some(b)] => a.checked_add(1) == Some(*b),
        _ => false,
    };
    let labels = rows.len() > 1 && rows.windows(2).all(in_turn);
    let against = if labels { 0 } else { count(Vote::Row) };
    let typed_row = votes.iter().zip(&head).any(|(vote, value)| {
        *vote == Vote::Row && matches!(classify(value), Cell::Float | Cell::Date)
    });
    match (count(Vote::Name), count(Vote::Word)) {
        (0, 0) => against == 0,
        // A plain word over words may be the first of them.
        (0, _) => against < 2 && !typed_row,
        (1, _) => {
            against < 2
                || head
                    .iter()
                    .zip(&votes)
                    .any(|(h, v)| *v == Vote::Name && is_word(h))
        }
        _ => true,
    }
}

/// Whether a column shows that the first record names the columns.
pub(super) fn is_certain(
    bytes: &[u8],
    complete: bool,
    dialect: &Dialect,
    skip_rows: usize,
) -> bool {
    votes(bytes, complete, dialect, skip_rows)
        .is_some_and(|(_, votes)| votes.contains(&Vote::Name) && !votes.contains(&Vote::Row))
}

/// Which columns are of numbers or dates, below the first record.
pub(super) fn typed(
    bytes: &[u8],
    complete: bool,
    dialect: &Dialect,
    skip_rows: usize,
) -> Vec<bool> {
    match columns(bytes, complete, dialect, skip_rows) {
        Some((_, below)) => below.iter().map(|below| is_typed(below)).collect(),
        None => Vec::new(),
    }
}

/// The cells of the first record, and what each speaks for.
fn votes(
    bytes: &[u8],
    complete: bool,
    dialect: &Dialect,
    skip_rows: usize,
) -> Option<(Vec<Vec<u8>>, Vec<Vote>)> {
    let (head, below) = columns(bytes, complete, dialect, skip_rows)?;
    let votes = head
        .iter()
        .zip(&below)
        .enumerate()
        .map(|(i, (head, below))| vote(head, below, i == 0))
        .collect();
    Some((head, votes))
}

/// The cells of the first record, and those below each.
type Columns = (Vec<Vec<u8>>, Vec<Vec<Vec<u8>>>);

fn columns(bytes: &[u8], complete: bool, dialect: &Dialect, skip_rows: usize) -> Option<Columns> {
    let at = after_lines(bytes, dialect.record_end.byte(), skip_rows)?;
    let mut rows = records(bytes, at, complete, dialect).take(MOST);
    let first = rows.next()?;
    let value = |field: &Range<usize>| unquote(dialect, &bytes[field.clone()]).0.into_owned();
    let head: Vec<Vec<u8>> = first.fields.iter().map(value).collect();
    let mut below: Vec<Vec<Vec<u8>>> = vec![Vec::new(); head.len()];
    for row in rows.filter(|row| row.fields.len() == head.len()) {
        for (column, field) in below.iter_mut().zip(&row.fields) {
            column.push(value(field));
        }
    }
    Some((head, below))
}

/// What a column's first cell speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vote {
    /// A header: words over numbers or dates, or the empty corner of a matrix.
    Name,
    /// A header, by its spelling only.
    Word,
    /// A row.
    Row,
    None,
}

fn filled(below: &[Vec<u8>]) -> Vec<&Vec<u8>> {
    below
        .iter()
        .filter(|value| !trim(value).is_empty())
        .collect()
}

/// The share of cells that are of these kinds.
fn share(filled: &[&Vec<u8>], wanted: &[Cell]) -> f64 {
    let n = filled
        .iter()
        .filter(|value| wanted.contains(&classify(value)));
    n.count() as f64 / filled.len().max(1) as f64
}

/// Whether nearly all cells are numbers, or dates.
fn is_typed(below: &[Vec<u8>]) -> bool {
    let filled = filled(below);
    share(&filled, &[Cell::Integer, Cell::Float]) >= 0.8 || share(&filled, &[Cell::Date]) >= 0.8
}

fn vote(head: &[u8], below: &[Vec<u8>], first: bool) -> Vote {
    let filled = filled(below);
    let share = |wanted: &[Cell]| share(&filled, wanted);
    let typed = is_typed(below);
    match classify(head) {
        Cell::Text | Cell::Odd if typed && is_missing(head) => Vote::None,
        Cell::Text | Cell::Odd if typed => Vote::Name,
        Cell::Text if filled.len() >= 3 && is_word(head) => {
            match filled.iter().any(|value| is_word(value)) {
                true => Vote::None,
                false => Vote::Word,
            }
        }
        Cell::Empty if first && !filled.is_empty() && filled.len() == below.len() => Vote::Name,
        cell @ (Cell::Integer | Cell::Float | Cell::Date) if share(&[cell]) >= 0.5 => Vote::Row,
        _ => Vote::None,
    }
}

/// Records that the header is of: 2 where the second has units over columns of numbers or dates, and
/// nothing else there.
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
    let mut units = 0;
    for (i, field) in second.fields.iter().enumerate() {
        let filled = below.iter().filter(|row| row[i] != Cell::Empty);
        let is_typed =
            |row: &&Vec<Cell>| matches!(row[i], Cell::Integer | Cell::Float | Cell::Date);
        let n = filled.clone().count();
        // (A unit that comes again below is a value.)
        let typed = n > 0 && filled.filter(is_typed).count() == n;
        match cell(field) {
            Cell::Empty => {}
            Cell::Text if !typed => {}
            Cell::Text if is_unit(&unquote(dialect, &bytes[field.clone()]).0) => units += 1,
            _ => return 1,
        }
    }
    match units >= 2 {
        true => 2,
        false => 1,
    }
}

/// Rows below a second header row, of which its columns are judged.
const LEAST: usize = 3;

/// What units are written with.
const UNITS: &[&str] = &[
    "%", "a", "au", "bp", "bpm", "c", "cells", "cfu", "cm", "copies", "count", "counts", "cpm",
    "ct", "cm2", "cm3", "d", "da", "date", "day", "days", "dd", "dl", "fl", "fpkm", "g", "h",
    "hour", "hours", "hr", "hrs", "hz", "iu", "k", "kb", "kcal", "kda", "kg", "kj", "l", "log",
    "log10", "log2", "m", "m2", "m3", "mb", "mg", "min", "minutes", "miu", "ml", "mm", "mmhg",
    "mmol", "mol", "month", "months", "mv", "n", "ng", "nl", "nm", "nmol", "npx", "pa", "percent",
    "pg", "pmol", "ppm", "ratio", "rfu", "rpkm", "s", "score", "sec", "seconds", "tpm", "u", "ug",
    "ul", "um", "umol", "unit", "units", "week", "weeks", "year", "years", "yr", "yrs", "yyyy",
];

/// `mg/dl`, `(years)`, `kg/m2`, `°C`: words of units and what joins them.
fn is_unit(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(trim(value)).to_lowercase();
    let text = text.replace(['µ', 'μ'], "u").replace('°', "");
    let joins = |c: char| {
        matches!(
            c,
            '/' | ' ' | '(' | ')' | '[' | ']' | '*' | '^' | '.' | '-' | '·'
        )
    };
    let mut words = text.split(joins).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| UNITS.contains(&word))
}

/// Whether this stands for a value that is not there, or that could not be measured.
pub(super) fn is_missing(value: &[u8]) -> bool {
    let odd = [
        "#N/A",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "--",
        "?",
        "*",
        "ND",
        "n.d.",
        "n/d",
        "not done",
        "LOD",
        "BLQ",
        "BLOQ",
        "BDL",
        "missing",
        "unknown",
        "undetermined",
        "negative",
        "positive",
        "overflow",
    ];
    let value = trim(value);
    value.starts_with(b"<")
        || value.starts_with(b">")
        || TYPED_NULLS
            .iter()
            .chain(&odd)
            .any(|known| known.as_bytes().eq_ignore_ascii_case(value))
}

/// Whether this is written as names of columns are: in small letters.
fn is_word(value: &[u8]) -> bool {
    let small = |byte: &u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b' ');
    trim(value).iter().all(small)
}
