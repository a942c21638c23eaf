//! Paths put together to results, best first.

use std::cmp::Ordering;
use std::ops::Range;

use datafusion_common::Result;
use hashbrown::HashSet;

use super::paths::{Path, Walker};
use super::ties::{Ties, nodes};
use crate::index::Index;
use crate::index::edge_id::{EdgeId, edge_id};
use crate::mapping::key::Key;

/// Edges that there is room for from one result to the next.
const KEPT: usize = 4096;

/// A result of an identifier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) node: u32,
    pub(crate) prefix: u16,
    pub(crate) predicate: Option<u32>,
    pub(crate) confidence: f64,
    /// Of the best path.
    pub(crate) hops: usize,
    /// Its identifier, in [`Results::text`].
    pub(crate) text: Range<usize>,
    /// The paths that it rests on, in [`Results::evidence`], best first.
    pub(crate) evidence: Range<usize>,
}

/// The results of an identifier, best first. Used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) found: Vec<Found>,
    pub(crate) text: String,
    /// Numbers of paths of the walker.
    pub(crate) evidence: Vec<usize>,
    /// How many there were before any was left out.
    pub(crate) all: usize,
    /// Whether there were some below the least confidence.
    pub(crate) are_below: bool,
    /// Prefixes of which several identifiers were found, in order.
    several: Vec<u16>,
    ends: Vec<(u16, u32)>,
    order: Vec<usize>,
    used: HashSet<EdgeId>,
    keys: Vec<Key>,
    ties: Ties,
}

impl Results {
    /// Puts together what a walk has found, in no order.
    pub(crate) fn gather(&mut self, walker: &mut Walker, index: &Index, start: u32) -> Result<()> {
        self.clear();
        match walker.options().undirected {
            true => self.single(walker, index, start)?,
            false => self.combined(walker, index, start)?,
        }
        let least = walker.options().min_confidence;
        let before = self.found.len();
        self.found.retain(|found| found.confidence >= least);
        self.all = self.found.len();
        self.are_below = self.all < before;
        // (Seen before any is left out: what is shown does not change what is so.)
        if self.all > 1 {
            let ends = self.found.iter().map(|found| (found.prefix, found.node));
            self.ends.extend(ends);
            self.ends.sort_unstable();
            self.ends.dedup();
            let pairs = self.ends.windows(2).filter(|pair| pair[0].0 == pair[1].0);
            self.several.extend(pairs.map(|pair| pair[0].0));
            self.several.dedup();
        }
        walker.charge(self.size())
    }

    pub(crate) fn clear(&mut self) {
        self.found.clear();
        self.text.clear();
        self.evidence.clear();
        self.all = 0;
        self.are_below = false;
        self.several.clear();
        self.ends.clear();
    }

    /// Whether several identifiers of a prefix were found.
    pub(crate) fn has_several(&self, prefix: u16) -> bool {
        self.several.binary_search(&prefix).is_ok()
    }

    /// Whether several identifiers of any prefix were found.
    pub(crate) fn are_several(&self) -> bool {
        !self.several.is_empty()
    }

    /// About how many bytes they take.
    fn size(&self) -> usize {
        self.found.capacity() * size_of::<Found>()
            + self.text.capacity()
            + (self.evidence.capacity() + self.order.capacity()) * size_of::<usize>()
            + self.ends.capacity() * size_of::<(u16, u32)>()
            + self.used.capacity() * size_of::<EdgeId>()
            + self.keys.capacity() * size_of::<Key>()
            + self.ties.size()
    }

    /// Gives memory back that an identifier with many results took.
    pub(crate) fn shrink(&mut self) {
        if self.order.capacity() > KEPT || self.evidence.capacity() > KEPT {
            *self = Self::default();
        }
    }

    /// Adds a result, with memory that it is given.
    fn push(&mut self, found: Found, walker: &Walker) -> Result<()> {
        if self.found.len() == self.found.capacity() {
            let more = self.found.len() * size_of::<Found>();
            // (The order of paths is lent.)
            let lent = walker.paths.len() * size_of::<usize>();
            walker.charge(self.size() + lent + more)?;
        }
        self.found.push(found);
        Ok(())
    }

