//! Tables that are not registered: files by their path, and what the system knows of itself.

mod files;
mod mappings;
mod system;

pub(crate) use files::{StatementFiles, is_binary};
pub(crate) use system::register_system;
