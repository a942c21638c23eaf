//! What is seen of a statement at one time.

use std::time::Duration;

use biotide::prelude::Monitor;
use serde::Serialize;

use super::Counts;

/// Counts, and what follows from them.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Seen {
    #[serde(flatten)]
    pub(super) counts: Counts,
    /// Since the beginning.
    pub(super) bytes_per_second: u64,
    /// How long the rest takes at this rate, where that is known.
    pub(super) eta_seconds: Option<f64>,
    /// What the process holds.
    pub(super) memory: u64,
    /// The most that it has held.
    pub(super) peak_memory: u64,
    pub(super) seconds: f64,
}

impl Seen {
    pub(super) fn now(monitor: &Monitor, elapsed: Duration) -> Self {
        Self {
            memory: biotide::rss(),
            peak_memory: biotide::peak_rss(),
            ..Self::at(Counts::of(monitor), elapsed)
        }
    }

    /// Counts after a time.
    pub(super) fn at(counts: Counts, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        let rate = counts.bytes as f64 / seconds.max(0.001);
        let left = counts.bytes_total.saturating_sub(counts.bytes);
        Self {
            counts,
            bytes_per_second: rate as u64,
            eta_seconds: (left > 0 && rate >= 1.0).then(|| left as f64 / rate),
            seconds,
            ..Self::default()
        }
    }
}
