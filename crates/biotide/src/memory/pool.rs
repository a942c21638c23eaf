//! The pool that a session reserves from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use biotide_common::{PaceReport, format_size};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use parking_lot::Mutex;

use super::budget::{ALLOWANCE, Budget, SPILLABLE};
use super::process::Rss;
use super::report::MemoryReport;
use crate::monitor::Spilled;

/// What an operator may hold in any case before it is told to spill because of what the process holds.
const LEAST_SHARE: usize = 4 << 20;

/// How close to the promised peak the process may come before operators spill.
const MARGIN: u64 = 8 << 20;

/// A fair pool: operators that can spill share evenly what the others leave. Besides it looks at the
/// process: where that holds too much, whatever was reserved, operators that can spill are told to.
#[derive(Debug)]
pub(crate) struct ProcessPool {
    budget: Budget,
    state: Mutex<State>,
    meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct State {
    /// Operators that can spill.
    spillers: usize,
    /// Bytes reserved by them.
    spillable: usize,
    /// Bytes reserved by the others.
    unspillable: usize,
}

/// What a pool was asked for.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Budget,
    /// The most that the process shall hold.
    ceiling: u64,
    rss: Rss,
    /// Bytes that are reserved now.
    reserved: AtomicUsize,
    /// The most bytes that were reserved at a time.
    peak: AtomicUsize,
    /// Reservations that were refused: operators then spill or fail, readers wait.
    refused: AtomicU64,
}

impl Meter {
    fn new(budget: Budget) -> Self {
        let rss = Rss::new();
        // What a host program holds already is not of this.
        let host = rss.get().saturating_sub(ALLOWANCE as u64);
        let promised = host + (budget.limit as u64).saturating_add(ALLOWANCE as u64);
        Self {
            budget,
            ceiling: promised.saturating_sub(MARGIN),
            rss,
            reserved: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
        }
    }

    fn reserved(&self, bytes: usize) {
        self.reserved.store(bytes, Ordering::Relaxed);
        self.peak.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Whether readers should hold less.
    pub(crate) fn is_short(&self) -> bool {
        self.reserved.load(Ordering::Relaxed) > self.budget.pool / 8 * 7
            || self.rss.get() + MARGIN > self.ceiling
    }

    /// Bytes that are reserved now.
    pub(crate) fn reserved_now(&self) -> u64 {
        self.reserved.load(Ordering::Relaxed) as u64
    }

    /// What the process holds, in bytes.
    pub(crate) fn held(&self) -> u64 {
        self.rss.get()
    }

    /// What follows from the limit.
    pub(crate) fn budget(&self) -> Budget {
        self.budget
    }

    /// The numbers of a run that has spilled so much, and whose readers did this.
    pub(crate) fn report(&self, spilled: Spilled, reading: PaceReport) -> MemoryReport {
        MemoryReport {
            limit: self.budget.limit as u64,
            pool: self.budget.pool as u64,
            pool_peak: self.peak.load(Ordering::Relaxed) as u64,
            refused: self.refused.load(Ordering::Relaxed),
            spilled_bytes: spilled.bytes,
            spilled_files: spilled.files,
            reading,
        }
    }
}

impl ProcessPool {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            state: Mutex::default(),
            meter: Arc::new(Meter::new(budget)),
        }
    }

    pub(crate) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// What the process holds, if an operator of this size should spill for it.
    fn pressure(&self, size: usize, additional: usize, share: usize) -> Option<u64> {
        if size <= (share / 2).max(LEAST_SHARE) {
            return None;
        }
        let held = self.meter.rss.get();
        (held + additional as u64 > self.meter.ceiling).then_some(held)
    }

    fn refuse(
        &self,
        reservation: &MemoryReservation,
        additional: usize,
        why: String,
    ) -> DataFusionError {
        self.meter.refused.fetch_add(1, Ordering::Relaxed);
        DataFusionError::ResourcesExhausted(format!(
            "{} holds {} and asks for {} more, of the {} that a memory limit of {} leaves for data{why}",
            reservation.consumer().name(),
            format_size(reservation.size() as u64),
            format_size(additional as u64),
            format_size(self.budget.pool as u64),
            format_size(self.budget.limit as u64),
        ))
    }
}

impl State {
    fn reserved(&self) -> usize {
        self.spillable + self.unspillable
    }

    fn grow(&mut self, consumer: &MemoryConsumer, additional: usize) {
        match consumer.can_spill() {
            true => self.spillable += additional,
            false => self.unspillable += additional,
        }
    }

    fn shrink(&mut self, consumer: &MemoryConsumer, by: usize) {
        let held = match consumer.can_spill() {
            true => &mut self.spillable,
            false => &mut self.unspillable,
        };
        *held = held.saturating_sub(by);
    }

    /// What each operator that can spill may hold.
    fn share(&self, pool: usize) -> usize {
        let left = pool.saturating_sub(self.unspillable);
        left.min(pool / SPILLABLE) / self.spillers.max(1)
    }
}

impl fmt::Display for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reserved = format_size(self.reserved() as u64);
        let size = format_size(self.budget.pool as u64);
        write!(f, "{}(used: {reserved}, pool_size: {size})", self.name())
    }
}

impl MemoryPool for ProcessPool {
    fn name(&self) -> &str {
        "process"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if consumer.can_spill() {
            self.state.lock().spillers += 1;
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if consumer.can_spill() {
            let mut state = self.state.lock();
            state.spillers = state.spillers.saturating_sub(1);
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let mut state = self.state.lock();
        state.grow(reservation.consumer(), additional);
        self.meter.reserved(state.reserved());
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut state = self.state.lock();
        state.shrink(reservation.consumer(), shrink);
        self.meter.reserved(state.reserved());
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state.lock();
        let pool = self.budget.pool;
        let (left, needed) = match reservation.consumer().can_spill() {
            true => {
                let share = state.share(pool);
                if let Some(held) = self.pressure(reservation.size(), additional, share) {
                    let why = format!("; the process holds {}", format_size(held));
                    return Err(self.refuse(reservation, additional, why));
                }
                let asked = reservation.size().saturating_add(additional);
                let all = asked.saturating_mul(state.spillers.max(1));
                let least = all.saturating_mul(SPILLABLE);
                (
                    share.saturating_sub(reservation.size()),
                    least.max(all.saturating_add(state.unspillable)),
                )
            }
            false => {
                let reserved = state.reserved();
                (
                    pool.saturating_sub(reserved),
                    reserved.saturating_add(additional),
                )
            }
        };
        if additional > left {
            let least = self.budget.limit_for(needed);
            let why = format!(
                "; {} are left for it. It needs a limit of {} MB at least",
                format_size(left as u64),
                least / 1_000_000
            );
            return Err(self.refuse(reservation, additional, why));
        }
        state.grow(reservation.consumer(), additional);
        self.meter.reserved(state.reserved());
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.state.lock().reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.budget.pool)
    }
}
