//! The file: connections, what its catalog says, and values as they are kept.

pub(crate) mod bind;
pub(crate) mod catalog;
pub(crate) mod read;
