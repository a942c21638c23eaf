//! `clique_assign`: identifiers of the same thing, and one that stands for all of them.
//!
//! ```text
//! subject      object            ─► id              │ clique  │ size │ conflicts
//! hgnc:5       ensembl:ENSG…        hgnc:5          │ hgnc:5  │    3 │
//! ncbigene:1   hgnc:5               ensembl:ENSG…   │ hgnc:5  │    3 │
//!                                   ncbigene:1      │ hgnc:5  │    3 │
//! ```
//!
//! A clique is a connected component of the statements whose predicate is among the chosen ones. The identifier whose
//! prefix comes first in `priority` stands for it, of several the first one in the order of texts. `conflicts` are
//! prefixes of which it has several identifiers. What is denied of a pair is no edge between the two. Every
//! identifier of a statement has a row.

mod components;
mod denials;
mod exec;
mod logical;
mod members;
mod names;
mod pieces;
mod rows;

pub use exec::CliqueExec;
pub use logical::{CliqueNode, CliqueSpec};
