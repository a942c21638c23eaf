//! How alike the records of a text are under a dialect.

use std::collections::BTreeMap;

use super::cells::{Cell, classify};
use super::records;
use super::start::is_comment;
use crate::chunk::columns::unquote;
use crate::delimited::preamble::SampleRecord;
use crate::delimited::{Delimiter, Dialect};

/// The shape of most records, and how much speaks for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    fields: usize,
    /// The share of the records, from the first of this shape on, that have it.
    consistency: f64,
    /// The share of all records.
    coverage: f64,
    /// Whether the first record that is neither comment nor title has it, or is one field short, as R's
    /// header is.
    starts_at_once: bool,
    /// The share of the cells that look like values.
    values: f64,
    /// Records whose quotes are not in order.
    stray: usize,
    /// Whether a column is empty in all records, the first included.
    hollow: bool,
}

/// How much a blank after the delimiter speaks against a dialect: the blank may be part of the delimiter.
const PADDED: f64 = 0.3;

/// Titles that may stand above aligned columns.
const TITLES: usize = 20;

impl Shape {
    pub(super) fn of(bytes: &[u8], complete: bool, dialect: &Dialect) -> Self {
        let records: Vec<_> = records(bytes, 0, complete, dialect).collect();
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for record in &records {
            *counts.entry(record.fields.len()).or_default() += 1;
        }
        let weight = |(&fields, &times): (&usize, &usize)| times as f64 * gain(fields);
        let best = counts
            .iter()
            .map(|entry| (weight(entry), *entry.0))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let fields = best.map_or(1, |(_, fields)| fields);
        // What stands before the first such record is before the table.
        let is_one = |record: &&SampleRecord| record.fields.len() == fields;
        let first = records
            .iter()
            .position(|record| is_one(&record))
            .unwrap_or(0);
        let table = &records[first..];
        let text = |record: &&SampleRecord| &bytes[record.fields[0].start..record.end];
        let plain = |record: &&SampleRecord| !is_comment(text(record));
        let is_row = |record: &SampleRecord| {
            let n = record.fields.len();
            n == fields || n > 1 && n + 1 == fields
        };
        // Three columns under titles of some words are a table; two may be the halves of a list's values.
        let is_title =
            |record: &SampleRecord| record.fields.len() == 1 && text(&record).contains(&b' ');
        let starts_at_once = records.iter().find(plain).is_some_and(is_row)
            || fields > 2 && records[..first].iter().filter(plain).all(is_title);
        // Titles above aligned columns have words too, and are no narrower: a blank line tells them apart.
        let apart = |i: &usize| {
            let gap = records[i - 1].end..records[*i].fields[0].start;
            let newline = dialect.record_end.byte();
            memchr::memchr_iter(newline, &bytes[gap]).nth(1).is_some()
        };
        let starts_at_once = starts_at_once
            || dialect.delimiter == Delimiter::Blanks
                && fields > 2
                && (1..=TITLES).contains(&first)
                && apart(&first);
        let alike = table.iter().filter(is_one);
        let (mut cells, mut odd, mut n, mut stray) = (0usize, 0.0, 0usize, 0usize);
        let mut filled = vec![false; fields];
        for record in alike {
            n += 1;
            for (filled, field) in filled.iter_mut().zip(&record.fields) {
                *filled |= !field.is_empty();
            }
            stray += usize::from(record.stray);
            for field in &record.fields {
                let (value, _) = unquote(dialect, &bytes[field.clone()]);
                cells += 1;
                if classify(&value) == Cell::Odd {
                    odd += 1.0;
                } else if value.len() > 1 && value.starts_with(b" ") {
                    odd += PADDED;
                }
            }
        }
        Self {
            fields,
            consistency: n as f64 / table.len().max(1) as f64,
            starts_at_once,
            coverage: n as f64 / records.len().max(1) as f64,
            values: 1.0 - odd / cells.max(1) as f64,
            stray,
            hollow: filled.contains(&false),
        }
    }

    /// Whether a column is empty in all records, the first included.
    pub(super) fn hollow(&self) -> bool {
        self.hollow
    }

    /// Fields of most records.
    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// Records whose quotes are not in order.
    pub(super) fn stray(&self) -> usize {
        self.stray
    }

    /// Whether the text starts with such a record.
    pub(super) fn starts_at_once(&self) -> bool {
        self.starts_at_once
    }

    /// The share of records, from the first of this shape on, that have it.
    pub(super) fn consistency(&self) -> f64 {
        self.consistency
    }

    /// The share of all records that have it.
    pub(super) fn coverage(&self) -> f64 {
        self.coverage
    }

    /// 0 where nothing is split, 1 for many fields, all records alike, and nothing odd in a cell.
    pub(super) fn score(&self) -> f64 {
        self.consistency * self.coverage * gain(self.fields) * self.values
    }
}

/// What so many fields are worth: nothing is gained by one.
fn gain(fields: usize) -> f64 {
    1.0 - 1.0 / fields.max(1) as f64
}
