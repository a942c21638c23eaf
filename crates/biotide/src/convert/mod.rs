//! Files to files, Parquet, CSV, TSV, JSON Lines, Arrow, and to tables of databases.

mod database;
mod files;
mod output;
mod paths;
mod request;
mod resumed;

pub(crate) use output::{Output, split_ending};
pub(crate) use paths::check_inputs;
pub use request::{ConvertReport, ConvertRequest};
