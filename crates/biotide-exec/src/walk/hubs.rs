//! The edges of a hub by the prefix they lead to.
//!
//! To an identifier with many edges come many walks, and from most of them only the edges to a few prefixes lead on: not
//! those back to where they come from, at the end only those to targets. Each would look at all of them.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use datafusion_common::{Result, internal_err};
use datafusion_execution::memory_pool::MemoryReservation;

use super::denied::Denied;
use super::paths::{CHUNK, Walker};
use super::step::{At, is_barred};
use crate::index::Index;
use crate::index::entry::{Entry, Packed};
use crate::index::section::Scratch;

/// An identifier with so many edges is a hub.
pub(super) const HUB: usize = 1024;

/// The edges of a hub: their places, by prefix and in order. (What is denied of an edge stands before it, and has its
/// prefix.)
#[derive(Debug)]
pub(super) struct Hub {
    groups: Vec<(u16, Range<usize>)>,
    places: Vec<u32>,
    /// The places of denials, in order.
    denials: Vec<u32>,
}

/// The hubs that a thread has come to.
#[derive(Debug)]
pub(super) struct Hubs {
    known: HashMap<u32, Arc<Hub>>,
    held: MemoryReservation,
}

impl Hubs {
    /// None, to be charged for here.
    pub(super) fn new(held: MemoryReservation) -> Self {
        Self {
            known: HashMap::new(),
            held,
        }
    }

    /// The hub that a node is, if there is memory for it.
    fn get(
        &mut self,
        index: &Index,
        node: u32,
        (segment, range): (usize, &Range<usize>),
        scratch: &mut Scratch<Packed>,
    ) -> Result<Option<Arc<Hub>>> {
        if let Some(known) = self.known.get(&node) {
            return Ok(Some(Arc::clone(known)));
        }
        let bytes = 2 * range.len() * size_of::<u32>();
        if self.held.try_grow(bytes).is_err() {
            self.known.clear();
            self.held.free();
            if self.held.try_grow(bytes).is_err() {
                return Ok(None);
            }
        }
        let hub = Arc::new(Hub::new(index, (segment, range), scratch)?);
        self.known.insert(node, Arc::clone(&hub));
        Ok(Some(hub))
    }
}

impl Hub {
    fn new(
        index: &Index,
        (segment, range): (usize, &Range<usize>),
        scratch: &mut Scratch<Packed>,
    ) -> Result<Self> {
        let mut counts: HashMap<u16, usize> = HashMap::new();
        let mut denials = Vec::new();
        for from in range.clone().step_by(CHUNK) {
            let chunk = from..(from + CHUNK).min(range.end);
            let entries = index.arrays.entries.read(segment, chunk, scratch)?;
            for (&entry, place) in entries.iter().zip(from - range.start..) {
                let entry = Entry::unpack(entry);
                if entry.is_negated() {
                    denials.push(place as u32);
                }
                *counts.entry(entry.prefix()).or_default() += 1;
            }
        }
        let mut groups: Vec<(u16, Range<usize>)> = Vec::with_capacity(counts.len());
        let mut end = 0;
        for (prefix, n) in counts {
            groups.push((prefix, end..end + n));
            end += n;
        }
        groups.sort_unstable_by_key(|(prefix, _)| *prefix);
        let mut next: HashMap<u16, usize> = groups
            .iter()
            .map(|(prefix, group)| (*prefix, group.start))
            .collect();
        let mut places = vec![0; range.len()];
        for from in range.clone().step_by(CHUNK) {
            let chunk = from..(from + CHUNK).min(range.end);
            let entries = index.arrays.entries.read(segment, chunk, scratch)?;
            for (&entry, place) in entries.iter().zip(from - range.start..) {
                if let Some(next) = next.get_mut(&Entry::unpack(entry).prefix()) {
                    places[*next] = place as u32;
                    *next += 1;
                }
            }
        }
        Ok(Self {
            groups,
            places,
            denials,
        })
    }

