//! From an identifier to those it maps to.
//!
//! 1. *Paths* (`paths.rs`, `step.rs`): of at most `max_hops` edges, depth first. An edge is walked from its object
//!    where its predicate has an inverse; predicates compose by SSSOM's rules, and where they do not the path ends.
//!    No identifier comes twice on a path, and no prefix unless asked for. An edge that is denied is none; a path that
//!    ends in an identifier which the start is said not to be is a *conflict*: it is told of, not returned, and not
//!    walked on.
//! 2. *Results* (`results.rs`): paths that end in the same identifier with the same predicate are one result. Of
//!    them, best first, those that share no edge with one before are independent evidence: `1 - ∏ (1 - confidence)`.
//!    A path's confidence is the product of its edges', times the hop factor for each edge after the first.
//!    Best first: confidence, then hops, then the identifier, then the predicate.
//! 3. *Back* (`back.rs`): the same against the direction of paths, to see who else has a result.
//!
//! Undirected, every statement is an edge both ways, a path uses none twice, and every path is a result: those over
//! the same identifiers with the same confidence are one, whose evidence they all are.

mod ahead;
mod back;
mod denied;
mod hubs;
mod options;
mod paths;
mod results;
mod step;
mod ties;

pub(crate) use ahead::Ahead;
pub use options::WalkOptions;
pub(crate) use paths::Walker;
pub(crate) use results::{Found, Results};
