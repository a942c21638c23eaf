//! Holds the values of a chunk against the layout's rules.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

use super::ChunkDecoder;
use super::columns::{BadValue, Fields, Rows};
use crate::delimited::{Identifiers, Required, Words};
use crate::problem::Reason;

impl ChunkDecoder {
    /// Values for which rows are set aside, whatever the query reads: so the reject log does not depend on it.
    pub(super) fn check_rules(&self, bytes: &Buffer, rows: Rows<'_>, bad: &mut Vec<BadValue>) {
        let rules = &self.layout.rules;
        for required in &rules.required {
            self.check_required(required, bytes, rows, bad);
        }
        for identifiers in &rules.identifiers {
            let fields = self.fields(bytes, identifiers.column, rows, false);
            check_identifiers(identifiers, &fields, bad);
        }
        for words in &rules.words {
            let fields = self.fields(bytes, words.column, rows, false);
            check_words(*words, &fields, bad);
        }
    }

    /// What is wrong with a value: of several identifiers the first that is.
    pub(super) fn at_fault<'a>(&self, column: usize, value: &'a [u8]) -> &'a [u8] {
        let mut rules = self.layout.rules.identifiers.iter();
        match rules.find(|rule| rule.column == column && rule.several) {
            Some(rule) => items(value)
                .find(|item| problem(rule, item, &mut Vec::new()).is_some())
                .unwrap_or(value),
            None => value,
        }
    }

    fn check_required(
        &self,
        required: &Required,
        bytes: &Buffer,
        rows: Rows<'_>,
        bad: &mut Vec<BadValue>,
    ) {
        let mut missing = |column: usize, row| {
            bad.push(BadValue {
                row,
                column: column as u32,
                reason: Reason::MissingValue,
            });
        };
        let applies = required.when.as_ref().map(|when| {
            let fields = self.fields(bytes, when.column, rows, false);
            let mut applies = Vec::with_capacity(rows.len());
            fields.for_each(|_, start, end| {
                let (value, _) = fields.value(start, end);
                applies.push((value.trim_ascii() == when.value.as_bytes()) == when.is);
            });
            applies
        });
        let shown = required
            .column
            .or(required.when.as_ref().map(|when| when.column));
        let Some(shown) = shown else { return };
        let fields = self.fields(bytes, shown, rows, false);
        let mut i = 0;
        fields.for_each(|row, start, end| {
            let applies = applies.as_ref().is_none_or(|applies| applies[i]);
            i += 1;
            if applies && (required.column.is_none() || is_missing(&fields, start, end)) {
                missing(shown, row);
            }
        });
    }
}

fn is_missing(fields: &Fields<'_>, start: usize, end: usize) -> bool {
    let (value, _) = fields.value(start, end);
    let value = value.trim_ascii();
    // (For an identifier "" is no value either, quoted or not.)
    value.is_empty() || fields.is_null(value, false, false)
}

fn check_identifiers(rule: &Identifiers, fields: &Fields<'_>, bad: &mut Vec<BadValue>) {
    // Most rows have the prefix of the row before them.
    let mut last: Vec<u8> = Vec::new();
    fields.for_each(|row, start, end| {
        let (value, quoted) = fields.value(start, end);
        if value.is_empty() || fields.is_null(&value, quoted, false) {
            return;
        }
        // (One entry a value is enough.)
        let reason = match rule.several && memchr::memchr(b'|', &value).is_some() {
            true => items(&value).find_map(|item| problem(rule, item, &mut last)),
            false => problem(rule, &value, &mut last),
        };
        if let Some(reason) = reason {
            bad.push(BadValue {
                row,
                column: rule.column as u32,
                reason,
            });
        }
    });
}

