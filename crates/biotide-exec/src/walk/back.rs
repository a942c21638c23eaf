//! From a result back to those that map to it.

use datafusion_common::Result;

use super::paths::Walker;
use super::results::Results;
use super::step::{ALL, denies};
use crate::index::Index;
use crate::mapping::predicate::Kind;

impl Walker {
    /// Walks against the direction of paths from now on: what it finds from a result are identifiers that have it.
    pub(crate) fn backwards(mut self) -> Self {
        // (A chain is called what it is from its other end.)
        let general = self.general;
        self.general = std::array::from_fn(|kind| {
            let kind = Kind::from_u8(kind as u8);
            general[kind.inverse().unwrap_or(kind) as usize]
        });
        self.is_backwards = true;
        self
    }

    /// Whether it finds an identifier besides this one. It looks no further than to the first.
    pub(crate) fn finds_another(
        &mut self,
        index: &Index,
        (node, prefix): (u32, u16),
        than: u32,
        results: &mut Results,
    ) -> Result<bool> {
        self.than = Some(than);
        self.walk(index, node, prefix)?;
        if self.is_met || self.options().undirected || self.ends().all(|end| end == than) {
            return Ok(self.is_met);
        }
        // No path is enough alone, but several may be.
        results.gather(self, index, node)?;
        Ok(results.found.iter().any(|found| found.node != than))
    }

    /// Whether a walk from the end of this path comes along it: the end is not said not to be what is on its way.
    pub(super) fn is_walked_from(&mut self, index: &Index, end: u32) -> Result<bool> {
        // (Of the one next to it that has been seen at the edge, of the result where the walk began.)
        let n = self.steps.len();
        if index.counts.negated == 0 || n < 3 {
            return Ok(true);
        }
        if self.end != Some(end) {
            let mut denials = std::mem::take(&mut self.end_denials);
            denials.clear();
            self.end = None;
            self.find_denials(index, end, false, &mut denials)?;
            (self.end, self.end_denials) = (Some(end), denials);
        }
        let chains = match self.options().undirected {
            true => ALL,
            false => self.options().chains,
        };
        let mut kind = self.steps[n - 1].entry.kind();
        for at in (1..n - 1).rev() {
            let Some(longer) = chains.compose(self.steps[at].entry.kind(), kind) else {
                break;
            };
            kind = longer;
            let node = self.steps[at - 1].node;
            let own = kind.inverse().unwrap_or(kind);
            if denies(&self.end_denials, node, own, None) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
