//! What the crates of Biotide share: the options tree, the reject log, scan counts, session handles.
//!
//! * [`options::BiotideOptions`]: every option, documented in one place; SQL `SET`, command line flags,
//!   table options and the Rust builder all write the same keys.
//! * [`reject::RejectLog`]: every bad row of a statement, with its place and reason; bounded in memory.
//! * [`scan::ScanStats`]: counts that add up: delivered + rejected + skipped = records.
//! * [`MemoryGauge`], [`PaceLog`]: what readers are told of memory, and what they did about it.
//! * [`nearest`]: what was meant by a name that does not exist.
//! * [`identifiers`]: what crates that do not know the registry may ask of it.
//! * [`sssom`]: the slots of mappings, which more than one crate goes by.
//! * [`yaml`]: files that say what to do, read so that mistakes have their line.
//! * [`session::QueryLog`]: what one statement gathers; travels in the session's extensions.

pub mod disputes;
pub mod error;
mod files;
pub mod identifiers;
mod memory;
pub mod nearest;
pub mod options;
pub mod reject;
pub mod scan;
mod scratch;
pub mod session;
mod size;
pub mod sssom;
mod stale;
pub mod yaml;

pub use error::BiotideError;
pub use files::{behind_links, lock_file, permissions, real_path, sync_folder};
pub use memory::{MemoryGauge, PaceChange, PaceLog, PaceReport};
pub use scratch::Scratch;
pub use size::{format_size, parse_size};
pub use stale::{remove, remove_stale, stale};
