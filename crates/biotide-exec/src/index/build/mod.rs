//! Building an index, or cliques, of any number of statements.
//!
//! ```text
//! Ingest    statements ─► endpoints, dealt by the hash of their identifier
//! Numbered  endpoints of a bucket ─► sorted: equal ones meet, and have a number ─► ends, by arrival
//!           ends of a bucket ─► both ends of a statement meet ─► the caller
//! Index     halves of statements, dealt by node ─► sorted: the edges of a node meet
//! ```
//!
//! What memory does not hold goes to a file and comes back bucket by bucket. Which node has which number, and what
//! an index holds, does not depend on the order of the statements, the number of threads or the memory.

mod adjacency;
mod ingest;
mod members;
mod numbered;

pub(crate) use adjacency::{index, read};
pub(crate) use ingest::{Ingest, Intake};
pub(crate) use members::{Member, Members, Nodes, place};
pub(crate) use numbered::{Numbered, Statement};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use datafusion_execution::TaskContext;
use datafusion_execution::memory_pool::MemoryPool;

use super::buckets::Buckets;
use super::charge::{Charge, pool_size};
use super::record::Record;
use super::spill::SpillFile;

/// Of the pool, as a divisor, all that is being built may hold so much. The rest is for those that read the
/// statements.
const SHARE: usize = 2;

/// The most statements of a mapping: their ends are numbered in 32 bits.
const STATEMENTS: u64 = 1 << 31;

/// What building needs.
#[derive(Debug)]
pub(crate) struct Site {
    pool: Arc<dyn MemoryPool>,
    /// What others have left of it.
    room: usize,
    pub(crate) threads: usize,
    charge: Arc<Charge>,
    /// For what is read once.
    spill: Arc<SpillFile>,
    /// For what stays.
    file: Arc<SpillFile>,
    spilled: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

impl Site {
    pub(crate) fn new(context: &TaskContext, threads: usize) -> Self {
        let runtime = context.runtime_env();
        let pool = Arc::clone(&runtime.memory_pool);
        let spill = |what| Arc::new(SpillFile::new(Arc::clone(&runtime.disk_manager), what));
        let room = pool_size(&pool).saturating_sub(pool.reserved());
        Self {
            threads: threads.max(1),
            room,
            charge: Arc::new(Charge::within(
                "a mapping that is built",
                &pool,
                room / SHARE,
            )),
            spill: spill("a mapping that is built"),
            file: spill("a mapping"),
            spilled: Arc::default(),
            cancelled: Arc::default(),
            pool,
        }
    }

    /// Answers the bytes written to disk, for what is read again and for what stays.
    pub(crate) fn spilled_counter(&self) -> impl Fn() -> u64 + use<> {
        let (spilled, file) = (Arc::clone(&self.spilled), Arc::clone(&self.file));
        move || spilled.load(Ordering::Relaxed) + file.size()
    }

    /// Tells the threads to stop when it is dropped.
    pub(crate) fn guard(&self) -> Guard {
        Guard(Some(Arc::clone(&self.cancelled)))
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn buckets<R: Record>(&self, n: usize) -> Arc<Buckets<R>> {
        Arc::new(Buckets::new(n, &self.charge, &self.spill, &self.spilled))
    }

    /// Buckets of the first deal, when nobody knows how many statements there will be.
    fn first_bits(&self) -> u32 {
        // (So many are sorted in a fraction of a second, of a hundred million statements.)
        10
    }

    /// Records of a hand: what all hands of all that deal at a time hold is a small part of the pool.
    fn hand<R: Record>(&self, buckets: usize, dealers: usize) -> usize {
        let all = self.room / 16 / dealers.max(1);
        (all / buckets.max(1) / size_of::<R>()).clamp(4, 1024)
    }

    /// By how many bits numbers are to be shifted so that `n` of them fall into buckets whose records fit, with
    /// `bytes` for each number.
    fn shift(&self, n: u64, bytes: usize) -> u32 {
        let room = self.room / SHARE / self.threads / 4;
        let numbers = (room / bytes.max(1)).clamp(1 << 10, 1 << 20);
        let least = numbers.ilog2();
        // (No more than 4096 buckets, whatever that means for one.)
        let most = n.max(1).div_ceil(4096).next_power_of_two().ilog2();
        least.max(most)
    }
}

/// Cancels what is being built when it is dropped before it is done.
#[derive(Debug)]
pub(crate) struct Guard(Option<Arc<AtomicBool>>);

impl Guard {
    /// It is done.
    pub(crate) fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(cancelled) = &self.0 {
            cancelled.store(true, Ordering::Relaxed);
        }
    }
}
