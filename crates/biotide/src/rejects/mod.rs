//! The reject logs of finished statements, and their files.

mod by_chunk;
mod files;
mod finished;
mod of_run;
mod once;
mod place;
mod set_aside;
mod unseen;

pub(crate) use by_chunk::errors_by_chunk;
pub(crate) use files::{read_json_lines, write_json_lines};
pub(crate) use finished::FinishedLogs;
pub(crate) use once::counted_once;
pub(crate) use place::{make_folder, obstacle, write};
pub(crate) use set_aside::SetAside;
