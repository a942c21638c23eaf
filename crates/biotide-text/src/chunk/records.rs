//! The records of a chunk: where the fields of every good row are, and what is wrong with the rest.

use std::ops::Range;

use super::Flaw;
use crate::scan::Split;

/// How indexing a chunk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Every record that starts before the limit is done; the next one starts here.
    Done(usize),
    /// The record that starts here needs more bytes.
    NeedMore(usize),
    /// The record that starts here is longer than `max_record_bytes` and its end is not in the chunk:
    /// it was rejected, with the bytes of the chunk for its length; reading resumes after the first
    /// newline that follows the chunk. [`RecordIndex::lines`] ends where the record starts.
    TooLong(usize),
}

/// The records of one chunk. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub struct RecordIndex {
    /// Where each row starts.
    pub(crate) starts: Vec<u32>,
    /// Where each field ends, `stride` of them a row. A field that a short row lacks ends before it
    /// starts. With `pairs`: where each value starts and ends, and in the end of a row where the record
    /// ends.
    pub(crate) split: Split,
    /// Positions per row.
    pub(crate) stride: usize,
    /// Whether fields may stand in any order, with something else between them (JSON).
    pub(crate) pairs: bool,
    /// Rows before each record that is no row, in order: gives rows their record number.
    pub(crate) gaps: Vec<u32>,
    /// Records of the wrong shape, in order.
    pub(crate) bad: Vec<Flaw>,
    /// Bytes of the chunk that the index covers.
    pub(crate) covered: Range<usize>,
    /// Whether a field may be quoted or escaped.
    pub(crate) quoted: bool,
    /// Whether repaired rows may hold bytes that are not UTF-8.
    pub(crate) dirty: bool,
    /// Rows where only their number was asked for; `starts` is then empty.
    pub(crate) counted: u64,
    pub(crate) blank: u64,
    pub(crate) lines: u64,
}

impl RecordIndex {
    /// Of one row that is one field of so many bytes.
    pub(crate) fn of_field(length: usize) -> Self {
        let mut index = Self::default();
        index.reset(1, 0);
        index.starts.push(0);
        index.split.ends.push(length as u32);
        index
    }

    /// Rows of good (or repaired) shape.
    pub fn rows(&self) -> usize {
        self.starts.len() + self.counted as usize
    }

    /// Records: rows, rejected and blank ones.
    pub fn records(&self) -> u64 {
        self.rows() as u64 + self.gaps.len() as u64
    }

    /// Rejected records.
    pub fn rejected(&self) -> u64 {
        self.gaps.len() as u64 - self.blank
    }

    /// Blank records.
    pub fn blank(&self) -> u64 {
        self.blank
    }

    /// Newlines passed.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether rows were only counted.
    pub fn is_count(&self) -> bool {
        self.counted > 0
    }

    /// Bytes that the index itself takes.
    pub fn memory(&self) -> usize {
        (self.starts.capacity() + self.split.ends.capacity() + self.split.newlines.capacity()) * 4
    }

    pub(crate) fn reset(&mut self, stride: usize, from: usize) {
        self.starts.clear();
        self.split.clear();
        self.gaps.clear();
        self.bad.clear();
        self.stride = stride;
        self.covered = from..from;
        (self.quoted, self.dirty) = (false, false);
        (self.counted, self.blank, self.lines) = (0, 0, 0);
    }

    /// Where the text of a row ends: further than its last field if it has lost some.
    pub(crate) fn row_end(&self, row: usize) -> usize {
        let start = self.starts[row] as usize;
        match self
            .bad
            .binary_search_by_key(&start, |bad| bad.bytes().start)
        {
            Ok(i) => self.bad[i].bytes().end,
            Err(_) => self.last_end(row).max(start),
        }
    }

    /// Where the last field of a row ends.
    pub(crate) fn last_end(&self, row: usize) -> usize {
        let end = ((row + 1) * self.stride).checked_sub(1);
        end.map_or(self.starts[row], |at| self.split.ends[at]) as usize
    }

    /// The record number of a row, counted from 0 in this chunk.
    pub(crate) fn record_of(&self, row: usize) -> u64 {
        row as u64 + self.gaps.partition_point(|&rows| rows as usize <= row) as u64
    }

    pub(crate) fn gap(&mut self) {
        self.gaps.push(self.starts.len() as u32);
    }

    /// Gives bad records their line: the newlines of the chunk before them.
    pub(crate) fn place(&mut self, bytes: &[u8], newline: u8) {
        let mut at = self.covered.start;
        let mut line = 0;
        for bad in &mut self.bad {
            let start = bad.bytes().start.max(at);
            let between = &bytes[at..start];
            line += memchr::memchr_iter(newline, between).count() as u32;
            at = start;
            bad.line = line;
        }
    }
}
