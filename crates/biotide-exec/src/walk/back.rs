//! From a result back to those that map to it.

use datafusion_common::Result;

use super::paths::Walker;
use super::results::Results;
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
}
