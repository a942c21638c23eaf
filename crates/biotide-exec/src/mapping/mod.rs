//! What a mapping is made of: identifiers, predicates, statements.

pub mod declared;
pub(crate) mod dictionary;
pub(crate) mod edges;
pub(crate) mod encoder;
pub(crate) mod key;
pub mod predicate;
pub mod predicate_name;
pub(crate) mod spelling;

pub use edges::edge_schema;