    /// The numbers of all paths, to be sorted and given back.
    fn lend_order(&mut self, walker: &Walker) -> Result<Vec<usize>> {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        // (They may come to be evidence, all of them.)
        walker.charge(self.size() + 2 * walker.paths.len() * size_of::<usize>())?;
        order.extend(0..walker.paths.len());
        Ok(order)
    }

    /// A result for each identifier and predicate.
    fn combined(&mut self, walker: &mut Walker, index: &Index, start: u32) -> Result<()> {
        let end = |walker: &Walker, path: usize| walker.steps_of(path)[walker.paths[path].hops - 1];
        let key =
            |walker: &Walker, path: usize| (end(walker, path).node, walker.paths[path].predicate);
        let mut order = self.lend_order(walker)?;
        order.sort_unstable_by_key(|&path| key(walker, path));
        let mut rest = order.as_mut_slice();
        while let Some(&first) = rest.first() {
            let own = key(walker, first);
            let n = rest
                .iter()
                .take_while(|&&path| key(walker, path) == own)
                .count();
            let (group, later) = rest.split_at_mut(n);
            rest = later;
            self.best_first(group, walker, index)?;
            let begin = self.evidence.len();
            let mut doubt = 1.0;
            match self.used.capacity() > KEPT {
                true => self.used = HashSet::new(),
                false => self.used.clear(),
            }
            for &path in &*group {
                let ids = edges(walker, index, start, path);
                if ids.clone().any(|id| self.used.contains(&id)) {
                    continue;
                }
                if group.len() > 1 {
                    self.used.extend(ids);
                }
                doubt *= 1.0 - walker.paths[path].confidence;
                self.evidence.push(path);
            }
            let best = group[0];
            let Path {
                confidence,
                predicate,
                hops,
            } = walker.paths[best];
            let alone = self.evidence.len() == begin + 1;
            let found = Found {
                node: own.0,
                prefix: end(walker, best).entry.prefix(),
                predicate,
                // (One path's own, to the last digit.)
                confidence: if alone { confidence } else { 1.0 - doubt },
                hops,
                text: 0..0,
                evidence: begin..self.evidence.len(),
            };
            self.push(found, walker)?;
        }
        self.order = order;
        Ok(())
    }

    /// A result for each path. Those over the same nodes with the same confidence are one, which rests on them all.
    fn single(&mut self, walker: &mut Walker, index: &Index, start: u32) -> Result<()> {
        let mut order = self.lend_order(walker)?;
        let bits = |walker: &Walker, path: usize| walker.paths[path].confidence.to_bits();
        order.sort_unstable_by(|&a, &b| {
            let by_nodes = || nodes(walker, a).cmp(nodes(walker, b));
            // (The one that says most; of those that say as much the same from either end.)
            let distance = |path: usize| {
                let predicate = walker.paths[path].predicate;
                let known = predicate.map(|n| &index.vocabulary.predicates[n as usize]);
                known.map_or(u8::MAX, |known| known.kind.distance())
            };
            let statements = |path: usize| {
                let mut ids: Vec<EdgeId> = edges(walker, index, start, path).collect();
                ids.sort_unstable();
                ids
            };
            bits(walker, b)
                .cmp(&bits(walker, a))
                .then_with(by_nodes)
                .then_with(|| distance(a).cmp(&distance(b)))
                .then_with(|| statements(a).cmp(&statements(b)))
                .then(a.cmp(&b))
        });
        let alike = |&a: &usize, &b: &usize| {
            bits(walker, a) == bits(walker, b) && nodes(walker, a).eq(nodes(walker, b))
        };
        for group in order.chunk_by(alike) {
            let Path {
                confidence,
                predicate,
                hops,
            } = walker.paths[group[0]];
            let end = walker.steps_of(group[0])[hops - 1];
            let begin = self.evidence.len();
            self.evidence.extend_from_slice(group);
            let found = Found {
                node: end.node,
                prefix: end.entry.prefix(),
                predicate,
                confidence,
                hops,
                text: 0..0,
                evidence: begin..self.evidence.len(),
            };
            self.push(found, walker)?;
        }
        self.order = order;
        Ok(())
    }

