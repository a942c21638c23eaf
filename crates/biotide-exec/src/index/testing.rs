//! Pools and folders for tests.

use std::sync::Arc;

use datafusion_execution::disk_manager::{DiskManager, DiskManagerBuilder};
use datafusion_execution::memory_pool::{GreedyMemoryPool, MemoryPool};

use super::charge::Charge;
use super::spill::SpillFile;

/// A pool of so many bytes.
pub(crate) fn pool(bytes: usize) -> Arc<dyn MemoryPool> {
    Arc::new(GreedyMemoryPool::new(bytes))
}

/// A disk manager of the system's folder.
pub(crate) fn disk() -> Arc<DiskManager> {
    Arc::new(DiskManagerBuilder::default().build().unwrap())
}

/// A charge for a whole pool, and a file to spill to.
pub(crate) fn charged(bytes: usize) -> (Arc<Charge>, Arc<SpillFile>) {
    let charge = Charge::new("test", &pool(bytes), 1);
    (Arc::new(charge), Arc::new(SpillFile::new(disk(), "test")))
}
