//! How many rows may be taken yet, where `max_rows` bounds them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows that may be taken yet: of a file, or of all files of a scan, which are read one after the other.
#[derive(Debug, Clone)]
pub(super) struct RowsLeft(Arc<AtomicUsize>);

impl RowsLeft {
    pub(super) fn new(rows: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(rows)))
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts rows that were taken; answers whether they were the last.
    pub(super) fn took(&self, rows: u64) -> bool {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let left = self.get().saturating_sub(rows);
        self.0.store(left, Ordering::Relaxed);
        left == 0
    }
}
