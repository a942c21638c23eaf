//! The pace of a reader: how much text of a file it takes at a time, and what is reserved for that.
//!
//! Units are about one batch each, and what is read ahead is so many units: both follow from one size.
//!
//! 1. When a file is opened, memory for units of the wanted size is reserved. If there is none, the reader
//!    waits up to 200 ms for others to give some back, and then is content with half, and so on; units of
//!    128 KiB that find no memory are an error.
//! 2. If memory is short when a unit is taken, the size is halved. It is not halved again before two units
//!    were taken: what is given back shows only then.
//! 3. When memory was not short for 16 units in a row, the size is doubled, as far as the first one, if the
//!    pool has the memory. Whenever shortage follows within 16 units, twice as many are waited for the next
//!    time, up to 1024.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use biotide_common::MemoryGauge;
use biotide_common::session::QueryLog;
use datafusion_common::Result;
use datafusion_execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use parking_lot::Mutex;

use super::source::UNIT_BYTES;

/// What a worker holds for a byte of its unit: the text, the index of its fields, columns, and batches that
/// are on their way.
const PER_BYTE: u64 = 4;

/// How long a reader waits for others to give memory back before it is content with smaller units. It must
/// not wait for long: those who hold the memory may be waiting for its rows.
const PATIENCE: Duration = Duration::from_millis(200);

/// How often it asks again.
const PAUSE: Duration = Duration::from_millis(10);

/// Units that are taken before the size may be halved again.
const SETTLE: u32 = 2;

/// Units without shortage before the size is doubled, at first and at most.
const CALM: std::ops::RangeInclusive<u32> = 16..=1024;

/// Of the pool, as a fraction, so much is reserved where memory is short.
const SHORT: (usize, usize) = (7, 8);

/// Bytes of units that may wait for their turn where the order is kept: an eighth of the pool.
pub(super) fn waiting_bytes(pool: &Arc<dyn MemoryPool>) -> u64 {
    let most = 32 << 20;
    match pool.memory_limit() {
        MemoryLimit::Finite(size) => (size as u64 / 8).clamp(1 << 20, most),
        _ => most,
    }
}

/// What readers know of the memory of their session.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    pub(super) pool: Arc<dyn MemoryPool>,
    pub(super) gauge: Option<Arc<MemoryGauge>>,
}

impl Memory {
    fn is_short(&self) -> bool {
        match (&self.gauge, self.pool.memory_limit()) {
            (Some(gauge), _) => gauge.is_short(),
            // The pool of a session that is not Biotide's own.
            (None, MemoryLimit::Finite(size)) => self.pool.reserved() / SHORT.0 >= size / SHORT.1,
            _ => false,
        }
    }
}

/// What a file is read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Units that are decoded at a time.
    pub(super) units: u64,
    /// Bytes of the text, if they are known.
    pub(super) size: u64,
    /// Bytes of a unit.
    pub(super) unit_bytes: u64,
    /// Bytes that are read ahead, or wait for their turn, besides.
    pub(super) ahead: u64,
}

impl Wanted {
    /// What is reserved for units of this size.
    pub(super) fn memory(self, unit_bytes: u64) -> usize {
        let units = self.units.saturating_mul(unit_bytes).min(self.size);
        let ahead = self.ahead / (self.unit_bytes / unit_bytes).max(1);
        usize::try_from(units.saturating_mul(PER_BYTE) + ahead).unwrap_or(usize::MAX)
    }
}

