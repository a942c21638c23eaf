//! Looks things up in an index.

use std::ops::Range;
use std::sync::{Arc, Weak};

use datafusion_common::{Result, internal_err};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::charge::Charge;
use super::entry::Packed;
use super::hubs::Hubs;
use super::pages::Pages;
use super::section::{Scratch, Section};
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::key::Key;

/// Identifiers and the edges between them. Shared by all that look things up, each with a [`Reader`] of its own.
#[derive(Debug)]
pub struct Index {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) arrays: Arrays,
    pub(crate) counts: Counts,
    pub(crate) pages: Option<Arc<Pages>>,
    /// Where in its segment the keys with the same next bits begin, of segments that are in memory.
    directory: Vec<Vec<u32>>,
    /// Of all that walk.
    hubs: Mutex<Weak<Hubs>>,
    charge: Arc<Charge>,
}

/// Of what an index may hold, as a divisor, its hubs take so much at most.
const HUBS: usize = 4;

/// What was counted when an index was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Statements that it holds.
    pub edges: u64,
    /// Of them, denials.
    pub negated: u64,
    /// Statements of an identifier about itself, which are left out.
    pub self_loops: u64,
    /// Statements that say again what another one says.
    pub duplicates: u64,
    /// Rows that are no statements; they are in the reject log.
    pub rejected: u64,
    /// Rows that are no statements about two identifiers: literals, and curated absences.
    pub skipped: u64,
}

/// The arrays of an index.
#[derive(Debug)]
pub(crate) struct Arrays {
    /// Of a key, so many bits say its segment.
    pub(crate) bits: u32,
    pub(crate) keys: Section<Key>,
    /// The number of the first node of each segment of keys, and of nodes in all.
    pub(crate) bases: Vec<u32>,
    pub(crate) texts: Section<[u32; 2]>,
    pub(crate) text: Section<u8>,
    /// Nodes of a segment of edges: 2^shift.
    pub(crate) shift: u32,
    pub(crate) offsets: Section<u32>,
    pub(crate) entries: Section<Packed>,
}

impl Index {
    pub(crate) fn new(
        vocabulary: Vocabulary,
        arrays: Arrays,
        counts: Counts,
        pages: Option<Arc<Pages>>,
        charge: Arc<Charge>,
    ) -> Result<Self> {
        charge.grow(vocabulary.size())?;
        let mut directory = Vec::new();
        for segment in 0..arrays.keys.segments.len() {
            let slots = arrays
                .keys
                .in_memory(segment)
                .map_or(Vec::new(), |keys| slots(keys, arrays.bits));
            match charge.try_grow(slots.capacity() * size_of::<u32>()) {
                true => directory.push(slots),
                false => directory.push(Vec::new()),
            }
        }
        Ok(Self {
            vocabulary,
            arrays,
            counts,
            pages,
            directory,
            hubs: Mutex::default(),
            charge,
        })
    }

    /// Identifiers.
    pub fn nodes(&self) -> u32 {
        self.arrays.bases.last().copied().unwrap_or(0)
    }

    /// The prefixes of its identifiers.
    pub fn prefixes(&self) -> Vec<&str> {
        self.vocabulary
            .prefixes
            .iter()
            .map(|prefix| prefix.name.as_str())
            .collect()
    }

    /// What was counted when it was built.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Counts rows that were set aside before they could be statements.
    pub fn add_rejected(&mut self, rows: u64) {
        self.counts.rejected += rows;
    }

    /// Whether it is read from a file, and how many pages were.
    pub fn pages_read(&self) -> Option<u64> {
        self.pages.as_ref().map(|pages| pages.reads())
    }

    /// The hubs that walkers have come to, shared by those that there are.
    pub(crate) fn hubs(&self) -> Arc<Hubs> {
        let mut shared = self.hubs.lock();
        shared.upgrade().unwrap_or_else(|| {
            let hubs = Arc::new(Hubs::within(self.charge.most() / HUBS));
            *shared = Arc::downgrade(&hubs);
            hubs
        })
    }

