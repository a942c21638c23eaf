//! Normalisation by rules: a YAML file that says what is to be done with each column.
//!
//! ```yaml
//! name: olink
//! unmapped: keep                      # or drop: columns without a rule
//! problems: _problems                 # at will: a column that tells what failed in a row
//! global_transformations: [strip]     # of every text column, first
//! field_rules:
//!   - source_field: UniProt
//!     target_field: uniprot           # default: the source's name
//!     required: true                  # NULL is an error (see on_error); false: the column may be missing
//!     transformations:
//!       - uppercase
//!       - type: regex_replace
//!         params: {pattern: '[;,]\s*', replacement: '|'}
//!         condition: "value LIKE '%;%' AND panel <> 'X'"
//!         on_error: skip              # or default, raise
//! ```
//!
//! Rules are compiled to expressions of DataFusion, a projection a step, so that they are planned, pushed down and
//! run as any query. [`Rules::apply`] puts them on a plan, `SELECT * FROM normalize('file.tsv', 'rules.yaml')` on a
//! file or table. `sql/rules` holds those that are built in, known by their names.
//!
//! [`rules`] is what a file can say, [`step`] what one step does, [`compile`] how they become a plan.

mod bound;
mod built_in;
mod compile;
mod condition;
mod extract;
mod origin;
mod params;
mod pattern;
mod raise;
mod rules;
mod step;
mod valid;

pub(crate) use origin::Origin;
pub(crate) use raise::NAME as RAISE;
pub use rules::Rules;
