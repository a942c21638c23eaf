//! What is left of a limit for the pool.

use biotide_common::BiotideError;
use biotide_common::format_size;

const MIB: usize = 1 << 20;

/// By how much the process may pass the limit: the program itself is in it, too.
pub(crate) const ALLOWANCE: usize = 64 * MIB;

/// What the process holds besides its data: the pages of the program that queries touch (measured: 60 to 68
/// MiB of a binary of 130), the runtime, plans.
const OWN: usize = 72 * MIB;

/// What each thread holds that no one reserves: batches on their way from one operator to the next, the
/// allocator's caches.
const THREAD: usize = 4 * MIB;

/// Of what is left so much, as a divisor, is the allocator's: pages that are partly used or not yet given
/// back.
const FRAGMENTS: usize = 8;

/// The least pool that scans and converts.
const LEAST_POOL: usize = 8 * MIB;

/// A memory limit, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// What was asked for.
    pub(crate) limit: usize,
    /// What operators and readers may reserve.
    pub(crate) pool: usize,
    threads: usize,
}

impl Budget {
    /// The budget of a limit. Fails where it is too small for anything.
    pub(crate) fn new(limit: usize, threads: usize) -> Result<Self, BiotideError> {
        let pool = pool_of(limit, threads);
        if pool < LEAST_POOL {
            return Err(BiotideError::Option {
                key: "memory_limit".to_owned(),
                value: format_size(limit as u64),
                problem: format!(
                    "is too small: {threads} threads need at least {}MB to read and convert anything",
                    least(threads) / 1_000_000
                ),
            });
        }
        Ok(Self {
            limit,
            pool,
            threads,
        })
    }

    /// The least limit whose pool has so many bytes.
    pub(crate) fn limit_for(self, pool: usize) -> usize {
        limit_for(pool, self.threads)
    }
}

fn pool_of(limit: usize, threads: usize) -> usize {
    let data = limit.saturating_add(ALLOWANCE).saturating_sub(OWN);
    let whole = data.saturating_sub(THREAD.saturating_mul(threads));
    (whole - whole / FRAGMENTS).min(limit)
}

/// The least limit.
fn least(threads: usize) -> usize {
    limit_for(LEAST_POOL, threads)
}

/// The least limit whose pool has so many bytes, in whole megabytes.
fn limit_for(pool: usize, threads: usize) -> usize {
    let whole = pool.saturating_mul(FRAGMENTS).div_ceil(FRAGMENTS - 1);
    let limit = whole.saturating_add(THREAD.saturating_mul(threads) + OWN - ALLOWANCE);
    limit
        .max(pool)
        .div_ceil(1_000_000)
        .saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_is_enough_and_less_is_not() {
        for threads in [1, 2, 7, 64] {
            let least = least(threads);
            assert!(Budget::new(least, threads).is_ok());
            let error = Budget::new(least - 1_000_000, threads).unwrap_err();
            let named = format!("at least {}MB", least / 1_000_000);
            assert!(error.to_string().contains(&named), "{error}");
        }
    }

    #[test]
    fn the_pool_grows_with_the_limit() {
        let pool = |limit| Budget::new(limit, 2).unwrap().pool;
        assert!(pool(64_000_000) > 32 * MIB);
        assert!(pool(200_000_000) > 140 * MIB);
        assert!(pool(1_000_000_000) > 750 * MIB);
        assert!(pool(usize::MAX) > usize::MAX / 2);
    }
}
