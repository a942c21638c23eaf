//! The edges of a hub by the prefix they lead to.
//!
//! To an identifier with many edges come many walks, and from most of them only the edges to a few prefixes lead on: not
//! those back to where they come from, at the end only those to targets. Each would look at all of them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;
use parking_lot::Mutex;

use super::Index;
use super::entry::{Entry, Packed};
use super::section::Scratch;

/// An identifier with so many edges is a hub.
pub(crate) const HUB: usize = 1024;

/// Edges that are read at a time.
const CHUNK: usize = 4096;

/// The visit at which the edges of a hub are told apart: that takes as long as three.
const VISITS: u8 = 4;

/// Hubs whose visits are counted.
const COUNTED: usize = 1 << 16;

/// The edges of a hub.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) groups: Vec<Group>,
    places: Vec<u32>,
    /// The places of denials, in order.
    denials: Vec<u32>,
    _held: MemoryReservation,
}

/// The edges to a prefix.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) prefix: u16,
    places: Range<usize>,
    /// Of them, those that deny something.
    pub(crate) denials: usize,
}

impl Group {
    /// How many edges there are, with denials.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

impl Hub {
    /// Bytes of one with so many edges.
    fn size(edges: usize) -> usize {
        // (Any of them may be a denial, too.)
        2 * edges * size_of::<u32>()
    }

    /// Tells the edges of a node apart.
    pub(crate) fn new(
        index: &Index,
        (segment, range): (usize, &Range<usize>),
        scratch: &mut Scratch<Packed>,
        held: MemoryReservation,
    ) -> Result<Self> {
        let mut counts: HashMap<u16, (usize, usize)> = HashMap::new();
        let mut denials = Vec::new();
        each(index, (segment, range), scratch, |entry, place| {
            let (all, negated) = counts.entry(entry.prefix()).or_default();
            *all += 1;
            if entry.is_negated() {
                *negated += 1;
                denials.push(place);
            }
        })?;
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|(prefix, _)| *prefix);
        let mut end = 0;
        let groups = counts.into_iter().map(|(prefix, (all, denials))| {
            let start = end;
            end += all;
            Group {
                prefix,
                places: start..end,
                denials,
            }
        });
        let groups: Vec<Group> = groups.collect();
        let starts = groups
            .iter()
            .map(|group| (group.prefix, group.places.start));
        let mut next: HashMap<u16, usize> = starts.collect();
        let mut places = vec![0; range.len()];
        each(index, (segment, range), scratch, |entry, place| {
            if let Some(next) = next.get_mut(&entry.prefix()) {
                places[*next] = place;
                *next += 1;
            }
        })?;
        Ok(Self {
            groups,
            places,
            denials,
            _held: held,
        })
    }

    /// The places of edges among those of the node, in order. (What is denied of an edge stands before it, and has its
    /// prefix.)
    pub(crate) fn places(&self, group: &Group) -> &[u32] {
        &self.places[group.places.clone()]
    }

    /// How many edges there are between two places, without denials.
    pub(crate) fn edges(&self, places: Range<usize>) -> usize {
        let before = |place: usize| self.denials.partition_point(|at| (*at as usize) < place);
        places.len() - (before(places.end) - before(places.start))
    }
}

/// Shows the edges of a node, with their places among them.
fn each(
    index: &Index,
    (segment, range): (usize, &Range<usize>),
    scratch: &mut Scratch<Packed>,
    mut show: impl FnMut(Entry, u32),
) -> Result<()> {
    for from in range.clone().step_by(CHUNK) {
        let chunk = from..(from + CHUNK).min(range.end);
        let entries = index.arrays.entries.read(segment, chunk, scratch)?;
        for (&entry, place) in entries.iter().zip(from - range.start..) {
            show(Entry::unpack(entry), place as u32);
        }
    }
    Ok(())
}

/// The hubs that walkers of an index have come to.
#[derive(Debug)]
pub(crate) struct Hubs {
    known: Mutex<Known>,
    /// Bytes that they may take.
    most: usize,
    /// The visit at which one is told apart.
    visits: u8,
}

#[derive(Debug, Default)]
struct Known {
    /// How often walks came to those that are not told apart yet.
    visits: HashMap<u32, u8>,
    hubs: HashMap<u32, Arc<Hub>>,
    bytes: usize,
}

impl Hubs {
    /// Of which there may be so many bytes.
    pub(crate) fn within(most: usize) -> Self {
        Self {
            known: Mutex::default(),
            most,
            visits: VISITS,
        }
    }

    /// All of them at once.
    #[cfg(test)]
    pub(crate) fn at_once() -> Self {
        Self {
            visits: 1,
            ..Self::within(usize::MAX)
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.known.lock().hubs.len()
    }

    /// The hub that a node is, if walks come to it often and there is memory for it, of `held`'s consumer.
    pub(crate) fn get(
        &self,
        index: &Index,
        (node, segment, range): (u32, usize, &Range<usize>),
        scratch: &mut Scratch<Packed>,
        held: &MemoryReservation,
    ) -> Result<Option<Arc<Hub>>> {
        let bytes = Hub::size(range.len());
        {
            let mut known = self.known.lock();
            if let Some(hub) = known.hubs.get(&node) {
                return Ok(Some(Arc::clone(hub)));
            }
            if bytes > self.most || !known.is_visited_often(node, self.visits) {
                return Ok(None);
            }
        }
        let held = held.new_empty();
        if held.try_grow(bytes).is_err() {
            self.clear();
            if held.try_grow(bytes).is_err() {
                return Ok(None);
            }
        }
        let hub = Arc::new(Hub::new(index, (segment, range), scratch, held)?);
        let mut known = self.known.lock();
        if known.bytes.saturating_add(bytes) > self.most {
            known.clear();
        }
        if known.hubs.insert(node, Arc::clone(&hub)).is_none() {
            known.bytes += bytes;
        }
        Ok(Some(hub))
    }

    /// Forgets them, where memory is needed for what cannot be done without.
    pub(crate) fn clear(&self) {
        self.known.lock().clear();
    }
}

impl Known {
    fn is_visited_often(&mut self, node: u32, often: u8) -> bool {
        if self.visits.len() >= COUNTED {
            self.visits.clear();
        }
        let visits = self.visits.entry(node).or_default();
        *visits = visits.saturating_add(1);
        *visits >= often
    }

    /// (Those that walks are at stay, and are charged for, until they have left.)
    fn clear(&mut self) {
        *self = Self::default();
    }
}
