//! Which column type stands for which Arrow type: the table in the crate's documentation.

pub(crate) mod convert;
pub(crate) mod json;
pub(crate) mod postgres;
pub(crate) mod sqlite;