    /// How many edges there are between two places, without denials.
    fn edges(&self, places: Range<usize>) -> usize {
        let before = |place: usize| self.denials.partition_point(|at| (*at as usize) < place);
        places.len() - (before(places.end) - before(places.start))
    }
}

impl Walker {
    /// Walks on from a hub, as it would by looking at all of its edges in turn. Nothing, if all of them are to be looked
    /// at.
    pub(super) fn visit_hub(
        &mut self,
        index: &Index,
        at: At,
        (segment, range): (usize, &Range<usize>),
        scratch: &mut Scratch<Packed>,
    ) -> Result<Option<ControlFlow<()>>> {
        let hub = self.hubs.get(index, at.node, (segment, range), scratch)?;
        let Some(hub) = hub else {
            return Ok(None);
        };
        let mut places: Vec<u32> = Vec::new();
        let leads_on = |(prefix, _): &&(u16, Range<usize>)| self.leads_on(at, *prefix);
        let groups: Vec<&(u16, Range<usize>)> = hub.groups.iter().filter(leads_on).collect();
        let n: usize = groups.iter().map(|(_, group)| group.len()).sum();
        if n > range.len() / 2 {
            return Ok(None);
        }
        for (_, group) in &groups {
            places.extend_from_slice(&hub.places[group.clone()]);
        }
        places.sort_unstable();
        for (prefix, group) in &hub.groups {
            if !self.leads_on(at, *prefix) {
                let own = hub.places[group.clone()].iter();
                self.leave_out(
                    index,
                    (at, *prefix),
                    segment,
                    own.map(|place| range.start + *place as usize),
                    scratch,
                )?;
            }
        }
        let (mut denied, mut seen) = (Denied::default(), 0);
        for place in places {
            let place = place as usize;
            let entry = entry_at(index, segment, range.start + place, scratch)?;
            if denied.take(entry, &index.vocabulary) {
                continue;
            }
            // (All before it were looked at, too.)
            if !self.may_look_at(hub.edges(seen..place + 1)) {
                return Ok(Some(ControlFlow::Break(())));
            }
            seen = place + 1;
            if self.step(index, at, entry, &denied)?.is_break() {
                return Ok(Some(ControlFlow::Break(())));
            }
        }
        Ok(Some(match self.may_look_at(hub.edges(seen..range.len())) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }))
    }

    /// Whether edges to a prefix lead to a result, or on.
    fn leads_on(&self, at: At, prefix: u16) -> bool {
        // (Of the start it is told what is denied.)
        if at.depth == 0 {
            return true;
        }
        let is_last = at.depth + 1 == self.options.max_hops;
        let is_result = self.is_target(prefix) && !self.is_passed(prefix);
        (is_result || !is_last) && !self.is_repeated(prefix)
    }

    /// Notes what is noted of edges that do not.
    fn leave_out(
        &mut self,
        index: &Index,
        (at, prefix): (At, u16),
        segment: usize,
        places: impl Iterator<Item = usize>,
        scratch: &mut Scratch<Packed>,
    ) -> Result<()> {
        let is_last = at.depth + 1 == self.options.max_hops;
        if !self.is_target(prefix) {
            return Ok(());
        }
        let is_passed = is_last && self.is_passed(prefix);
        let mut denied = Denied::default();
        for place in places {
            if self.repeats && !is_passed {
                break;
            }
            let entry = entry_at(index, segment, place, scratch)?;
            if denied.take(entry, &index.vocabulary) {
                continue;
            }
            if is_passed {
                self.passed += 1;
            } else {
                self.repeats = !denied.denies(entry, &index.vocabulary)
                    && !is_barred(entry, self.is_backwards)
                    && !self.nodes.contains(&entry.to);
            }
        }
        Ok(())
    }
}

fn entry_at(
    index: &Index,
    segment: usize,
    place: usize,
    scratch: &mut Scratch<Packed>,
) -> Result<Entry> {
    match index
        .arrays
        .entries
        .read(segment, place..place + 1, scratch)?
    {
        [entry] => Ok(Entry::unpack(*entry)),
        _ => internal_err!("an index has no edge {place}"),
    }
}
