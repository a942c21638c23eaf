//! Memory that one thing holds, of a pool and within bounds of its own.

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

/// Where nothing limits the pool.
const PLENTY: usize = usize::MAX / 4;

/// Reserves memory up to a bound.
#[derive(Debug)]
pub(crate) struct Charge {
    reservation: MemoryReservation,
    most: usize,
}

impl Charge {
    /// At most `1/share` of the pool.
    pub(crate) fn new(what: &str, pool: &Arc<dyn MemoryPool>, share: usize) -> Self {
        Self::within(what, pool, pool_size(pool) / share)
    }

    /// At most so many bytes.
    pub(crate) fn within(what: &str, pool: &Arc<dyn MemoryPool>, most: usize) -> Self {
        Self {
            reservation: MemoryConsumer::new(what).register(pool),
            most,
        }
    }

    /// Whether it was given.
    pub(crate) fn try_grow(&self, bytes: usize) -> bool {
        self.reservation.size().saturating_add(bytes) <= self.most
            && self.reservation.try_grow(bytes).is_ok()
    }

    /// What cannot be done without; the error is the pool's.
    pub(crate) fn grow(&self, bytes: usize) -> Result<()> {
        self.reservation.try_grow(bytes)
    }

    pub(crate) fn shrink(&self, bytes: usize) {
        self.reservation.shrink(bytes.min(self.reservation.size()));
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.reservation.size()
    }

    /// What it may hold in all.
    pub(crate) fn most(&self) -> usize {
        self.most
    }
}

/// The bytes of a pool.
pub(crate) fn pool_size(pool: &Arc<dyn MemoryPool>) -> usize {
    match pool.memory_limit() {
        MemoryLimit::Finite(bytes) => bytes,
        _ => PLENTY,
    }
}