/// The pace of one file.
#[derive(Debug)]
pub(super) struct Pace {
    file: String,
    memory: Memory,
    log: Arc<QueryLog>,
    wanted: Wanted,
    /// The most bytes of a unit: what there was memory for at first.
    most: u64,
    reservation: MemoryReservation,
    state: Mutex<State>,
    /// Blocks that are read ahead are the `1 / 2^n`th of the largest.
    level: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct State {
    unit_bytes: u64,
    /// Units taken since the size changed.
    since: u32,
    /// Units taken since memory was short.
    calm: u32,
    /// Units without shortage before the size is doubled.
    patience: u32,
    /// Whether the last change was a doubling.
    grew: bool,
    /// Whether the file was read: nothing is reserved any more.
    freed: bool,
}

impl Pace {
    /// Reserves memory for what is wanted, or for as much of it as there is.
    pub(super) async fn reserve(
        memory: Memory,
        log: Arc<QueryLog>,
        file: &str,
        wanted: Wanted,
    ) -> Result<Self> {
        let consumer = MemoryConsumer::new(format!("the reader of {file}"));
        let reservation = consumer.register(&memory.pool);
        let mut unit_bytes = wanted.unit_bytes;
        let begin = Instant::now();
        let mut waited = false;
        while let Err(refused) = reservation.try_grow(wanted.memory(unit_bytes)) {
            if begin.elapsed() < PATIENCE {
                waited = true;
                tokio::time::sleep(PAUSE).await;
            } else if unit_bytes > *UNIT_BYTES.start() {
                unit_bytes = (unit_bytes / 2).max(*UNIT_BYTES.start());
            } else {
                return Err(refused);
            }
        }
        if waited {
            log.pace.waited(begin.elapsed());
        }
        log.pace.unit_bytes(file, None, unit_bytes);
        Ok(Self {
            file: file.to_owned(),
            memory,
            log,
            wanted,
            most: unit_bytes,
            reservation,
            state: Mutex::new(State {
                unit_bytes,
                since: 0,
                calm: 0,
                patience: *CALM.start(),
                grew: false,
                freed: false,
            }),
            level: Arc::default(),
        })
    }

    /// The most bytes of a unit.
    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// By how many halvings the pace is slower than at first, now.
    pub(super) fn level(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.level)
    }

    /// Bytes of the next unit.
    pub(super) fn next(&self) -> u64 {
        let short = self.memory.is_short();
        let mut state = self.state.lock();
        if state.freed {
            return state.unit_bytes;
        }
        let before = state.unit_bytes;
        if state.step(short, self.most) && !self.fits(before, state.unit_bytes) {
            state.unit_bytes = before;
        }
        let now = state.unit_bytes;
        if now != before {
            let level = (self.most / now).checked_ilog2().unwrap_or(0);
            self.level.store(level as usize, Ordering::Relaxed);
            self.log.pace.unit_bytes(&self.file, Some(before), now);
        }
        now
    }

    /// Makes the reservation fit a new size, if it can.
    fn fits(&self, before: u64, now: u64) -> bool {
        let (held, needed) = (self.wanted.memory(before), self.wanted.memory(now));
        if needed > held {
            return self.reservation.try_grow(needed - held).is_ok();
        }
        // (Refused by nobody who holds that much; one that was freed holds nothing.)
        self.reservation.try_shrink(held - needed).is_ok()
    }

    /// Reserves memory for a record that is longer than its unit by so many bytes.
    pub(super) fn reserve_long(
        &self,
        held: &mut Option<MemoryReservation>,
        bytes: usize,
    ) -> Result<()> {
        let held = held.get_or_insert_with(|| self.reservation.new_empty());
        held.try_grow(bytes)
    }

    /// Gives the memory back: the file was read.
    pub(super) fn free(&self) {
        self.state.lock().freed = true;
        self.reservation.free();
    }
}