fn check_words(rule: Words, fields: &Fields<'_>, bad: &mut Vec<BadValue>) {
    fields.for_each(|row, start, end| {
        let (value, quoted) = fields.value(start, end);
        let is_known = |(word, _): &(&str, &str)| word.as_bytes() == &*value;
        if value.is_empty()
            || fields.is_null(&value, quoted, false)
            || rule.words.iter().any(is_known)
        {
            return;
        }
        bad.push(BadValue {
            row,
            column: rule.column as u32,
            reason: Reason::UnknownValue,
        });
    });
}

fn problem(rule: &Identifiers, value: &[u8], last: &mut Vec<u8>) -> Option<Reason> {
    if rule.words.iter().any(|(word, _)| word.as_bytes() == value) {
        return None;
    }
    let value = match value {
        [b'<', iri @ .., b'>'] if rule.strict => iri,
        value => value,
    };
    let Some(at) = memchr::memchr(b':', value) else {
        return rule.strict.then_some(Reason::NoIdentifier);
    };
    if !rule.strict && value[at..].starts_with(b"://") {
        return None;
    }
    let prefix = &value[..at];
    if !last.is_empty() && *last == prefix {
        return None;
    }
    if !rule.prefixes.contains(prefix) {
        // (Rare: most sets have no IRIs.)
        let is_of = |iri: &Vec<u8>| value.starts_with(iri) && value.len() > iri.len();
        let is_iri = value[at..].starts_with(b"://") && rule.iris.iter().any(is_of);
        return (!is_iri).then_some(Reason::UndeclaredPrefix);
    }
    last.clear();
    last.extend_from_slice(prefix);
    None
}

/// What stands between bars that no backslash escapes. (A backslash escapes a bar or a backslash only.)
fn items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let value = rest.take()?;
        let mut at = 0;
        while let Some(&byte) = value.get(at) {
            match (byte, value.get(at + 1)) {
                (b'\\', Some(b'|' | b'\\')) => at += 2,
                (b'|', _) => {
                    rest = value.get(at + 1..);
                    return value.get(..at);
                }
                _ => at += 1,
            }
        }
        Some(value)
    })
}

impl Fields<'_> {
    /// Numbers beyond the bounds of their column are bad values.
    pub(super) fn bounded(&self, column: ArrayRef, bad: &mut Vec<BadValue>) -> ArrayRef {
        let Some(bounds) = self.layout.rules.bounds_of(self.column) else {
            return column;
        };
        let numbers = column.as_primitive::<Float64Type>();
        let (low, high) = (f64::from(bounds.low), f64::from(bounds.high));
        let good = |row: usize| (low..=high).contains(&numbers.value(row));
        let good =
            BooleanBuffer::collect_bool(numbers.len(), |row| numbers.is_valid(row) && good(row));
        if good.count_set_bits() + numbers.null_count() == numbers.len() {
            return column;
        }
        for row in (0..numbers.len()).filter(|&row| numbers.is_valid(row) && !good.value(row)) {
            bad.push(BadValue {
                row: match self.rows {
                    Rows::All(_) => row as u32,
                    Rows::Some(rows) => rows[row],
                },
                column: self.column as u32,
                reason: Reason::OutOfRange,
            });
        }
        let bounded = numbers.clone().into_parts();
        let nulls = Some(NullBuffer::new(good));
        Arc::new(arrow_array::Float64Array::new(bounded.1, nulls))
    }
}

#[cfg(test)]
mod tests {
    use super::items;

    #[test]
    fn an_escaped_bar_splits_nothing() {
        let split = |text: &'static str| -> Vec<&str> {
            let items = items(text.as_bytes());
            items
                .map(|item| std::str::from_utf8(item).unwrap())
                .collect()
        };
        assert_eq!(split("a|b"), ["a", "b"]);
        assert_eq!(split(r"a\|b|c"), [r"a\|b", "c"]);
        assert_eq!(split(r"a\\|b"), [r"a\\", "b"]);
        assert_eq!(split(r"a\b|"), [r"a\b", ""]);
    }
}
