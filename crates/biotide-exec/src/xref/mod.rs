//! `xref`: identifiers of rows, and what they map to.
//!
//! ```text
//! id             ─► xref(id, 'kb', targets => ['hgnc', 'ensembl'])
//! uniprot:P04217    uniprot:P04217 │ hgnc:5                  │ skos:exactMatch │ 1.0 │ ok       │ …
//!                   uniprot:P04217 │ ensembl:ENSG00000121410 │ skos:exactMatch │ 1.0 │ ok       │ …
//! uniprot:Q99999    uniprot:Q99999 │ NULL                    │ NULL            │     │ unmapped │ …
//! ```
//!
//! The rows stay in their order, and each has at least one row of the result, unless `unmapped => 'drop'`.

mod answer;
mod cardinality;
mod choose;
mod columns;
mod coverage;
mod exec;
mod logical;
mod rows;
mod spec;
mod worker;
mod written;

pub use columns::{Column, columns};
pub use coverage::{CoverageLog, CoverageRow};
pub use exec::XrefExec;
pub use logical::XrefNode;
pub use spec::{Policy, Wanted, XrefSpec};
