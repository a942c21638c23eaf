//! What a monitor counts.

use std::ops::AddAssign;

use biotide::prelude::Monitor;
use serde::Serialize;

/// The counts of a monitor at one time. None of them ever goes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Records read.
    pub(crate) rows: u64,
    /// Rows that the sink of a pipeline has taken.
    pub(crate) rows_written: u64,
    /// Bytes read of the inputs.
    pub(crate) bytes: u64,
    /// Bytes of the inputs; 0 where they are not known.
    pub(crate) bytes_total: u64,
    /// Records rejected.
    pub(crate) errors: u64,
    pub(crate) spilled_bytes: u64,
    /// Times that readers waited for memory or made do with less.
    pub(crate) slowed: u64,
    /// Times that rows were there before the sink of a pipeline could take them.
    pub(crate) backpressure_events: u64,
}

impl Counts {
    pub(crate) fn of(monitor: &Monitor) -> Self {
        Self {
            rows: monitor.records(),
            rows_written: monitor.written(),
            bytes: monitor.bytes_done(),
            bytes_total: monitor.bytes_total(),
            errors: monitor.rejected(),
            spilled_bytes: monitor.spilled().bytes,
            slowed: monitor.slowed(),
            backpressure_events: monitor.backpressure_events(),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.rows_written += other.rows_written;
        self.bytes += other.bytes;
        self.bytes_total += other.bytes_total;
        self.errors += other.errors;
        self.spilled_bytes += other.spilled_bytes;
        self.slowed += other.slowed;
        self.backpressure_events += other.backpressure_events;
    }
}