    /// Sorts them, and keeps as many. Identifiers are written out where they decide.
    pub(crate) fn cut(&mut self, walker: &mut Walker, index: &Index, limit: usize) -> Result<()> {
        let by_worth = |a: &Found, b: &Found| {
            b.confidence
                .total_cmp(&a.confidence)
                .then(a.hops.cmp(&b.hops))
        };
        if self.found.len() > limit {
            self.found.sort_unstable_by(by_worth);
            let last = self.found[limit - 1].clone();
            let n = self
                .found
                .iter()
                .take_while(|found| by_worth(found, &last) != Ordering::Greater)
                .count();
            self.found.truncate(n);
        }
        self.keys.clear();
        let nodes = self.found.iter().map(|found| found.node);
        walker.reader.keys_of(index, nodes, &mut self.keys)?;
        for (found, &key) in self.found.iter_mut().zip(&self.keys) {
            let start = self.text.len();
            walker
                .reader
                .write_key(index, found.node, key, &mut self.text)?;
            found.text = start..self.text.len();
        }
        let text = &self.text;
        let name = |found: &Found| {
            found
                .predicate
                .map(|n| &index.vocabulary.predicates[n as usize].name)
        };
        self.found.sort_by(|a, b| {
            let by_text = || text[a.text.clone()].cmp(&text[b.text.clone()]);
            by_worth(a, b)
                .then_with(by_text)
                .then_with(|| name(a).cmp(&name(b)))
        });
        if walker.options().undirected {
            self.order_paths(walker, index)?;
        }
        self.found.truncate(limit);
        walker.charge(self.size())
    }

    /// Puts paths to the same identifier that are worth the same in the order of the identifiers on them.
    fn order_paths(&mut self, walker: &mut Walker, index: &Index) -> Result<()> {
        let mut start = 0;
        while start < self.found.len() {
            let same = |a: &Found, b: &Found| {
                a.node == b.node
                    && a.hops == b.hops
                    && a.confidence.total_cmp(&b.confidence).is_eq()
            };
            let n = self.found[start..]
                .iter()
                .take_while(|found| same(found, &self.found[start]))
                .count();
            if n > 1 {
                let others = self.size() - self.ties.size();
                let (evidence, ties) = (&self.evidence, &mut self.ties);
                let group = &mut self.found[start..start + n];
                let path = |found: &Found| evidence[found.evidence.start];
                ties.take(group.iter().map(path), walker, index, others)?;
                group.sort_unstable_by(|a, b| ties.compare(walker, index, path(a), path(b)));
            }
            start += n;
        }
        Ok(())
    }

    /// Sorts paths to the same identifier: confidence, hops, then the identifiers on them, then sources.
    fn best_first(
        &mut self,
        group: &mut [usize],
        walker: &mut Walker,
        index: &Index,
    ) -> Result<()> {
        if group.len() < 2 {
            return Ok(());
        }
        let worth = |walker: &Walker, a: usize, b: usize| {
            let (a, b) = (walker.paths[a], walker.paths[b]);
            b.confidence
                .total_cmp(&a.confidence)
                .then(a.hops.cmp(&b.hops))
        };
        group.sort_unstable_by(|&a, &b| worth(walker, a, b));
        let others = self.size() - self.ties.size() + walker.paths.len() * size_of::<usize>();
        let mut start = 0;
        while start < group.len() {
            let first = group[start];
            let n = group[start..]
                .iter()
                .take_while(|&&path| worth(walker, first, path).is_eq())
                .count();
            if n > 1 {
                let tied = &mut group[start..start + n];
                self.ties
                    .take(tied.iter().copied(), walker, index, others)?;
                tied.sort_unstable_by(|&a, &b| self.ties.compare(walker, index, a, b));
            }
            start += n;
        }
        Ok(())
    }
}

/// Which statements a path is of.
fn edges(
    walker: &Walker,
    index: &Index,
    start: u32,
    path: usize,
) -> impl Iterator<Item = EdgeId> + Clone {
    let steps = walker.steps_of(path);
    let from = std::iter::once(start).chain(steps.iter().map(|step| step.node));
    from.zip(steps)
        .map(|(from, step)| edge_id(&index.vocabulary, from, step.entry))
}
