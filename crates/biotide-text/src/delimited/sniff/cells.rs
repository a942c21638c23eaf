//! What cells of a table look like.

use crate::chunk::columns::{Number, TemporalClass, classify_number, classify_temporal, trim};

/// What a cell is, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Empty,
    Integer,
    Float,
    Date,
    /// Words, names, identifiers.
    Text,
    /// Holds what looks like a delimiter or half of a quote.
    Odd,
}

pub(super) fn classify(value: &[u8]) -> Cell {
    let value = trim(value);
    if value.is_empty() {
        return Cell::Empty;
    }
    match classify_number(value) {
        Number::Int(_) | Number::LeadingZero => return Cell::Integer,
        Number::Float | Number::Infinity | Number::Code => return Cell::Float,
        Number::None => {}
    }
    if is_marked_number(value) {
        return Cell::Float;
    }
    if classify_temporal(value) != TemporalClass::None {
        return Cell::Date;
    }
    let odd = |pair: &[u8]| match pair[0] {
        b'\t' | b';' | b'|' | b'"' | b'\n' | b'\r' => true,
        // In prose a blank follows.
        b',' => pair.get(1).is_some_and(|&next| next != b' '),
        _ => false,
    };
    let is_odd = value.windows(2).any(odd) || value.last().is_some_and(|&last| odd(&[last]));
    match is_odd || value.starts_with(b"'") && value.len() > 1 {
        true => Cell::Odd,
        false => Cell::Text,
    }
}

/// `1,5`, `1.234,5`, `1,234`, `12 %`.
fn is_marked_number(value: &[u8]) -> bool {
    let value = value.strip_suffix(b"%").unwrap_or(value).trim_ascii_end();
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    digits.first().is_some_and(u8::is_ascii_digit)
        && digits.last().is_some_and(u8::is_ascii_digit)
        && digits
            .iter()
            .all(|&byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'))
}
