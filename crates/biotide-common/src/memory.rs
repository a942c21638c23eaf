//! What readers are told of memory, and what they did about it.

use std::fmt;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;

use crate::size::format_size;

/// Tells whether memory is short: a pool knows what was reserved, but not what the process holds. A session
/// extension.
pub struct MemoryGauge(Box<dyn Fn() -> bool + Send + Sync>);

impl MemoryGauge {
    /// A gauge that asks `is_short`. It is asked for every unit that is read, and must be quick.
    pub fn new(is_short: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Box::new(is_short))
    }

    /// Whether memory is short now.
    pub fn is_short(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for MemoryGauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryGauge").finish_non_exhaustive()
    }
}

/// How the readers of a statement fitted themselves to the memory there was.
#[derive(Debug)]
pub struct PaceLog {
    begin: Instant,
    waits: AtomicU64,
    waited_micros: AtomicU64,
    shrunk: AtomicU64,
    grown: AtomicU64,
    changes: Mutex<Vec<PaceChange>>,
}

/// Sizes are told of at most so many times; all are counted.
const CHANGES: usize = 64;

impl Default for PaceLog {
    fn default() -> Self {
        Self {
            begin: Instant::now(),
            waits: AtomicU64::new(0),
            waited_micros: AtomicU64::new(0),
            shrunk: AtomicU64::new(0),
            grown: AtomicU64::new(0),
            changes: Mutex::default(),
        }
    }
}

impl PaceLog {
    /// Counts a reader that waited for memory.
    pub fn waited(&self, time: Duration) {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Notes the units that a file is read in from now on; `before`: what they were, if it is being read.
    pub fn unit_bytes(&self, file: &str, before: Option<u64>, now: u64) {
        match before {
            Some(before) if now < before => drop(self.shrunk.fetch_add(1, Ordering::Relaxed)),
            Some(_) => drop(self.grown.fetch_add(1, Ordering::Relaxed)),
            None => {}
        }
        let mut changes = self.changes.lock();
        if changes.len() < CHANGES {
            changes.push(PaceChange {
                seconds: self.begin.elapsed().as_secs_f64(),
                file: file.to_owned(),
                unit_bytes: now,
            });
        }
    }

    /// The numbers so far.
    pub fn report(&self) -> PaceReport {
        PaceReport {
            waits: self.waits.load(Ordering::Relaxed),
            waited_seconds: self.waited_micros.load(Ordering::Relaxed) as f64 / 1e6,
            shrunk: self.shrunk.load(Ordering::Relaxed),
            grown: self.grown.load(Ordering::Relaxed),
            units: self.changes.lock().clone(),
        }
    }
}

/// How the readers of a statement fitted themselves to the memory there was.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PaceReport {
    /// Readers that waited for memory.
    pub waits: u64,
    /// How long, in all.
    pub waited_seconds: f64,
    /// How often a reader halved its units, and what it reads ahead, because memory was short.
    pub shrunk: u64,
    /// How often one doubled them again.
    pub grown: u64,
    /// The units of each file, as it was opened and at each change: the first 64.
    pub units: Vec<PaceChange>,
}

/// A size of units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PaceChange {
    /// When, from the beginning of the statement.
    pub seconds: f64,
    /// The file.
    pub file: String,
    /// Bytes of text that are decoded at a time: about one batch.
    pub unit_bytes: u64,
}

impl Add for PaceReport {
    type Output = Self;

    fn add(mut self, next: Self) -> Self {
        self.waits += next.waits;
        self.waited_seconds += next.waited_seconds;
        self.shrunk += next.shrunk;
        self.grown += next.grown;
        let room = CHANGES.saturating_sub(self.units.len());
        self.units.extend(next.units.into_iter().take(room));
        self
    }
}

impl fmt::Display for PaceReport {
    /// `halved 1, doubled 0, waited 0 times (0.0 s): 1.0 MB at 0.0 s, 524 kB at 1.2 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "halved {}, doubled {}, waited {} times ({:.1} s)",
            self.shrunk, self.grown, self.waits, self.waited_seconds
        )?;
        let mut separator = ": ";
        for change in &self.units {
            write!(
                f,
                "{separator}{} at {:.1} s",
                format_size(change.unit_bytes),
                change.seconds
            )?;
            separator = ", ";
        }
        Ok(())
    }
}
