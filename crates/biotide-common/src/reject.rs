//! The reject log: every bad row and value of a statement. Bounded in memory: sorted runs go to disk and
//! are merged when the log is read, so that the order and the content are the same at any parallelism.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::error::BiotideError;

/// One bad row or value. Entries are unique by source, offset, column, reason and text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RejectRecord {
    /// The file's path or URL.
    pub source: String,
    /// Byte offset of the record, in the decompressed stream.
    pub offset: u64,
    /// The column, for a value.
    pub column: Option<String>,
    /// One of a closed list of codes.
    pub reason: String,
    /// Record number, from 1. Whoever refuses a row after it was read does not know it.
    pub record: Option<u64>,
    /// Physical line on which the record starts, from 1. 0: not known.
    pub line: u64,
    /// Length of the record in bytes.
    pub length: u64,
    /// One sentence for a person.
    pub message: String,
    /// The record's (the value's) text, bounded; bytes that are not UTF-8 are replaced.
    pub raw: String,
    /// `rejected`, `repaired` or `nulled`.
    pub action: String,
}

impl RejectRecord {
    fn memory(&self) -> usize {
        let texts = [
            &self.source,
            &self.reason,
            &self.message,
            &self.raw,
            &self.action,
        ];
        size_of::<Self>() + texts.iter().map(|text| text.capacity()).sum::<usize>()
    }

    fn same_entry(&self, other: &Self) -> bool {
        // (Rows of what is no file stand nowhere: they are told apart by what they hold.)
        (&self.source, self.offset, &self.column, &self.reason)
            == (&other.source, other.offset, &other.column, &other.reason)
            && self.raw == other.raw
    }
}

/// The schema of the log as a table.
pub fn reject_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![
        number("query_id"),
        text("source"),
        Field::new("record", DataType::Int64, true),
        number("line"),
        number("offset"),
        number("length"),
        text("column"),
        text("reason"),
        text("message"),
        text("raw"),
        text("action"),
    ]))
}

/// Log entries as a batch of [`reject_schema`].
pub fn reject_batch(query_id: u64, records: &[RejectRecord]) -> Result<RecordBatch, ArrowError> {
    fn number(records: &[RejectRecord], get: impl Fn(&RejectRecord) -> u64) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            records.iter().map(|r| get(r).cast_signed()),
        ))
    }
    fn text<'a>(
        records: &'a [RejectRecord],
        get: impl Fn(&'a RejectRecord) -> Option<&'a str>,
    ) -> ArrayRef {
        Arc::new(records.iter().map(get).collect::<StringArray>())
    }
    let record = records.iter().map(|r| r.record.map(u64::cast_signed));
    let record: ArrayRef = Arc::new(record.collect::<Int64Array>());
    let columns = vec![
        number(records, |_| query_id),
        text(records, |r| Some(&r.source)),
        record,
        number(records, |r| r.line),
        number(records, |r| r.offset),
        number(records, |r| r.length),
        text(records, |r| r.column.as_deref()),
        text(records, |r| Some(&r.reason)),
        text(records, |r| Some(&r.message)),
        text(records, |r| Some(&r.raw)),
        text(records, |r| Some(&r.action)),
    ];
    RecordBatch::try_new(reject_schema(), columns)
}

#[derive(Debug, Default)]
struct Inner {
    records: Vec<RejectRecord>,
    memory: usize,
    /// Sorted runs: JSON Lines in unnamed temporary files.
    runs: Vec<File>,
}

/// A log that holds at most [`RejectLog::MEMORY`] bytes in memory.
#[derive(Debug)]
pub struct RejectLog {
    inner: Mutex<Inner>,
    spill_dir: PathBuf,
    limit: usize,
}

impl RejectLog {
    /// Bytes held in memory before a run goes to disk.
    pub const MEMORY: usize = 8 << 20;

    /// An empty log.
    pub fn new(spill_dir: PathBuf) -> Self {
        Self {
            inner: Mutex::default(),
            spill_dir,
            limit: Self::MEMORY,
        }
    }

