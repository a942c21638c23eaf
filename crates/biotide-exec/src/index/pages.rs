//! A file that is read a page at a time, through a cache that is charged for.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use biotide_common::BiotideError;
use datafusion_common::{Result, resources_datafusion_err};
use datafusion_execution::memory_pool::MemoryPool;
use quick_cache::sync::Cache;
use twox_hash::XxHash64;

use super::charge::Charge;
use super::spill::{SpillFile, read_at};

/// Bytes of a page.
pub(crate) const PAGE: usize = 4 << 10;

/// Of the pool, as a divisor, a cache may take so much; and at least, and at most so many pages.
const SHARE: usize = 4;
const LEAST: usize = 64;
const MOST: usize = 1 << 18;

/// What pages are read from.
#[derive(Debug)]
pub(crate) enum Paged {
    /// A file of this process.
    Spilled(Arc<SpillFile>),
    /// A stored one: its path, and the checksum of every page.
    Stored {
        file: File,
        path: String,
        checksums: Vec<u64>,
    },
}

/// Reads a file through a cache.
#[derive(Debug)]
pub(crate) struct Pages {
    paged: Paged,
    size: u64,
    cache: Cache<u64, Arc<[u8]>>,
    _charge: Charge,
    reads: AtomicU64,
}

impl Pages {
    /// Pages of a file of so many bytes.
    pub(crate) fn new(paged: Paged, size: u64, pool: &Arc<dyn MemoryPool>) -> Result<Self> {
        let charge = Charge::new("the pages of a mapping", pool, SHARE);
        let checksums = match &paged {
            Paged::Stored { checksums, .. } => size_of_val(checksums.as_slice()),
            Paged::Spilled(_) => 0,
        };
        let pages = usize::try_from(size.div_ceil(PAGE as u64)).unwrap_or(usize::MAX);
        let mut wanted = (charge.most() / PAGE).clamp(LEAST, MOST).min(pages.max(1));
        charge.grow(checksums)?;
        while !charge.try_grow(wanted * PAGE) {
            if wanted <= LEAST {
                charge.grow(LEAST * PAGE).map_err(|error| {
                    resources_datafusion_err!("the pages of a mapping need memory: {error}")
                })?;
                wanted = LEAST;
                break;
            }
            wanted = (wanted / 2).max(LEAST);
        }
        Ok(Self {
            paged,
            size,
            cache: Cache::new(wanted),
            _charge: charge,
            reads: AtomicU64::new(0),
        })
    }

    /// Fills bytes from a place.
    pub(crate) fn read(&self, at: u64, to: &mut [u8]) -> Result<()> {
        let (mut at, mut to) = (at, to);
        while !to.is_empty() {
            let number = at / PAGE as u64;
            let page = self
                .cache
                .get_or_insert_with(&number, || self.load(number))?;
            let start = (at % PAGE as u64) as usize;
            let from = page.get(start..).unwrap_or_default();
            let n = from.len().min(to.len());
            if n == 0 {
                return Err(self.damaged("ends too early"));
            }
            let (now, later) = to.split_at_mut(n);
            now.copy_from_slice(&from[..n]);
            (at, to) = (at + n as u64, later);
        }
        Ok(())
    }

    /// Pages read from the file.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn load(&self, number: u64) -> Result<Arc<[u8]>> {
        let at = number * PAGE as u64;
        let n = self.size.saturating_sub(at).min(PAGE as u64) as usize;
        let mut page = vec![0; n];
        self.reads.fetch_add(1, Ordering::Relaxed);
        match &self.paged {
            Paged::Spilled(file) => file.read(at, &mut page)?,
            Paged::Stored {
                file,
                path,
                checksums,
            } => {
                read_at(file, at, &mut page)
                    .map_err(|error| BiotideError::io(format!("reading {path}"), error))?;
                let known = usize::try_from(number)
                    .ok()
                    .and_then(|number| checksums.get(number));
                if known != Some(&checksum(&page)) {
                    return Err(self.damaged(&format!("is damaged at byte {at}")));
                }
            }
        }
        Ok(page.into())
    }

    fn damaged(&self, problem: &str) -> datafusion_common::DataFusionError {
        let name = match &self.paged {
            Paged::Spilled(_) => "a temporary file of a mapping",
            Paged::Stored { path, .. } => path,
        };
        BiotideError::file(
            name,
            format!("it {problem}; make it anew with CREATE MAPPING"),
        )
        .into()
    }
}

/// The checksum of a page.
pub(crate) fn checksum(page: &[u8]) -> u64 {
    XxHash64::oneshot(0, page)
}
