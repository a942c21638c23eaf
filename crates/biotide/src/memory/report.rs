//! What a statement held, and what it did not hold.

use biotide_common::PaceReport;
use serde::Serialize;

/// Memory of a run, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
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
    /// How its readers fitted themselves to the memory there was.
    pub reading: PaceReport,
}

impl MemoryReport {
    /// Adds the report of the next statement of a run.
    pub(crate) fn add(&mut self, next: Self) {
        *self = Self {
            spilled_bytes: self.spilled_bytes + next.spilled_bytes,
            spilled_files: self.spilled_files + next.spilled_files,
            reading: std::mem::take(&mut self.reading) + next.reading,
            ..next
        };
    }
}
