//! Every source and sink: one folder a format under [`formats`], the DataFusion glue once.
//!
//! ```text
//!  path, URL, glob ─► files::list ─► FormatSpec::layout (from a Sample) ─► BiotideTable
//!                                                                            │ scan
//!  DataSourceExec(FileScanConfig(TextSource)) ◄──────────────────────────────┘
//!        │ opener, one a partition
//!        └─► text::FileScan: units of a file, handed out in file order ─► ChunkReader ─► RecordBatch
//!                                                                            └─► reject log, counts
//! ```
//!
//! To add a format, implement [`spec::FormatSpec`] in a folder under `formats` and add its line to
//! [`formats::all`]. Nothing else knows formats by name.

pub mod compress;
pub mod files;
pub mod formats;
mod sampling;
pub mod sink;
pub mod spec;
pub mod spool;
pub mod table;
pub mod text;
mod zip;
