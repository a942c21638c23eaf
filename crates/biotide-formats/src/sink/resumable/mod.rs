//! Files that a run which was killed can go on writing.
//!
//! ```text
//! open ─► write, write, … commit ─► Durable ─► … ─► finish ─► the file has its name
//!                                      │ suspend, or the process ends
//! open(…, resume) ◄────────────────────┘
//! ```
//!
//! **The files.** Rows go to `.NAME.biotide-part` beside the target; for Parquet there is a log of its row
//! groups besides, `.NAME.biotide-footer`. Both are only ever appended to. [`Durable`] holds how long they
//! were, so whatever came after it (a torn write, a commit that its caller did not get to note) is cut off.
//! `.biotide-` is not followed by the number of a process, so that `remove_stale` leaves them alone: a run
//! that was given up on is cleared away by the next [`open`] of the target without a state to resume from,
//! or by [`FileSink::abort`]. A lock on the part keeps a second run away from it while the first one lives.
//!
//! **Text** is cut where it was. Gzipped, a commit ends a member of the file.
//!
//! **Parquet**: a commit ends the row group, since its pages are in memory until then. Commits a few seconds
//! apart cost nothing where rows come fast; where they come slowly, small row groups are the price of
//! having them on disk. The log has the metadata of each commit's row groups. Resumed, the part is gone on
//! with as it stands, and its footer is made of all that was logged: nothing is copied at the end.
//!
//! **Arrow**: the part is an Arrow file without its footer, which is made at the end by walking the
//! messages. Dictionaries are written as the values they stand for: an Arrow file has one dictionary a
//! column, and batches of several files do not agree on one.

mod append;
mod durable;
mod early;
mod ipc;
mod open;
mod options;
mod parquet;
mod part;
mod slot;
#[cfg(test)]
mod tests;

pub use durable::{Durable, FileSummary, Finished};
pub use open::{FileSink, discard, open};
pub use options::FileSinkOptions;
