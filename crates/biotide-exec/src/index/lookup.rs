//! Looks things up in an index.

use std::ops::Range;
use std::sync::Arc;

use datafusion_common::{Result, internal_err};
use serde::{Deserialize, Serialize};

use super::charge::Charge;
use super::entry::Packed;
use super::pages::Pages;
use super::section::{Scratch, Section};
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::key::Key;

/// Identifiers and the edges between them. Shared by all that look things up, each with a [`Reader`] of its own.
#[derive(Debug)]
pub struct Index {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) bits: u32,
    pub(crate) keys: Section<Key>,
    /// The number of the first node of each segment of keys, and of nodes in all.
    pub(crate) bases: Vec<u32>,
    pub(crate) texts: Section<[u32; 2]>,
    pub(crate) text: Section<u8>,
    pub(crate) shift: u32,
    pub(crate) offsets: Section<u32>,
    pub(crate) entries: Section<Packed>,
    pub(crate) counts: Counts,
    pub(crate) pages: Option<Arc<Pages>>,
    /// Where in its segment the keys with the same next bits begin, of segments that are in memory.
    directory: Vec<Vec<u32>>,
    _charge: Arc<Charge>,
}

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
pub(crate) struct Arrays {
    pub(crate) bits: u32,
    pub(crate) keys: Section<Key>,
    pub(crate) bases: Vec<u32>,
    pub(crate) texts: Section<[u32; 2]>,
    pub(crate) text: Section<u8>,
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
        let Arrays {
            bits,
            keys,
            bases,
            texts,
            text,
            shift,
            offsets,
            entries,
        } = arrays;
        charge.grow(vocabulary.size())?;
        let mut directory = Vec::new();
        for segment in 0..keys.segments.len() {
            let slots = keys
                .in_memory(segment)
                .map_or(Vec::new(), |keys| slots(keys, bits));
            match charge.try_grow(slots.capacity() * size_of::<u32>()) {
                true => directory.push(slots),
                false => directory.push(Vec::new()),
            }
        }
        Ok(Self {
            vocabulary,
            bits,
            keys,
            bases,
            texts,
            text,
            shift,
            offsets,
            entries,
            counts,
            pages,
            directory,
            _charge: charge,
        })
    }

    /// Identifiers.
    pub fn nodes(&self) -> u32 {
        self.bases.last().copied().unwrap_or(0)
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

    /// Whether it is read from a file, and how many pages were.
    pub fn pages_read(&self) -> Option<u64> {
        self.pages.as_ref().map(|pages| pages.reads())
    }

    /// The segment of keys that a node is in.
    fn segment(&self, node: u32) -> Option<usize> {
        let nodes = u64::from(self.nodes());
        if u64::from(node) >= nodes {
            return None;
        }
        // (They are about of a size.)
        let segments = self.bases.len() as u64 - 1;
        let mut at = (u64::from(node) * segments / nodes) as usize;
        while self.bases[at] > node {
            at -= 1;
        }
        while self.bases[at + 1] <= node {
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
        let segment = key.bucket(index.bits);
        let Some(place) = self.place(index, segment, key)? else {
            return Ok(None);
        };
        let node = index.bases[segment] + place as u32;
        if is_long && self.long_text(index, segment, place)? != local.as_bytes() {
            return Ok(None);
        }
        Ok(Some(node))
    }

    /// Where a key is in its segment.
    fn place(&mut self, index: &Index, segment: usize, key: Key) -> Result<Option<usize>> {
        let n = index.keys.len(segment);
        if n == 0 {
            return Ok(None);
        }
        if let Some(keys) = index.keys.in_memory(segment) {
            let slots = index.directory.get(segment).map_or(&[][..], Vec::as_slice);
            let slot = slot(key, index.bits, slot_bits(n));
            let range = match slots {
                [] => 0..n,
                slots => slots[slot] as usize..slots[slot + 1] as usize,
            };
            let found = keys[range.clone()].binary_search(&key);
            return Ok(found.ok().map(|at| range.start + at));
        }
        // Keys are spread evenly: it is near where it would be if they were so exactly.
        let guess = key.guess(index.bits, n);
        let mut reach = 2 * n.isqrt() + 8;
        loop {
            let range = guess.saturating_sub(reach)..(guess + reach).min(n);
            let (first, last) = (range.start == 0, range.end == n);
            let start = range.start;
            let keys = index.keys.read(segment, range, &mut self.keys)?;
            match keys.binary_search(&key) {
                Ok(at) => return Ok(Some(start + at)),
                Err(0) if !first => {}
                Err(at) if at == keys.len() && !last => {}
                Err(_) => return Ok(None),
            }
            reach *= 4;
        }
    }

    /// Appends an identifier to a text, as a CURIE.
    pub(crate) fn write_curie(&mut self, index: &Index, node: u32, out: &mut String) -> Result<()> {
        let Some(segment) = index.segment(node) else {
            return internal_err!("there is no node {node}");
        };
        let place = (node - index.bases[segment]) as usize;
        let key = match index.keys.in_memory(segment) {
            Some(keys) => keys[place],
            None => index.keys.read(segment, place..place + 1, &mut self.keys)?[0],
        };
        let Some(prefix) = index.vocabulary.prefixes.get(usize::from(key.prefix())) else {
            return internal_err!("there is no prefix of node {node}");
        };
        out.push_str(&prefix.name);
        out.push(':');
        if !key.write_local(prefix.seed, out) {
            let text = self.long_text(index, segment, place)?;
            out.push_str(std::str::from_utf8(text).unwrap_or_default());
        }
        Ok(())
    }

    /// The prefix of a node.
    pub(crate) fn prefix(&mut self, index: &Index, node: u32) -> Result<u16> {
        let Some(segment) = index.segment(node) else {
            return internal_err!("there is no node {node}");
        };
        let place = (node - index.bases[segment]) as usize;
        Ok(index.keys.read(segment, place..place + 1, &mut self.keys)?[0].prefix())
    }

    /// The text of an identifier that its key does not hold.
    fn long_text<'a>(
        &'a mut self,
        index: &'a Index,
        segment: usize,
        place: usize,
    ) -> Result<&'a [u8]> {
        let n = index.texts.len(segment);
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low.midpoint(high);
            let [at, _] = index
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
                .texts
                .read(segment, low + 1..low + 2, &mut self.texts)?[0][1]
                as usize,
            false => index.text.len(segment),
        };
        let [at, start] = index.texts.read(segment, low..low + 1, &mut self.texts)?[0];
        if at as usize != place {
            return internal_err!("the text of an identifier is missing");
        }
        index
            .text
            .read(segment, start as usize..end, &mut self.text)
    }

    /// Where the entries of a node are: the segment, and which of it.
    pub(crate) fn edges(&mut self, index: &Index, node: u32) -> Result<(usize, Range<usize>)> {
        let segment = (node >> index.shift) as usize;
        let place = (node & ((1 << index.shift) - 1)) as usize;
        match *index
            .offsets
            .read(segment, place..place + 2, &mut self.offsets)?
        {
            [start, end] => Ok((segment, start as usize..end as usize)),
            _ => internal_err!("the offsets of an index are cut short"),
        }
    }
}