    /// The same with another bound.
    #[must_use]
    pub fn with_memory(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Adds entries, in any order.
    pub fn extend(&self, records: Vec<RejectRecord>) -> Result<(), BiotideError> {
        let mut inner = self.inner.lock();
        inner.memory += records.iter().map(RejectRecord::memory).sum::<usize>();
        inner.records.extend(records);
        if inner.memory > self.limit {
            let run = self.spill(&mut inner.records)?;
            inner.runs.push(run);
            inner.memory = 0;
        }
        Ok(())
    }

    /// Whether nothing was logged.
    pub fn is_empty(&self) -> bool {
        let inner = self.inner.lock();
        inner.records.is_empty() && inner.runs.is_empty()
    }

    fn spill(&self, records: &mut Vec<RejectRecord>) -> Result<File, BiotideError> {
        let what = || format!("writing the reject log to {}", self.spill_dir.display());
        let file =
            tempfile::tempfile_in(&self.spill_dir).map_err(|e| BiotideError::io(what(), e))?;
        records.sort_unstable();
        let mut out = BufWriter::new(file);
        for record in records.drain(..) {
            serde_json::to_writer(&mut out, &record)
                .map_err(|e| BiotideError::io(what(), e.into()))?;
            out.write_all(b"\n")
                .map_err(|e| BiotideError::io(what(), e))?;
        }
        out.into_inner()
            .map_err(|e| BiotideError::io(what(), e.into_error()))
    }

    /// The entries in order: by source, offset, column, reason, text; each once.
    pub fn read(&self) -> Result<RejectReader, BiotideError> {
        let mut inner = self.inner.lock();
        inner.records.sort_unstable();
        let mut reader = RejectReader {
            heap: BinaryHeap::new(),
            runs: Vec::new(),
            last: None,
        };
        reader
            .runs
            .push(Run::Memory(inner.records.clone().into_iter()));
        for file in &inner.runs {
            reader.runs.push(Run::Disk(Box::new(DiskRun::new(file)?)));
        }
        for i in 0..reader.runs.len() {
            reader.advance(i)?;
        }
        Ok(reader)
    }
}

#[derive(Debug)]
enum Run {
    Memory(std::vec::IntoIter<RejectRecord>),
    Disk(Box<DiskRun>),
}

/// Reads a run through its own position, so that a log can be read more than once at a time.
#[derive(Debug)]
struct DiskRun {
    reader: BufReader<PositionedFile>,
    line: String,
}

#[derive(Debug)]
struct PositionedFile {
    file: File,
    at: u64,
}

impl std::io::Read for PositionedFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        #[cfg(unix)]
        let n = std::os::unix::fs::FileExt::read_at(&self.file, buffer, self.at)?;
        #[cfg(windows)]
        let n = std::os::windows::fs::FileExt::seek_read(&self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl DiskRun {
    fn new(file: &File) -> Result<Self, BiotideError> {
        let file = file
            .try_clone()
            .map_err(|e| BiotideError::io("reading the reject log", e))?;
        let reader = BufReader::new(PositionedFile { file, at: 0 });
        Ok(Self {
            reader,
            line: String::new(),
        })
    }

    fn next(&mut self) -> Result<Option<RejectRecord>, BiotideError> {
        let failed = |e| BiotideError::io("reading the reject log", e);
        self.line.clear();
        if self.reader.read_line(&mut self.line).map_err(failed)? == 0 {
            return Ok(None);
        }
        serde_json::from_str(&self.line)
            .map(Some)
            .map_err(|e| failed(e.into()))
    }
}

/// Reads a log in order.
#[derive(Debug)]
pub struct RejectReader {
    heap: BinaryHeap<Reverse<(RejectRecord, usize)>>,
    runs: Vec<Run>,
    last: Option<RejectRecord>,
}

impl RejectReader {
    fn advance(&mut self, run: usize) -> Result<(), BiotideError> {
        let next = match &mut self.runs[run] {
            Run::Memory(records) => records.next(),
            Run::Disk(disk) => disk.next()?,
        };
        if let Some(record) = next {
            self.heap.push(Reverse((record, run)));
        }
        Ok(())
    }

    /// At most `n` more entries; empty at the end.
    pub fn take_batch(&mut self, n: usize) -> Result<Vec<RejectRecord>, BiotideError> {
        let mut out = Vec::new();
        while out.len() < n {
            let Some(Reverse((record, run))) = self.heap.pop() else {
                break;
            };
            self.advance(run)?;
            if self
                .last
                .as_ref()
                .is_some_and(|last| last.same_entry(&record))
            {
                continue;
            }
            self.last = Some(record.clone());
            out.push(record);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: u64) -> RejectRecord {
        RejectRecord {
            source: "f.tsv".into(),
            offset,
            column: None,
            reason: "too_few_fields".into(),
            record: Some(offset),
            line: offset,
            length: 1,
            message: String::new(),
            raw: "x\ty".into(),
            action: "rejected".into(),
        }
    }

    #[test]
    fn entries_without_a_place_are_told_apart_by_their_text() {
        let log = RejectLog::new(std::env::temp_dir());
        let of = |raw: &str| RejectRecord {
            raw: raw.to_owned(),
            ..record(0)
        };
        log.extend(vec![of("b"), of("a"), of("b")]).unwrap();
        let all = log.read().unwrap().take_batch(10).unwrap();
        assert_eq!(all, [of("a"), of("b")]);
    }

    #[test]
    fn a_record_that_is_not_known_is_null() {
        let log = RejectLog::new(std::env::temp_dir()).with_memory(0);
        let of = |record, offset| RejectRecord {
            record,
            ..self::record(offset)
        };
        log.extend(vec![of(None, 1), of(Some(7), 2)]).unwrap();
        let all = log.read().unwrap().take_batch(10).unwrap();
        let batch = reject_batch(1, &all).unwrap();
        let expected: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(7)]));
        assert_eq!(batch.column_by_name("record"), Some(&expected));
    }

    #[test]
    fn a_log_that_spills_reads_as_one_that_does_not() {
        let whole = RejectLog::new(std::env::temp_dir());
        let spilling = RejectLog::new(std::env::temp_dir()).with_memory(2000);
        for i in (0..500u64).rev().chain(100..200) {
            whole.extend(vec![record(i)]).unwrap();
            spilling.extend(vec![record(i)]).unwrap();
        }
        assert!(!spilling.inner.lock().runs.is_empty());
        let all = whole.read().unwrap().take_batch(10_000).unwrap();
        assert_eq!(all.len(), 500, "each entry once");
        assert!(all.is_sorted());
        assert_eq!(spilling.read().unwrap().take_batch(10_000).unwrap(), all);
        assert_eq!(
            spilling.read().unwrap().take_batch(10_000).unwrap(),
            all,
            "and again"
        );
        assert_eq!(reject_batch(1, &all).unwrap().num_rows(), 500);
    }
}
