//! What is left of a limit for the pool.

use std::ops::RangeInclusive;

use biotide_common::BiotideError;
use biotide_common::format_size;

use super::process::rss;

const MIB: usize = 1 << 20;

/// By how much the process may pass the limit: the program itself is in it, too.
pub(crate) const ALLOWANCE: usize = 80 * MIB;

/// What the process comes to hold besides its data: pages of the program that queries touch (measured: 75 to
/// 82 MiB more than at the start, of a binary of 170; how many the kernel maps with each differs), plans.
const OWN: usize = 84 * MIB;

/// What a process of ours holds at its start, at least and at most. The rest is a host program's.
const START: RangeInclusive<usize> = 24 * MIB..=64 * MIB;

/// What each thread holds that no one reserves: batches on their way from one operator to the next, the
/// allocator's caches.
const THREAD: usize = 6 * MIB;

/// Of what is left so much, as a divisor, is the allocator's: pages that are partly used or not yet given
/// back.
const FRAGMENTS: usize = 3;

/// What a partition needs at least, so that its operators can work before they spill.
const PARTITION: usize = 16 * MIB;

/// So many threads are there in any case, and hold what a thread holds.
const IDLE: usize = 2;

/// Of the pool, as a divisor, so much may be held by one operator that cannot spill. (A hash join's last step
/// holds the rows twice and counts them once.)
const HELD: usize = 4;

/// Of the pool, as a divisor, operators that can spill share so much. The rest is for those that cannot
/// (writers, merges), and for what spilling itself takes: to write down what it holds an aggregation builds
/// it as one batch and sorts that, and nobody counts the copies.
pub(crate) const SPILLABLE: usize = 2;

/// Where nothing is known of an input it is taken to fit into a pool of this size.
const PLENTY: usize = 1 << 30;

/// The least pool that scans and converts.
const LEAST_POOL: usize = 3 * MIB;

/// Of a part of a session's memory, as a divisor, so much is for data in any case.
const LEAST_OF_SHARE: usize = 4;

/// A memory limit, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// What was asked for.
    pub(crate) limit: usize,
    /// What operators and readers may reserve.
    pub(crate) pool: usize,
    /// Partitions that may work at a time.
    pub(crate) partitions: usize,
    /// What of the limit is not for data.
    taken: usize,
}

impl Budget {
    /// A limit that is enough on any machine.
    pub(crate) const LEAST_DEFAULT: usize = 128 * MIB;

    /// The budget of a limit. Fails where it is too small for anything.
    pub(crate) fn new(limit: usize, threads: usize) -> Result<Self, BiotideError> {
        Self::at(limit, threads, usize::try_from(rss()).unwrap_or(0))
    }

    /// That of a part of a session's memory. Whatever the program itself takes, some of it is for data.
    pub(crate) fn of_share(limit: usize, threads: usize) -> Self {
        let mut budget = Self::fitting(limit, threads, usize::try_from(rss()).unwrap_or(0));
        budget.pool = budget.pool.max(limit / LEAST_OF_SHARE);
        budget.partitions = (budget.pool / PARTITION).clamp(1, budget.partitions);
        budget
    }

    /// The same of a process that holds `start` bytes.
    fn at(limit: usize, threads: usize, start: usize) -> Result<Self, BiotideError> {
        let budget = Self::fitting(limit, threads, start);
        if budget.pool < LEAST_POOL {
            return Err(BiotideError::Option {
                key: "memory_limit".to_owned(),
                value: format_size(limit as u64),
                problem: format!(
                    "is too small: at least {}MB is needed to read and convert anything",
                    budget.limit_for(LEAST_POOL) / 1_000_000
                ),
            });
        }
        Ok(budget)
    }

    /// Of many threads no more work than the pool is enough for.
    fn fitting(limit: usize, threads: usize, start: usize) -> Self {
        let most = threads.max(1);
        let least = most.min(IDLE);
        let budgets = (least..=most).rev();
        let mut budgets = budgets.map(|threads| Self::of_threads(limit, threads, start));
        let fitting = budgets.find(|budget| budget.pool / PARTITION >= budget.partitions);
        let mut budget = fitting.unwrap_or_else(|| Self::of_threads(limit, least, start));
        budget.partitions = (budget.pool / PARTITION).clamp(1, budget.partitions);
        budget
    }

    fn of_threads(limit: usize, threads: usize, start: usize) -> Self {
        let start = start.clamp(*START.start(), *START.end());
        let taken = start + OWN + THREAD.saturating_mul(threads);
        let data = limit.saturating_add(ALLOWANCE).saturating_sub(taken);
        Self {
            limit,
            pool: (data - data / FRAGMENTS).min(limit),
            partitions: threads,
            taken,
        }
    }

    /// Whether an operator that cannot spill may hold an input of so many bytes; `None` where it is not known.
    pub(crate) fn holds(self, bytes: Option<usize>) -> bool {
        match bytes {
            Some(bytes) => bytes <= self.held(),
            None => self.pool >= PLENTY,
        }
    }

    /// What an operator that cannot spill may hold of an input.
    pub(crate) fn held(self) -> usize {
        self.pool / HELD
    }

    /// What operators that can spill may hold in all.
    pub(crate) fn for_spillers(self) -> usize {
        self.pool / SPILLABLE
    }

    /// The least limit whose pool has so many bytes, in whole megabytes.
    pub(crate) fn limit_for(self, pool: usize) -> usize {
        let data = pool.saturating_mul(FRAGMENTS).div_ceil(FRAGMENTS - 1);
        let limit = data.saturating_add(self.taken).saturating_sub(ALLOWANCE);
        let megabytes = limit.max(pool).div_ceil(1_000_000);
        megabytes.saturating_mul(1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_is_enough_and_less_is_not() {
        for threads in [1, 2, 7, 64] {
            for start in [0, 30 * MIB, 1000 * MIB] {
                let error = Budget::at(1, threads, start).unwrap_err().to_string();
                let least = error.split("at least ").nth(1).unwrap();
                let least = least.split("MB").next().unwrap().parse::<usize>().unwrap();
                assert!(Budget::at(least * 1_000_000, threads, start).is_ok());
                assert!(Budget::at((least - 1) * 1_000_000, threads, start).is_err());
            }
        }
    }

    #[test]
    fn the_pool_grows_with_the_limit() {
        let pool = |limit| Budget::at(limit, 2, 30 * MIB).unwrap().pool;
        assert!(pool(64_000_000) > 9 * MIB);
        assert!(pool(200_000_000) > 88 * MIB);
        assert!(pool(1_000_000_000) > 600 * MIB);
        assert!(pool(usize::MAX) > usize::MAX / 2);
    }

    #[test]
    fn partitions_are_as_many_as_the_pool_is_enough_for() {
        let partitions = |limit, threads| {
            let budget = Budget::at(limit, threads, 0).unwrap();
            assert!(budget.partitions == 1 || budget.pool / PARTITION >= budget.partitions);
            budget.partitions
        };
        assert_eq!(partitions(64_000_000, 64), 1);
        assert!((4..8).contains(&partitions(200_000_000, 64)));
        assert_eq!(partitions(200_000_000, 2), 2);
        assert_eq!(partitions(100_000_000_000, 64), 64);
        assert_eq!(partitions(100_000_000_000, 1), 1);
    }
}