    /// The keys of the segment of a key, and which of them it can be; `None`, if they are not in memory.
    pub(super) fn slot_of(&self, key: Key) -> Option<(&[Key], Range<usize>)> {
        let segment = key.bucket(self.arrays.bits);
        let keys = self.arrays.keys.in_memory(segment)?;
        let slots = self.directory.get(segment).map_or(&[][..], Vec::as_slice);
        let slot = slot(key, self.arrays.bits, slot_bits(keys.len()));
        let range = match slots {
            [] => 0..keys.len(),
            slots => slots[slot] as usize..slots[slot + 1] as usize,
        };
        Some((keys, range))
    }

    /// The segment of keys that a node is in.
    pub(super) fn segment(&self, node: u32) -> Option<usize> {
        let nodes = u64::from(self.nodes());
        if u64::from(node) >= nodes {
            return None;
        }
        // (They are about of a size.)
        let segments = self.arrays.bases.len() as u64 - 1;
        let mut at = (u64::from(node) * segments / nodes) as usize;
        while self.arrays.bases[at] > node {
            at -= 1;
        }
        while self.arrays.bases[at + 1] <= node {
            at += 1;
        }
        Some(at)
    }
}

/// For each group of about four keys of a segment, by their next bits, where it begins; one more at the end.
fn slots(keys: &[Key], bits: u32) -> Vec<u32> {
    let slot_bits = slot_bits(keys.len());
    let slot = |key: &Key| slot(*key, bits, slot_bits);
    let mut slots = Vec::with_capacity((1 << slot_bits) + 1);
    let mut at = 0;
    for number in 0..1 << slot_bits {
        while keys.get(at).is_some_and(|key| slot(key) < number) {
            at += 1;
        }
        slots.push(at as u32);
    }
    slots.push(keys.len() as u32);
    slots
}

fn slot_bits(keys: usize) -> u32 {
    (keys / 4).max(1).ilog2()
}

fn slot(key: Key, bits: u32, slot_bits: u32) -> usize {
    match slot_bits {
        0 => 0,
        slot_bits => ((key.hi << bits) >> (64 - slot_bits)) as usize,
    }
}

/// Looks things up for one thread.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    keys: Scratch<Key>,
    offsets: Scratch<u32>,
    texts: Scratch<[u32; 2]>,
    text: Scratch<u8>,
}

impl Reader {
    /// The node of an identifier.
    pub(crate) fn find(&mut self, index: &Index, prefix: u16, local: &str) -> Result<Option<u32>> {
        let Some(known) = index.vocabulary.prefixes.get(usize::from(prefix)) else {
            return Ok(None);
        };
        let (key, is_long) = Key::new(prefix, known.seed, local.as_bytes());
        let segment = key.bucket(index.arrays.bits);
        let Some(place) = self.place(index, segment, key)? else {
            return Ok(None);
        };
        let node = index.arrays.bases[segment] + place as u32;
        if is_long && self.long_text(index, segment, place)? != local.as_bytes() {
            return Ok(None);
        }
        Ok(Some(node))
    }

    /// Where a key is in its segment.
    fn place(&mut self, index: &Index, segment: usize, key: Key) -> Result<Option<usize>> {
        let n = index.arrays.keys.len(segment);
        if n == 0 {
            return Ok(None);
        }
        if let Some((keys, slot)) = index.slot_of(key) {
            let found = keys[slot.clone()].binary_search(&key);
            return Ok(found.ok().map(|at| slot.start + at));
        }
        self.place_on_disk(index, segment, key)
    }

