//! Tables that are not registered: files by their path, and what the system knows of itself.

mod endings;
mod files;
mod mappings;
mod system;

pub(crate) use endings::{binary_format, is_binary, is_parquet, register_endings};
pub(crate) use files::{FileReaders, StatementFiles};
pub(crate) use system::register_system;
