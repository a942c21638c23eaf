//! Whether the first record of a table names its columns.

use super::cells::{Cell, classify};
use super::records;
use crate::delimited::Dialect;
use crate::delimited::columns::unquote;

/// Records that are looked at.
const MOST: usize = 100;

/// A header is the rule. It is none where a column's first cell is a number or a date as those below it
/// are, and no other speaks for a header: words over numbers.
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
    let cell =
        |field: &std::ops::Range<usize>| classify(&unquote(dialect, &bytes[field.clone()]).0);
    let head: Vec<Cell> = first.fields.iter().map(cell).collect();
    let mut below: Vec<Vec<Cell>> = vec![Vec::new(); head.len()];
    for row in rows.filter(|row| row.fields.len() == head.len()) {
        for (column, field) in below.iter_mut().zip(&row.fields) {
            column.push(cell(field));
        }
    }
    let mut is_row = false;
    for (head, below) in head.iter().zip(&below) {
        let filled: Vec<Cell> = below
            .iter()
            .copied()
            .filter(|&c| c != Cell::Empty)
            .collect();
        let share = |wanted: Cell| {
            let n = filled.iter().filter(|&&cell| cell == wanted).count();
            n as f64 / filled.len().max(1) as f64
        };
        let typed = share(Cell::Integer) + share(Cell::Float) >= 0.8 || share(Cell::Date) >= 0.8;
        match head {
            Cell::Text | Cell::Odd if typed => return true,
            Cell::Integer | Cell::Float | Cell::Date if share(*head) >= 0.5 => is_row = true,
            _ => {}
        }
    }
    !is_row
}