    /// The same where keys are read from a file. They are spread evenly: the page is read where the key would be if
    /// they were so exactly, then the one where it would be by what that page holds.
    fn place_on_disk(&mut self, index: &Index, segment: usize, key: Key) -> Result<Option<usize>> {
        let keys = &index.arrays.keys;
        let rest = |key: Key| u128::from(key.hi << index.arrays.bits);
        // (The key is between these places, and these are the bits of what is there.)
        let (mut low, mut high) = (0, keys.len(segment));
        let (mut least, mut most) = (0_u128, 1_u128 << 64);
        while low < high {
            let share = (rest(key).saturating_sub(least)) * (high - low) as u128;
            let steps = share / most.saturating_sub(least).max(1);
            let guess = low + steps.min((high - low - 1) as u128) as usize;
            let page = keys.page(segment, guess);
            let range = page.start.max(low)..page.end.min(high);
            let (start, end) = (range.start, range.end);
            let page = keys.read(segment, range, &mut self.keys)?;
            match page.binary_search(&key) {
                Ok(at) => return Ok(Some(start + at)),
                Err(0) => {
                    high = start;
                    most = page.first().map_or(most, |&first| rest(first));
                }
                Err(at) if at == page.len() => {
                    low = end;
                    least = page.last().map_or(least, |&last| rest(last));
                }
                Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The keys of nodes, appended to `out`.
    pub(crate) fn keys_of(
        &mut self,
        index: &Index,
        nodes: impl Iterator<Item = u32>,
        out: &mut Vec<Key>,
    ) -> Result<()> {
        // (Apart from writing them: in a short loop the processor waits for several of them at once.)
        for node in nodes {
            out.push(self.key(index, node)?);
        }
        Ok(())
    }

    fn key(&mut self, index: &Index, node: u32) -> Result<Key> {
        let Some(segment) = index.segment(node) else {
            return internal_err!("there is no node {node}");
        };
        let place = (node - index.arrays.bases[segment]) as usize;
        Ok(match index.arrays.keys.in_memory(segment) {
            Some(keys) => keys[place],
            None => index
                .arrays
                .keys
                .read(segment, place..place + 1, &mut self.keys)?[0],
        })
    }

    /// Appends an identifier to a text, as a CURIE.
    pub(crate) fn write_curie(&mut self, index: &Index, node: u32, out: &mut String) -> Result<()> {
        let key = self.key(index, node)?;
        self.write_key(index, node, key, out)
    }

    /// The same of a node whose key is known.
    pub(crate) fn write_key(
        &mut self,
        index: &Index,
        node: u32,
        key: Key,
        out: &mut String,
    ) -> Result<()> {
        let Some(prefix) = index.vocabulary.prefixes.get(usize::from(key.prefix())) else {
            return internal_err!("there is no prefix of node {node}");
        };
        out.push_str(&prefix.name);
        out.push(':');
        if key.write_local(prefix.seed, out) {
            return Ok(());
        }
        let Some(segment) = index.segment(node) else {
            return internal_err!("there is no node {node}");
        };
        let place = (node - index.arrays.bases[segment]) as usize;
        let text = self.long_text(index, segment, place)?;
        out.push_str(std::str::from_utf8(text).unwrap_or_default());
        Ok(())
    }

    /// The prefix of a node.
    pub(crate) fn prefix(&mut self, index: &Index, node: u32) -> Result<u16> {
        Ok(self.key(index, node)?.prefix())
    }

    /// The text of an identifier that its key does not hold.
    fn long_text<'a>(
        &'a mut self,
        index: &'a Index,
        segment: usize,
        place: usize,
    ) -> Result<&'a [u8]> {
        let n = index.arrays.texts.len(segment);
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low.midpoint(high);
            let [at, _] = index
                .arrays
                .texts
                .read(segment, middle..middle + 1, &mut self.texts)?[0];
            match (at as usize).cmp(&place) {
                std::cmp::Ordering::Less => low = middle + 1,
                _ => high = middle,
            }
        }
        if low == n {
            return internal_err!("the text of an identifier is missing");
        }
        let end = match low + 1 < n {
            true => index
                .arrays
                .texts
                .read(segment, low + 1..low + 2, &mut self.texts)?[0][1]
                as usize,
            false => index.arrays.text.len(segment),
        };
        let [at, start] = index
            .arrays
            .texts
            .read(segment, low..low + 1, &mut self.texts)?[0];
        if at as usize != place {
            return internal_err!("the text of an identifier is missing");
        }
        index
            .arrays
            .text
            .read(segment, start as usize..end, &mut self.text)
    }

    /// Where the entries of a node are: the segment, and which of it.
    pub(crate) fn edges(&mut self, index: &Index, node: u32) -> Result<(usize, Range<usize>)> {
        let segment = (node >> index.arrays.shift) as usize;
        let place = (node & ((1 << index.arrays.shift) - 1)) as usize;
        match *index
            .arrays
            .offsets
            .read(segment, place..place + 2, &mut self.offsets)?
        {
            [start, end] => Ok((segment, start as usize..end as usize)),
            _ => internal_err!("the offsets of an index are cut short"),
        }
    }
}
