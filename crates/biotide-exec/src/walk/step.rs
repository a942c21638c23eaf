//! One edge on: whether a path may go along it, what follows from it then, and whether it has come to a result.

use std::ops::ControlFlow;

use datafusion_common::Result;

use super::denied::Denied;
use super::options::MOST_HOPS;
use super::paths::{Denials, Path, Step, Walker};
use crate::index::Index;
use crate::index::build::read;
use crate::index::edge_id::edge_id;
use crate::index::entry::Entry;
use crate::mapping::predicate::{Chains, Kind};

/// What chains where anything goes.
pub(super) const ALL: Chains = Chains {
    close: true,
    related: true,
    xref: true,
};

/// A step that is none.
const NOWHERE: Step = Step {
    node: u32::MAX,
    entry: Entry::NONE,
};

/// What follows from a path: a kind, and by which predicate.
pub(super) type Meaning = (Kind, Option<u32>);

/// Where a path is.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) node: u32,
    pub(super) depth: usize,
    /// What follows from it so far; nothing at the start.
    pub(super) meaning: Option<Meaning>,
}

impl Walker {
    /// Goes along an edge, if one may.
    pub(super) fn step(
        &mut self,
        index: &Index,
        at: At,
        entry: Entry,
        denied: &Denied,
    ) -> Result<ControlFlow<()>> {
        const GO_ON: Result<ControlFlow<()>> = Ok(ControlFlow::Continue(()));
        let prefix = entry.prefix();
        let is_last = at.depth + 1 == self.options.max_hops;
        let is_target = self.is_target(prefix);
        if is_last && !is_target {
            return GO_ON;
        }
        if is_last && self.is_passed(prefix) {
            self.passed += usize::from(!self.is_repeated(prefix));
            return GO_ON;
        }
        if denied.denies(entry, &index.vocabulary) {
            if at.depth == 0 && is_target {
                self.conflicts.push(entry.to);
            }
            return GO_ON;
        }
        let Some(meaning) = self.meaning_along(index, at, entry) else {
            return GO_ON;
        };
        let is_denied = meaning
            .is_some_and(|(kind, predicate)| denies(&self.denials, entry.to, kind, predicate));
        // (Backwards the start is a result: it denies identifiers that have it, not those on the way to it.)
        if is_denied && !self.is_backwards {
            if is_target {
                self.conflicts.push(entry.to);
            }
            return GO_ON;
        }
        self.steps.push(Step {
            node: entry.to,
            entry,
        });
        let next = At {
            node: entry.to,
            depth: at.depth + 1,
            meaning,
        };
        // (Alone no path gets better on its way, nor is there anything else to tell of it.)
        if self.options.undirected
            && self.denials.is_empty()
            && self.product(index) < self.options.min_confidence
        {
            self.steps.pop();
            return GO_ON;
        }
        // (A way back to the start is no mapping.)
        let may_end = is_target && !is_denied && entry.to != self.nodes[0];
        let mut flow = match may_end {
            true => self.end(index, next, prefix)?,
            false => ControlFlow::Continue(()),
        };
        let goes_on = !is_last
            && (self.options.undirected || meaning.is_some_and(|(kind, _)| self.may_go_on(kind)));
        if flow.is_continue() && goes_on {
            self.nodes.push(entry.to);
            self.prefixes.push(prefix);
            flow = self.visit(index, next)?;
            self.nodes.pop();
            self.prefixes.pop();
        }
        self.steps.pop();
        Ok(flow)
    }

    /// What follows from the path and an edge behind it (of an undirected one: if anything does); `None`: the path may
    /// not go along it.
    fn meaning_along(&mut self, index: &Index, at: At, entry: Entry) -> Option<Option<Meaning>> {
        let predicate = Some(read(entry, self.is_backwards, &index.vocabulary));
        if self.options.undirected {
            let is_used = self.uses(index, at.node, entry);
            return (!is_used).then(|| self.along(at.meaning, entry, predicate));
        }
        if is_barred(entry, self.is_backwards) || self.nodes.contains(&entry.to) {
            return None;
        }
        let prefix = entry.prefix();
        if self.is_repeated(prefix) {
            self.repeats |= self.is_target(prefix);
            return None;
        }
        let meaning = self.follows(self.options.chains, at.meaning, (entry.kind(), predicate))?;
        Some(Some(meaning))
    }

