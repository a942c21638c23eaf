//! Files and tables that can be gone on with where writing was broken off.
//!
//! A plan that keeps the order of its files gives the same rows in the same order each time. So the number of rows that
//! are durable says where to go on: who resumes reads anew, leaves out so many rows, and writes the others. Rejected
//! records are counted as in a run that was not broken off: of a place that is complete what was set aside is read again,
//! if anything was.

mod database;
mod file;
mod identity;
mod inputs;
mod job;
mod lock;
mod siblings;
mod state;

pub(crate) use database::to_database;
pub(crate) use file::{is_resumable, to_file};
pub(crate) use identity::{Identity, options_that_matter};
pub(crate) use inputs::{FilesBeside, Input, cache_name, changed_at, inputs, reads_files_only};
pub(crate) use job::{Job, Pace};
pub(crate) use lock::RunLock;
pub(crate) use state::{RunState, SinkState};
