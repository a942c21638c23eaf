//! Counts of one scan of one file. They close: for a scan that reaches its end,
//! `delivered + rejected + blank + skipped = records`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;

/// Live counts, shared by the partitions of a scan.
#[derive(Debug, Default)]
pub struct ScanStats {
    /// The file's path or URL.
    pub file: String,
    /// The file's size in bytes, as it lies in its store.
    pub size: u64,
    /// Which of the tables in the file it is, if one was asked for.
    pub table: Option<usize>,
    /// Bytes read, as they lie in the store.
    pub bytes: AtomicU64,
    /// Lines before the first record: a preamble, the names of columns.
    pub lines_before: AtomicU64,
    /// Records: delivered, rejected, blank or skipped.
    pub records: AtomicU64,
    /// Rows handed on, before filters.
    pub delivered: AtomicU64,
    /// Records set aside.
    pub rejected: AtomicU64,
    /// Blank records.
    pub blank: AtomicU64,
    /// Records without content, under `skip_empty`.
    pub skipped: AtomicU64,
    /// Records with at least one problem.
    pub problem_records: AtomicU64,
    /// Values of JSON under keys that are no column.
    pub unknown: AtomicU64,
    /// Whether the end was reached.
    pub complete: AtomicBool,
    /// Problems by reason.
    pub reasons: Mutex<BTreeMap<&'static str, u64>>,
    /// Problems by action.
    pub actions: Mutex<BTreeMap<&'static str, u64>>,
    /// Records with a problem, by chunk of `chunk_rows` records, from 0.
    pub chunk_errors: Mutex<BTreeMap<u64, u64>>,
}

impl ScanStats {
    /// Counts of a file not yet read.
    pub fn new(file: impl Into<String>, size: u64) -> Self {
        Self {
            file: file.into(),
            size,
            ..Self::default()
        }
    }

    /// The counts as they are now.
    pub fn report(&self) -> ScanReport {
        let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
        // One lock at a time: a worker that takes down problems takes both, one after the other.
        let action = |name| self.actions.lock().get(name).copied().unwrap_or(0);
        ScanReport {
            files: 1,
            bytes: get(&self.bytes),
            records: get(&self.records),
            delivered: get(&self.delivered),
            rejected: get(&self.rejected),
            blank: get(&self.blank),
            skipped: get(&self.skipped),
            nulled: action("nulled"),
            repaired: action("repaired"),
            unknown: get(&self.unknown),
            complete: self.complete.load(Ordering::Relaxed),
            reasons: self
                .reasons
                .lock()
                .iter()
                .map(|(k, v)| ((*k).to_owned(), *v))
                .collect(),
        }
    }
}

/// Counts of all scans of a statement. When it is done, records of a file that it has read several times are counted
/// once; `files` and `bytes` are what was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScanReport {
    /// Files read (a file read twice counts twice).
    pub files: u64,
    /// Bytes read, as they lie in their store.
    pub bytes: u64,
    /// Records: delivered, rejected, blank or skipped.
    pub records: u64,
    /// Rows handed on, before filters.
    pub delivered: u64,
    /// Records set aside.
    pub rejected: u64,
    /// Blank records.
    pub blank: u64,
    /// Records without content, under `skip_empty`.
    pub skipped: u64,
    /// Values that became NULL because they did not parse.
    pub nulled: u64,
    /// Rows that were kept, changed.
    pub repaired: u64,
    /// Values of JSON under keys that the sample did not show: they are in no column.
    pub unknown: u64,
    /// Whether every scan reached its end.
    pub complete: bool,
    /// Problems by reason.
    pub reasons: BTreeMap<String, u64>,
}

impl ScanReport {
    /// The sum of several reports.
    pub fn sum(reports: impl IntoIterator<Item = Self>) -> Self {
        let mut total = Self {
            complete: true,
            ..Self::default()
        };
        for report in reports {
            total.files += report.files;
            total.bytes += report.bytes;
            total.records += report.records;
            total.delivered += report.delivered;
            total.rejected += report.rejected;
            total.blank += report.blank;
            total.skipped += report.skipped;
            total.nulled += report.nulled;
            total.repaired += report.repaired;
            total.unknown += report.unknown;
            total.complete &= report.complete;
            for (reason, n) in report.reasons {
                *total.reasons.entry(reason).or_default() += n;
            }
        }
        total
    }

    /// `3 too_few_fields, 1 bad_value`.
    pub fn summary(&self) -> String {
        let part = |(reason, n): (&String, &u64)| format!("{n} {reason}");
        self.reasons.iter().map(part).collect::<Vec<_>>().join(", ")
    }
}
