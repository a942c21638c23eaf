//! How many identifiers map to how many.

use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::answer::Answer;
use crate::index::Index;
use crate::walk::{Found, Results, WalkOptions, Walker};

/// Looks who else maps to results, for one thread.
#[derive(Debug)]
pub(super) struct Back {
    walker: Walker,
    results: Results,
    /// For the ends of an identifier's paths.
    held: MemoryReservation,
}

impl Back {
    /// For results of such walks.
    pub(super) fn new(index: &Index, walk: &WalkOptions, held: MemoryReservation) -> Self {
        let options = WalkOptions {
            // (Any; it is said of each identifier which.)
            targets: vec![String::new()],
            limit: usize::MAX,
            ..walk.clone()
        };
        Self {
            walker: Walker::new(index, &options, held.new_empty()).backwards(),
            results: Results::default(),
            held,
        }
    }

    /// The nodes that are results, each once, with their prefixes.
    fn ends(&self, found: &[Found]) -> Result<Vec<(u32, u16)>> {
        self.held
            .try_resize(size_of::<(u32, u16)>() * found.len())?;
        let mut ends: Vec<_> = found.iter().map(|one| (one.node, one.prefix)).collect();
        ends.sort_unstable();
        ends.dedup();
        Ok(ends)
    }

    /// That of an identifier with results, before any of them is left out: several on the left, if another one of the
    /// same namespace maps to a result; on the right, if several results are of one namespace. `None`: not all edges
    /// were walked, and one more may be behind the others.
    pub(super) fn cardinality(
        &mut self,
        index: &Index,
        answer: &Answer,
    ) -> Result<Option<&'static str>> {
        let right = answer.results.are_several();
        let (mut left, mut is_known) = (false, right || !answer.is_cut);
        if let Some((start, prefix)) = answer.start {
            let mut is_cut = false;
            self.walker.retarget(prefix);
            for end in self.ends(&answer.results.found)? {
                left |= self
                    .walker
                    .finds_another(index, end, start, &mut self.results)?;
                if left {
                    break;
                }
                is_cut |= self.walker.is_cut;
            }
            is_known &= left || !is_cut;
        }
        self.walker.shrink();
        self.results.shrink();
        Ok(is_known.then_some(match (left, right) {
            (false, false) => "1:1",
            (false, true) => "1:n",
            (true, false) => "n:1",
            (true, true) => "n:n",
        }))
    }
}
