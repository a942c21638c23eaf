//! The memory limit: a promise about the process, not about DataFusion's pool alone.
//!
//! ```text
//! limit + 80 MiB ≥ the program itself + what no one reserves + the pool
//! ```
//!
//! [`Budget`](budget::Budget) computes the pool from the limit, [`ProcessPool`](pool::ProcessPool) hands it
//! out and looks at what the process really holds, [`policy`] makes plans fit.

pub(crate) mod budget;
mod distincts;
pub(crate) mod explain;
mod joins;
pub(crate) mod policy;
pub(crate) mod pool;
mod process;
mod report;
mod share;
mod unnest;
mod windows;

pub(crate) use process::{cpu_seconds, default_limit};
pub use process::{peak_rss, rss};
pub use report::MemoryReport;
