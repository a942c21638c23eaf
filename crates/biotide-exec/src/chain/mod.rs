//! `mapping_edges` and `chain_infer`: the statements of a mapping, and those that follow from them.
//!
//! ```text
//! a exactMatch b, b narrowMatch c ─► chain_infer('kb')
//!                                    a │ skos:narrowMatch │ c │ 1.0 │ 2 │ [a, b, c] │ …
//!                                    c │ skos:broadMatch  │ a │ 1.0 │ 2 │ [c, b, a] │ …
//! ```
//!
//! Every identifier is walked from, as `xref` walks; what a statement says itself is not inferred. Rows come by
//! identifier, in the order of keys, each one's best first: that they are made by several tasks changes neither what
//! they are nor their order, which a limit above relies on.

mod exec;
mod logical;
mod rows;
mod spec;

pub use exec::ChainExec;
pub use logical::ChainNode;
pub use spec::{ChainSpec, Which};
