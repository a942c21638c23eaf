//! What one statement gathers. Travels as a session extension, so that a reader finds it when it is
//! planned: a file source never sees the task it runs in.

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

    /// The sum of all scans.
    pub fn report(&self) -> ScanReport {
        ScanReport::sum(self.scans.lock().iter().map(|scan| scan.report()))
    }
}
