//! Takes statements in, from several threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use biotide_common::BiotideError;
use datafusion_common::{DataFusionError, Result, exec_err};

use super::{STATEMENTS, Site};
use crate::index::buckets::{Buckets, Dealer};
use crate::index::record::{Endpoint, Record};
use crate::mapping::dictionary::{Class, Dictionary};
use crate::mapping::key::Key;

/// What statements say besides their identifiers is charged for by so many; as many are free.
const CLASSES: u64 = 1024;

/// Bytes that one takes: in a list and a table that double, and while they are sorted.
const CLASS: usize = 160;

const ROUND: &str = "different confidences, which are fewer if they are rounded";

/// What was taken in so far.
#[derive(Debug)]
pub(crate) struct Ingest {
    pub(crate) site: Site,
    pub(crate) dictionary: Dictionary,
    pub(crate) bits: u32,
    pub(crate) endpoints: Arc<Buckets<Endpoint>>,
    /// Texts that keys do not hold: key, length, bytes.
    pub(crate) texts: Arc<Buckets<u8>>,
    /// Records of a hand.
    hand: usize,
    /// What there is memory for: the least numbers of what statements say.
    classes: AtomicU64,
    statements: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) skipped: AtomicU64,
}

impl Ingest {
    /// Takes in at this site what so many have at a time.
    pub(crate) fn new(site: Site, takers: usize) -> Self {
        let bits = site.first_bits();
        Self {
            hand: site.hand::<Endpoint>(1 << bits, takers),
            dictionary: Dictionary::default(),
            endpoints: site.buckets(1 << bits),
            texts: site.buckets(1 << bits),
            bits,
            site,
            classes: AtomicU64::new(CLASSES),
            statements: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    /// The number of what a statement says.
    pub(crate) fn class(&self, class: Class) -> Result<u32> {
        let number = self.dictionary.class(class)?;
        if u64::from(number) >= self.classes.load(Ordering::Relaxed) {
            let grown = self.endpoints.grow(CLASSES as usize * CLASS);
            grown.map_err(|error| match error.find_root() {
                DataFusionError::ResourcesExhausted(_) => BiotideError::at(ROUND, error).into(),
                _ => error,
            })?;
            // (Two threads that are here at once make room twice, and give both back.)
            self.classes.fetch_add(CLASSES, Ordering::Relaxed);
        }
        Ok(number)
    }

    /// Gives back what the numbers of what statements say took while they came.
    pub(super) fn release_classes(&self) {
        let charged = self.classes.load(Ordering::Relaxed) - CLASSES;
        self.site.charge.shrink(charged as usize * CLASS);
    }

    pub(crate) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Numbers for so many statements.
    fn numbers(&self, n: usize) -> Result<u32> {
        let first = self.statements.fetch_add(n as u64, Ordering::Relaxed);
        if first + n as u64 > STATEMENTS {
            return exec_err!(
                "a mapping has at most {STATEMENTS} statements: divide it, by the prefixes of its subjects"
            );
        }
        // (Less than 2^31.)
        Ok(first as u32)
    }
}

/// Takes in what one stream has.
#[derive(Debug)]
pub(crate) struct Intake {
    ingest: Arc<Ingest>,
    endpoints: Dealer<Endpoint>,
    texts: Dealer<u8>,
    pending: Vec<([Key; 2], u32)>,
    record: Vec<u8>,
}

/// Statements that are numbered at a time.
const PENDING: usize = 1024;

impl Intake {
    pub(crate) fn new(ingest: &Arc<Ingest>) -> Self {
        let hand = ingest.hand;
        Self {
            endpoints: Dealer::new(&ingest.endpoints, hand),
            texts: Dealer::new(&ingest.texts, hand * size_of::<Endpoint>()),
            ingest: Arc::clone(ingest),
            pending: Vec::with_capacity(PENDING),
            record: Vec::new(),
        }
    }

    /// The key of an identifier, whose text is kept if it must be.
    pub(crate) fn key(&mut self, prefix: u16, seed: u64, local: &str) -> Result<Key> {
        let (key, is_long) = Key::new(prefix, seed, local.as_bytes());
        if is_long {
            self.record.clear();
            self.record.resize(Key::BYTES, 0);
            key.put(&mut self.record);
            let length = u32::try_from(local.len()).unwrap_or(u32::MAX);
            self.record.extend_from_slice(&length.to_le_bytes());
            self.record.extend_from_slice(local.as_bytes());
            self.texts
                .deal_all(key.bucket(self.ingest.bits), &self.record)?;
        }
        Ok(key)
    }

    /// Takes in a statement.
    pub(crate) fn statement(&mut self, subject: Key, object: Key, class: u32) -> Result<()> {
        self.pending.push(([subject, object], class));
        match self.pending.len() {
            PENDING => self.deal(),
            _ => Ok(()),
        }
    }

    fn deal(&mut self) -> Result<()> {
        let first = self.ingest.numbers(self.pending.len())?;
        for (number, (ends, class)) in (first..).zip(self.pending.drain(..)) {
            for (key, end) in ends.into_iter().zip(0..) {
                let at = number << 1 | end;
                self.endpoints
                    .deal(key.bucket(self.ingest.bits), Endpoint { key, at, class })?;
            }
        }
        Ok(())
    }

    /// Takes in what is left.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.deal()?;
        self.endpoints.finish()?;
        self.texts.finish()
    }
}
