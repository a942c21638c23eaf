//! Plan nodes of Biotide: what SQL alone cannot say, or not fast enough.
//!
//! | module | what |
//! |---|---|
//! | [`mapping`] | statements about identifiers: keys, predicates, what follows from what |
//! | [`index`] | identifiers and the edges of each, of any number, in memory or in a file |
//! | [`walk`] | from an identifier to those it maps to |
//! | [`catalog`], [`load`] | named mappings, and how they are built |
//! | [`xref`] | identifiers of rows, and what they map to |
//! | [`chain`] | the statements of a mapping, and those that follow from them |
//! | [`clique`] | identifiers of the same thing |
//! | [`mod@concat`] | tables one below the other, in order |
//! | [`planner`] | physical plans of all of these |

mod absent;
pub mod catalog;
pub mod chain;
pub mod clique;
pub mod concat;
pub mod index;
pub mod load;
pub mod mapping;
mod plan;
pub mod planner;
pub mod walk;
pub mod xref;