    /// Keeps the path to where it is, of this prefix, as one to a result; it ends the walk if it was all that is asked.
    fn end(&mut self, index: &Index, at: At, prefix: u16) -> Result<ControlFlow<()>> {
        if self.is_backwards && !self.is_walked_from(index, at.node)? {
            return Ok(ControlFlow::Continue(()));
        }
        let confidence = self.product(index);
        if self.is_passed(prefix) {
            self.passed += 1;
        } else {
            self.make_room()?;
            self.paths.push(Path {
                confidence,
                predicate: at.meaning.and_then(|(_, predicate)| predicate),
                hops: at.depth,
            });
            self.path_steps.extend_from_slice(&self.steps);
            let all = self.paths.len() * self.options.max_hops;
            self.path_steps.resize(all, NOWHERE);
        }
        self.is_met = self.than.is_some_and(|than| at.node != than)
            && confidence >= self.options.min_confidence;
        Ok(match self.is_met {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    }

    /// The confidence of the path: the product of its edges', to the last digit the same from its other end and over edges beside its own.
    fn product(&self, index: &Index) -> f64 {
        let class = |step: &Step| &index.vocabulary.classes[step.entry.class as usize];
        let mut all = [1.0; MOST_HOPS];
        for (one, step) in all.iter_mut().zip(&self.steps) {
            *one = class(step).confidence();
        }
        all.sort_unstable_by(|a, b| b.total_cmp(a));
        let product = all.iter().product::<f64>();
        product * self.options.hop_factor.powi(self.steps.len() as i32 - 1)
    }

    /// What follows from a path and an edge behind it.
    fn follows(
        &self,
        chains: Chains,
        before: Option<Meaning>,
        (kind, predicate): Meaning,
    ) -> Option<Meaning> {
        let Some((first, name)) = before else {
            return Some((kind, predicate));
        };
        let composed = chains.compose(first, kind)?;
        let named = match (first, kind) {
            _ if name == predicate && name.is_some() => predicate,
            // (Beside what is exact a cross-reference keeps its predicate.)
            (Kind::Exact, Kind::Xref) => predicate,
            (Kind::Xref, Kind::Exact) => name,
            _ => self.general[composed as usize],
        };
        Some((composed, named))
    }

    /// The same of a path on which anything goes: nothing may follow.
    fn along(
        &self,
        before: Option<Meaning>,
        entry: Entry,
        predicate: Option<u32>,
    ) -> Option<Meaning> {
        // (Of an edge that means nothing from here nothing is said.)
        let means = !is_barred(entry, self.is_backwards);
        let own = (entry.kind(), predicate.filter(|_| means));
        match (before, self.steps.is_empty()) {
            (None, true) => Some(own),
            (None, false) => None,
            (before, _) => self.follows(ALL, before, own),
        }
    }

    /// Whether anything composes with a kind.
    fn may_go_on(&self, kind: Kind) -> bool {
        self.options.chains.compose(kind, Kind::Exact).is_some()
    }

    /// Whether the path uses this edge already.
    fn uses(&self, index: &Index, node: u32, entry: Entry) -> bool {
        let own = edge_id(&index.vocabulary, node, entry);
        let mut from = self.nodes[0];
        self.steps.iter().any(|step| {
            let used = edge_id(&index.vocabulary, from, step.entry) == own;
            from = step.node;
            used
        })
    }
}

/// Whether a node is said not to be this.
pub(super) fn denies(denials: &Denials, node: u32, kind: Kind, predicate: Option<u32>) -> bool {
    let from = denials.partition_point(|&(denied, ..)| denied < node);
    let own = denials[from..]
        .iter()
        .take_while(|&&(denied, ..)| denied == node);
    own.into_iter().any(|&(_, denied, other)| match denied {
        Kind::Other => kind == Kind::Other && predicate == Some(other),
        denied => denied.denies(kind),
    })
}

/// Whether an edge cannot be walked: its predicate has no inverse, and paths go the other way.
pub(super) fn is_barred(entry: Entry, is_backwards: bool) -> bool {
    entry.is_one_way() != is_backwards && entry.kind() == Kind::Other
}
