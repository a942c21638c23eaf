//! What one statement gathers. Travels as a session extension, so that a reader finds it when it is
//! planned: a file source never sees the task it runs in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::memory::PaceLog;
use crate::reject::RejectLog;
use crate::scan::{ScanReport, ScanStats};

/// The rejects and counts of one statement.
#[derive(Debug)]
pub struct QueryLog {
    /// Number of the statement, unique in this process.
    pub id: u64,
    /// Its bad rows.
    pub rejects: RejectLog,
    /// How its readers fitted themselves to the memory there was.
    pub pace: PaceLog,
    scans: Mutex<Vec<Arc<ScanStats>>>,
    /// Rows that readers handed on, and others set aside: how many, by reason.
    refused: Mutex<BTreeMap<String, u64>>,
    /// Of these, rows that stand nowhere: they are of no file.
    unplaced: AtomicU64,
    /// Whether the readers should keep the order of the input.
    pub ordered: bool,
    /// Threads that the statement may use.
    pub threads: usize,
}

impl QueryLog {
    /// A log that spills to `spill_dir`.
    pub fn new(spill_dir: PathBuf, ordered: bool, threads: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            id,
            rejects: RejectLog::new(spill_dir),
            pace: PaceLog::default(),
            scans: Mutex::default(),
            refused: Mutex::default(),
            unplaced: AtomicU64::new(0),
            ordered,
            threads,
        }
    }

    /// Adds the counts of a scan that starts.
    pub fn add_scan(&self, stats: Arc<ScanStats>) {
        self.scans.lock().push(stats);
    }

    /// The scans so far.
    pub fn scans(&self) -> Vec<Arc<ScanStats>> {
        self.scans.lock().clone()
    }

    /// Whether nothing was read, and nothing set aside.
    pub fn is_empty(&self) -> bool {
        self.scans.lock().is_empty() && self.rejects.is_empty()
    }

    /// Counts a row that a reader handed on, and somebody else has set aside: the one on this line of its file, from 1,
    /// or on none.
    pub fn refuse(&self, reason: &str, line: u64) {
        if line == 0 {
            self.unplaced.fetch_add(1, Ordering::Relaxed);
        }
        let mut refused = self.refused.lock();
        match refused.get_mut(reason) {
            Some(count) => *count += 1,
            None => {
                refused.insert(reason.to_owned(), 1);
            }
        }
    }

    /// How many rows were set aside that stand nowhere, each as often as it was read.
    pub fn unplaced(&self) -> u64 {
        self.unplaced.load(Ordering::Relaxed)
    }

    /// The sum of all scans. A row that was handed on and refused is rejected, not delivered.
    pub fn report(&self) -> ScanReport {
        let mut report = ScanReport::sum(self.scans.lock().iter().map(|scan| scan.report()));
        for (reason, &n) in &*self.refused.lock() {
            let delivered = report.delivered.min(n);
            report.delivered -= delivered;
            // (Some come from what is no file.)
            report.records += n - delivered;
            report.rejected += n;
            *report.reasons.entry(reason.clone()).or_default() += n;
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_others_refuse_are_rejected_and_the_sums_close() {
        let log = QueryLog::new(std::env::temp_dir(), false, 1);
        let scan = Arc::new(ScanStats::new("x.tsv", 1));
        scan.records.store(3, Ordering::Relaxed);
        scan.delivered.store(2, Ordering::Relaxed);
        scan.rejected.store(1, Ordering::Relaxed);
        log.add_scan(scan);
        log.refuse("no_identifier", 0);
        let report = log.report();
        assert_eq!(
            (report.records, report.delivered, report.rejected),
            (3, 1, 2)
        );
        assert_eq!(report.reasons["no_identifier"], 1);
        log.refuse("no_identifier", 0);
        log.refuse("out_of_range", 4);
        let report = log.report();
        assert_eq!(
            (report.records, report.delivered, report.rejected),
            (4, 0, 4)
        );
        assert_eq!(log.unplaced(), 2);
    }
}
