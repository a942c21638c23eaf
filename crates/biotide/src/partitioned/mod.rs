//! Writing `column=value` folders, with few files open at a time.
//!
//! DataFusion opens a file for each value and closes none before the end: memory and open files grow with the
//! values. Here the first values get a file each as they come. The rows of all values beyond are sorted by
//! their folder, which spills, and are written one folder after the other when the first are closed. Each
//! folder has one file, its rows in the order of the input.

mod format;
mod late;
mod sink;
mod split;
mod writer;

pub(crate) use format::{Folders, few_at_a_time};
