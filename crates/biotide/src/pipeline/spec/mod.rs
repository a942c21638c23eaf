//! What a pipeline's file says, with the place of everything in it.
//!
//! ```yaml
//! name: olink
//! parameters:
//!   dir: tests/data/olink               # --set dir=… says another
//! steps:
//!   - name: proteins
//!     condition: "'olink' in ['olink', 'ukbb']"
//!     action:
//!       type: load
//!       params:
//!         file_path: ${parameters.dir}/olink_protein_metadata.tsv
//!         output_key: proteins
//! ```
//!
//! A file is read to a [`Tree`] ([`yaml`]), its placeholders are filled in ([`placeholders`]), then it becomes a
//! [`Pipeline`]: conditions ([`condition`]) are judged and the parameters of every step are checked against the table
//! of its action ([`crate::pipeline::actions`]). Whatever is wrong is told with file, line and column.
//!
//! The published JSON Schema ([`pipeline_schema`]) and the reference page are made from the same tables.

mod condition;
mod digest;
mod fields;
mod lexer;
mod number;
mod operand;
mod parameters;
mod path;
mod pipeline;
mod place;
mod placeholders;
mod reference;
mod schema;
mod steps;
mod streaming;
mod tree;
mod written;
mod yaml;

pub use parameters::Parameter;
pub use pipeline::{Pipeline, Step};
pub use place::{Place, Placed};
pub use reference::{pipeline_reference, reference_of};
pub use schema::{pipeline_schema, schema_of};
pub use streaming::{ErrorHandling, FileReader, MemoryManagement, Streaming};
pub use tree::{Entry, Node, Scalar, Tree, Value};

use biotide_common::nearest;
pub(crate) use biotide_common::nearest::{did_you_mean, list, nearest};
pub(crate) use digest::Digest;
pub(crate) use number::{Decimal, Number};
pub(crate) use pipeline::name_of;

#[cfg(test)]
mod tests;
