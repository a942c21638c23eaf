//! Reading text files under DataFusion: chunks, units, the file source.
//!
//! A file that may be read anywhere is cut in *units* of about one batch. Partitions take units from one
//! dispenser a file, in file order, so that none waits for a straggler. Which record a unit starts with
//! is by definition the sequential reader's answer: a unit guesses that it is the one after its first
//! newline, and is checked against where its predecessor ended before anything of it is handed on. A
//! reader that finds its predecessor not yet indexed does that itself after a moment: it never waits for
//! a sibling to be polled.

mod ahead;
mod bgzf;
mod blocks;
mod boundaries;
mod chunk_source;
mod cuts;
mod file_scan;
mod filter;
mod format;
mod opener;
mod ordered;
mod pace;
mod rows_left;
mod seekable;
mod source;
mod stream_scan;
mod unit;
mod verdict;
mod worker;

pub(crate) use ahead::{Ahead, peek};
pub use chunk_source::ChunkSource;
pub use format::TextFormat;
pub use source::{Reserve, TextSource};
