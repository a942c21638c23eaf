//! The order of paths that are worth the same.

use std::cmp::Ordering;

use datafusion_common::Result;

use super::paths::{Step, Walker};
use crate::index::Index;
use crate::index::build::read;

/// The identifiers on paths, in the order of their texts. Each is written out once, on however many paths it is.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// In order, with their places in the order of texts.
    nodes: Vec<u32>,
    ranks: Vec<usize>,
    /// The texts of the nodes, and where each ends.
    text: String,
    ends: Vec<usize>,
}

impl Ties {
    /// Takes paths that are to be compared. `others`: bytes that are held besides.
    pub(super) fn take(
        &mut self,
        paths: impl Iterator<Item = usize> + Clone,
        walker: &mut Walker,
        index: &Index,
        others: usize,
    ) -> Result<()> {
        self.nodes.clear();
        self.ranks.clear();
        self.text.clear();
        self.ends.clear();
        let Some(first) = paths.clone().next() else {
            return Ok(());
        };
        if paths
            .clone()
            .all(|path| nodes(walker, path).eq(nodes(walker, first)))
        {
            return Ok(());
        }
        for path in paths {
            if self.nodes.len() == self.nodes.capacity() {
                walker.charge(others + 2 * self.size())?;
            }
            self.nodes.extend(nodes(walker, path));
        }
        self.nodes.sort_unstable();
        self.nodes.dedup();
        walker.charge(others + self.size() + 4 * size_of::<usize>() * self.nodes.len())?;
        for &node in &self.nodes {
            if self.text.len() == self.text.capacity() {
                walker.charge(others + 2 * self.size())?;
            }
            walker.reader.write_curie(index, node, &mut self.text)?;
            self.ends.push(self.text.len());
        }
        let text_of = |at: usize| {
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.text[start..self.ends[at]]
        };
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_unstable_by(|&a, &b| text_of(a).cmp(text_of(b)));
        self.ranks.resize(order.len(), 0);
        for (rank, at) in order.into_iter().enumerate() {
            self.ranks[at] = rank;
        }
        walker.charge(others + self.size())
    }

    /// Which of two paths of as many edges comes first: by the identifiers on them, then by predicates and sources.
    pub(super) fn compare(&self, walker: &Walker, index: &Index, a: usize, b: usize) -> Ordering {
        let (one, other) = (walker.steps_of(a), walker.steps_of(b));
        let rank = |step: &Step| {
            self.nodes
                .binary_search(&step.node)
                .map(|at| self.ranks[at])
        };
        let mut steps = one.iter().zip(other);
        let by_nodes = steps
            .find(|(one, other)| one.node != other.node)
            .map_or(Ordering::Equal, |(one, other)| rank(one).cmp(&rank(other)));
        // (Predicates and sources are numbered in the order of their names.)
        let said = |step: &Step| {
            let source = index.vocabulary.classes[step.entry.class as usize].source;
            (read(step.entry, false, &index.vocabulary), source)
        };
        by_nodes
            .then_with(|| one.iter().map(said).cmp(other.iter().map(said)))
            .then(a.cmp(&b))
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.nodes.capacity() * size_of::<u32>()
            + (self.ranks.capacity() + self.ends.capacity()) * size_of::<usize>()
            + self.text.capacity()
    }
}

/// The nodes on a path.
pub(super) fn nodes(walker: &Walker, path: usize) -> impl Iterator<Item = u32> {
    walker.steps_of(path).iter().map(|step| step.node)
}
