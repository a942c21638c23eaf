//! How far it is.

use std::time::{Duration, Instant};

use crate::chunk::Chunk;

/// How far a stream is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Rows that came by.
    pub rows: u64,
    /// Their bytes in memory.
    pub bytes: u64,
    /// Since the run began.
    pub elapsed: Duration,
    /// Rows a second.
    pub rows_per_second: f64,
    /// How long the rest will take at this rate, when the source says how many rows it has.
    pub remaining: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Meter {
    interval: u64,
    expected: Option<u64>,
    rows: u64,
    bytes: u64,
}

impl Meter {
    pub(crate) fn new(interval: u64, expected: Option<u64>) -> Self {
        Self {
            interval: interval.max(1),
            expected,
            rows: 0,
            bytes: 0,
        }
    }

    /// What to tell, when a multiple of the interval was crossed. Several at once are told once.
    /// `started`: when the run began.
    pub(crate) fn passed(&mut self, chunk: &Chunk, started: Instant) -> Option<Progress> {
        let before = self.rows / self.interval;
        self.rows += chunk.rows() as u64;
        self.bytes += chunk.bytes() as u64;
        if self.rows / self.interval == before {
            return None;
        }
        let elapsed = started.elapsed();
        let rate = self.rows as f64 / elapsed.as_secs_f64().max(1e-9);
        let rest = self
            .expected
            .map(|expected| expected.saturating_sub(self.rows));
        Some(Progress {
            rows: self.rows,
            bytes: self.bytes,
            elapsed,
            rows_per_second: rate,
            remaining: rest.and_then(|rest| Duration::try_from_secs_f64(rest as f64 / rate).ok()),
        })
    }
}
