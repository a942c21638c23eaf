//! What a statement held, and what it did not hold.

use serde::Serialize;

/// Memory of a run, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MemoryReport {
    /// The limit.
    pub limit: u64,
    /// What of the limit operators and readers may reserve.
    pub pool: u64,
    /// The most that they had reserved at a time, since the session began.
    pub pool_peak: u64,
    /// Reservations that were refused since the session began: operators then spilled, readers waited.
    pub refused: u64,
    /// What operators wrote to disk.
    pub spilled_bytes: u64,
    /// The files they wrote it to.
    pub spilled_files: u64,
}
