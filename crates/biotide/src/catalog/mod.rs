//! Tables that are not registered: files by their path, and what the system knows of itself.

mod files;
mod system;

pub(crate) use files::StatementFiles;
pub(crate) use system::register_system;