impl State {
    /// A unit is taken; answers whether the size has changed.
    fn step(&mut self, short: bool, most: u64) -> bool {
        self.since = self.since.saturating_add(1);
        if short {
            if self.grew && self.since <= *CALM.start() {
                self.patience = (self.patience * 2).min(*CALM.end());
                self.grew = false;
            }
            self.calm = 0;
            if self.since <= SETTLE || self.unit_bytes <= *UNIT_BYTES.start() {
                return false;
            }
            self.unit_bytes = (self.unit_bytes / 2).max(*UNIT_BYTES.start());
            self.grew = false;
        } else {
            self.calm = self.calm.saturating_add(1);
            if self.calm < self.patience || self.unit_bytes >= most {
                return false;
            }
            self.unit_bytes = (self.unit_bytes * 2).min(most);
            self.calm = 0;
            self.grew = true;
        }
        self.since = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion_execution::memory_pool::GreedyMemoryPool;
    use std::sync::atomic::AtomicBool;

    const MIB: u64 = 1 << 20;
    const WANTED: Wanted = Wanted {
        units: 2,
        size: u64::MAX,
        unit_bytes: MIB,
        ahead: 2 * MIB,
    };

    fn pace(pool: u64, short: &Arc<AtomicBool>) -> Result<Pace> {
        let short = Arc::clone(short);
        let memory = Memory {
            pool: Arc::new(GreedyMemoryPool::new(usize::try_from(pool).unwrap())),
            gauge: Some(Arc::new(MemoryGauge::new(move || {
                short.load(Ordering::Relaxed)
            }))),
        };
        let log = Arc::new(QueryLog::new(std::env::temp_dir(), false, 2));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(Pace::reserve(memory, log, "a.tsv", WANTED))
    }

    fn sizes(pace: &Pace, n: usize) -> Vec<u64> {
        (0..n).map(|_| pace.next() / 1024).collect()
    }

    #[test]
    fn units_are_halved_while_memory_is_short_and_doubled_when_it_is_not() {
        let short = Arc::new(AtomicBool::new(false));
        let pace = pace(100 * MIB, &short).unwrap();
        let reserved = || pace.memory.pool.reserved() as u64;
        assert_eq!(sizes(&pace, 40), [1024; 40]);
        assert_eq!(reserved(), 10 * MIB);
        short.store(true, Ordering::Relaxed);
        assert_eq!(sizes(&pace, 6), [512, 512, 512, 256, 256, 256]);
        assert_eq!(sizes(&pace, 6), [128; 6]);
        assert_eq!(reserved(), 10 * MIB / 8);
        assert_eq!(pace.level().load(Ordering::Relaxed), 3);
        short.store(false, Ordering::Relaxed);
        assert_eq!(sizes(&pace, 16), [[128; 15].as_slice(), &[256]].concat());
        // Shortage soon after: next time it takes longer.
        short.store(true, Ordering::Relaxed);
        assert_eq!(sizes(&pace, 3), [256, 256, 128]);
        short.store(false, Ordering::Relaxed);
        assert_eq!(sizes(&pace, 32 + 32 + 32)[95], 1024);
        assert_eq!(reserved(), 10 * MIB);
        let report = pace.log.pace.report();
        assert_eq!((report.shrunk, report.grown), (4, 4));
        assert_eq!(report.units.len(), 9);
        pace.free();
        assert_eq!(reserved(), 0);
    }

    #[test]
    fn units_grow_only_if_the_pool_has_the_memory() {
        let short = Arc::new(AtomicBool::new(true));
        let pace = pace(10 * MIB, &short).unwrap();
        assert_eq!(sizes(&pace, 3)[2], 512);
        let other = MemoryConsumer::new("other").register(&pace.memory.pool);
        other.try_grow(5 << 20).unwrap();
        short.store(false, Ordering::Relaxed);
        assert_eq!(sizes(&pace, 50), [512; 50]);
        other.free();
        assert_eq!(sizes(&pace, 16).last(), Some(&1024));
    }

    #[test]
    fn a_file_that_finds_little_memory_is_read_in_small_units_and_none_is_an_error() {
        let short = Arc::new(AtomicBool::new(false));
        let small = pace(3 * MIB, &short).unwrap();
        assert_eq!(small.most(), 256 << 10);
        assert_eq!(small.log.pace.report().waits, 1);
        let error = pace(MIB, &short).unwrap_err().to_string();
        assert!(error.contains("the reader of a.tsv"), "{error}");
    }
}
