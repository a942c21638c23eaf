//! Functions on mappings as SSSOM has them.
//!
//! ```text
//! SELECT sssom_hash() FROM 'x.sssom.tsv'
//!    │ rewrite.rs   planning: which columns of the input are slots, and what its set says of prefixes
//!    ▼
//! hash.rs           the function over columns
//!    │ record.rs    the text that stands for a mapping, and its hash; knows no engine
//! ```

mod hash;
mod record;
mod rewrite;

pub(crate) use hash::udf;
pub use rewrite::BySet;
