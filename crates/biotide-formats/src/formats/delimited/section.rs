//! Which of a file's tables is read, where several stand one below the other.

use std::ops::Range;

use biotide_common::BiotideError;
use biotide_text::delimited::{Given, TableSpan, tables};
use biotide_text::sample::Sample;

use crate::spec::SampledFile;

/// How a file's tables are told apart, and which is read: the same answer for the same first bytes.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) given: Given,
    /// Its number, from 1; unless given, that of the longest.
    pub(super) table: Option<usize>,
}

/// The table of a file that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// All tables of the file.
    pub(super) tables: Vec<TableSpan>,
    /// Which of them is read, from 0.
    pub(super) chosen: usize,
}

impl Choice {
    /// Bytes that are looked at, where there are so many.
    pub(super) const BYTES: usize = Sample::HEAD_BYTES;

    /// The table to read of a file that starts so; `None` where it has one only.
    pub(super) fn of(
        &self,
        file: &str,
        head: &[u8],
        complete: bool,
    ) -> Result<Option<Section>, BiotideError> {
        if self.given.skip_rows.is_some() && self.table.is_none() {
            return Ok(None);
        }
        let looked = &head[..head.len().min(Self::BYTES)];
        let tables = tables(looked, complete && looked.len() == head.len(), &self.given);
        let chosen = match self.table {
            Some(1) if tables.is_empty() => return Ok(None),
            Some(0) => {
                let problem = "table = 0, but tables are counted from 1";
                return Err(BiotideError::file(file, problem));
            }
            Some(number) if (1..=tables.len()).contains(&number) => number - 1,
            Some(number) => {
                let there = match tables.len() {
                    0 => "it has one table".to_owned(),
                    n => format!("it has {n}: {}", list(&tables)),
                };
                let problem = format!("table = {number}, but {there}");
                return Err(BiotideError::file(file, problem));
            }
            None if tables.is_empty() => return Ok(None),
            // Of equals the first. One that goes on beyond what was looked at is long.
            None => {
                let longest = tables
                    .iter()
                    .enumerate()
                    .max_by_key(|(i, table)| (table.open, table.rows, usize::MAX - i));
                longest.map_or(0, |(i, _)| i)
            }
        };
        Ok(Some(Section { tables, chosen }))
    }
}

impl Section {
    fn span(&self) -> &TableSpan {
        &self.tables[self.chosen]
    }

    /// Physical lines before it.
    pub(super) fn lines(&self) -> usize {
        self.span().lines
    }

    /// Its bytes, of so many that are there.
    pub(super) fn bytes(&self, there: usize) -> Range<usize> {
        let TableSpan { bytes, open, .. } = self.span();
        bytes.start..if *open { there } else { bytes.end }
    }

    /// Where it ends, if another table stands below it.
    pub(super) fn end(&self) -> Option<u64> {
        let last = self.chosen + 1 == self.tables.len();
        (!last).then_some(self.span().bytes.end as u64)
    }

    /// The sample as if it were of a file of this table alone.
    pub(super) fn of_sample(&self, file: &SampledFile) -> SampledFile {
        let closed = self.end().is_some();
        let head = file.sample.head[self.bytes(file.sample.head.len())].to_vec();
        SampledFile {
            sample: Sample {
                head,
                complete: closed || file.sample.complete,
                pieces: match closed {
                    true => Vec::new(),
                    false => file.sample.pieces.clone(),
                },
            },
            ..file.clone()
        }
    }

    /// What to tell of the tables.
    pub(super) fn warning(&self) -> String {
        let n = self.tables.len();
        let other = if self.chosen == 0 { 2 } else { 1 };
        format!(
            "it has {n} tables: {}; number {} is read (table = {other} reads another)",
            list(&self.tables),
            self.chosen + 1
        )
    }
}

/// Where the first few tables stand.
fn list(tables: &[TableSpan]) -> String {
    const LISTED: usize = 10;
    let lines = |table: &TableSpan| match table.open {
        true => format!("from line {} on", table.lines + 1),
        false => format!(
            "lines {} to {}",
            table.lines + 1,
            table.lines + table.height
        ),
    };
    let shown: Vec<String> = tables.iter().take(LISTED).map(lines).collect();
    let more = if tables.len() > LISTED { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
