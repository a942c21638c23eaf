//! Paths put together to results, best first.

use std::cmp::Ordering;
use std::ops::Range;

use datafusion_common::Result;
use hashbrown::HashSet;

use super::paths::{Path, Walker};
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
    order: Vec<usize>,
    used: HashSet<EdgeId>,
    keys: Vec<Key>,
}

impl Results {
    /// Puts together what a walk has found.
    pub(crate) fn gather(&mut self, walker: &mut Walker, index: &Index, start: u32) -> Result<()> {
        self.found.clear();
        self.text.clear();
        self.evidence.clear();
        match walker.options().undirected {
            true => self.single(walker, index, start)?,
            false => self.combined(walker, index, start)?,
        }
        let least = walker.options().min_confidence;
        self.found.retain(|found| found.confidence >= least);
        self.cut(walker, index)
    }

    /// A result for each identifier and predicate.
    fn combined(&mut self, walker: &mut Walker, index: &Index, start: u32) -> Result<()> {
        let end = |walker: &Walker, path: usize| walker.steps_of(path)[walker.paths[path].hops - 1];
        let key =
            |walker: &Walker, path: usize| (end(walker, path).node, walker.paths[path].predicate);
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(0..walker.paths.len());
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
            best_first(group, walker, index)?;
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
            self.found.push(Found {
                node: own.0,
                prefix: end(walker, best).entry.prefix(),
                predicate,
                // (One path's own, to the last digit.)
                confidence: if alone { confidence } else { 1.0 - doubt },
                hops,
                text: 0..0,
                evidence: begin..self.evidence.len(),
            });
        }
        self.order = order;
        Ok(())
    }

    /// A result for each path; those that look alike are one.
    fn single(&mut self, walker: &mut Walker, index: &Index, _start: u32) -> Result<()> {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(0..walker.paths.len());
        fn nodes(walker: &Walker, path: usize) -> impl Iterator<Item = u32> {
            walker.steps_of(path).iter().map(|step| step.node)
        }
        let bits = |walker: &Walker, path: usize| walker.paths[path].confidence.to_bits();
        order.sort_unstable_by(|&a, &b| {
            let by_nodes = || nodes(walker, a).cmp(nodes(walker, b));
            let predicate = |path: usize| walker.paths[path].predicate;
            let named = |path: usize| {
                predicate(path).map(|n| &index.vocabulary.predicates[n as usize].name)
            };
            bits(walker, b)
                .cmp(&bits(walker, a))
                .then_with(by_nodes)
                .then_with(|| named(a).cmp(&named(b)))
        });
        order.dedup_by(|a, b| {
            bits(walker, *a) == bits(walker, *b) && nodes(walker, *a).eq(nodes(walker, *b))
        });
        for &path in &order {
            let Path {
                confidence,
                predicate,
                hops,
            } = walker.paths[path];
            let end = walker.steps_of(path)[hops - 1];
            self.evidence.push(path);
            self.found.push(Found {
                node: end.node,
                prefix: end.entry.prefix(),
                predicate,
                confidence,
                hops,
                text: 0..0,
                evidence: self.evidence.len() - 1..self.evidence.len(),
            });
        }
        self.order = order;
        Ok(())
    }

    /// Sorts, and keeps as many as are wanted. Identifiers are written out where they decide.
    fn cut(&mut self, walker: &mut Walker, index: &Index) -> Result<()> {
        let limit = walker.options().limit;
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
        Ok(())
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
                let mut named = Vec::with_capacity(n);
                for found in &self.found[start..start + n] {
                    let path = self.evidence[found.evidence.start];
                    named.push((path_text(path, walker, index)?, found.clone()));
                }
                named.sort_by(|a, b| a.0.cmp(&b.0));
                for (to, (_, found)) in self.found[start..].iter_mut().zip(named) {
                    *to = found;
                }
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

/// Sorts paths to the same identifier: confidence, hops, then the identifiers on them, then sources.
fn best_first(group: &mut [usize], walker: &mut Walker, index: &Index) -> Result<()> {
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
    let mut start = 0;
    while start < group.len() {
        let first = group[start];
        let n = group[start..]
            .iter()
            .take_while(|&&path| worth(walker, first, path).is_eq())
            .count();
        if n > 1 {
            let mut named = Vec::with_capacity(n);
            for &path in &group[start..start + n] {
                named.push((path_text(path, walker, index)?, path));
            }
            named.sort();
            for (to, (_, path)) in group[start..].iter_mut().zip(named) {
                *to = path;
            }
        }
        start += n;
    }
    Ok(())
}

/// The identifiers on a path, and the predicates and sources of its edges: what ties are broken by.
fn path_text(path: usize, walker: &mut Walker, index: &Index) -> Result<Vec<String>> {
    let steps = walker.steps_of(path).to_vec();
    let mut texts = Vec::with_capacity(2 * steps.len());
    for step in &steps {
        let mut text = String::new();
        walker.reader.write_curie(index, step.node, &mut text)?;
        texts.push(text);
    }
    for step in &steps {
        let vocabulary = &index.vocabulary;
        let class = &vocabulary.classes[step.entry.class as usize];
        let walked = crate::index::build::read(step.entry, false, vocabulary);
        let predicate = &vocabulary.predicates[walked as usize].name;
        texts.push(format!(
            "{predicate} {}",
            vocabulary.sources[class.source as usize].shown()
        ));
    }
    Ok(texts)
}
