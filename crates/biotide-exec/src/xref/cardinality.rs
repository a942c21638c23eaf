//! How many identifiers map to how many.

use datafusion_common::Result;

use super::answer::Answer;
use crate::index::Index;
use crate::walk::{Results, WalkOptions, Walker};

/// Looks who else maps to results, for one thread.
#[derive(Debug)]
pub(super) struct Back {
    walker: Walker,
    results: Results,
}

impl Back {
    /// For results of such walks.
    pub(super) fn new(index: &Index, walk: &WalkOptions) -> Self {
        let options = WalkOptions {
            // (Any; it is said of each identifier which.)
            targets: vec![String::new()],
            limit: usize::MAX,
            ..walk.clone()
        };
        Self {
            walker: Walker::new(index, &options).backwards(),
            results: Results::default(),
        }
    }

    /// That of an identifier with results: several on the left, if another one of the same namespace maps to a
    /// result; on the right, if several results are of one namespace.
    pub(super) fn cardinality(&mut self, index: &Index, answer: &Answer) -> Result<&'static str> {
        let found = &answer.results.found;
        let right = found.iter().any(|found| answer.has_several(found.prefix));
        let mut left = false;
        if let Some((start, prefix)) = answer.start {
            self.walker.retarget(prefix);
            for one in found {
                let end = (one.node, one.prefix);
                left |= self
                    .walker
                    .finds_another(index, end, start, &mut self.results)?;
                if left {
                    break;
                }
            }
        }
        self.walker.shrink();
        Ok(match (left, right) {
            (false, false) => "1:1",
            (false, true) => "1:n",
            (true, false) => "n:1",
            (true, true) => "n:n",
        })
    }
}
