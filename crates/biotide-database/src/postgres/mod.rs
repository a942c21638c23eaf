//! The wire: connections, and the binary form of values, in both directions.

pub(crate) mod catalog;
pub(crate) mod connection;
pub(crate) mod decode;
pub(crate) mod encode;
mod nul;
mod numeric;
mod uuid;
