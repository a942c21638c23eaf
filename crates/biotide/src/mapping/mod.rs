//! Mappings in SQL: `CREATE MAPPING`, and the relations that use them.
//!
//! | | |
//! |---|---|
//! | `CREATE MAPPING kb FROM sssom('p.sssom.tsv', negatives => 'n.sssom.tsv')` | [`create`]: builds an index and names it |
//! | `FROM t, LATERAL xref(t.id, 'kb', targets => ['hgnc'])` | [`relation`] plans a leaf, [`lateral`] puts `t` below it |
//! | `FROM clique_assign('kb')`, `chain_infer('kb')`, `mapping_edges('kb')` | [`relation`] |
//! | `FROM xref_coverage('file', 'column', 'kb')` | [`coverage`]: replaced by the query that answers it |
//!
//! DataFusion's parser has no such statement, and its planner none of these relations. Where a mapping is needed its
//! name may be that of a file.

mod arguments;
mod call;
mod cells;
pub(crate) mod coverage;
pub(crate) mod create;
mod declared;
mod denials;
pub(crate) mod filters;
pub(crate) mod found;
mod globs;
mod idmapping;
pub(crate) mod lateral;
pub(crate) mod loader;
pub(crate) mod looked_up;
pub(crate) mod meeting;
pub(crate) mod named;
pub(crate) mod relation;
pub(crate) mod renew;
pub(crate) mod request;
mod several;
mod source;
mod spec;
mod statements;
mod tables;
pub(crate) mod told;
pub(crate) mod told_exec;
mod turns;
