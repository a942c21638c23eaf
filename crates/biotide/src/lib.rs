//! **Biotide**: SQL over huge, messy biological tables, where they lie.
//!
//! ```
//! use biotide::prelude::*;
//!
//! # #[tokio::main]
//! # async fn main() -> biotide::Result<()> {
//! # let dir = tempfile::tempdir().unwrap();
//! # let file = dir.path().join("proteins.tsv");
//! # std::fs::write(&file, "gene\tnpx\nTP53\t1.5\nBRCA1\tNA\nbroken\n").unwrap();
//! # let file = file.display();
//! let biotide = BiotideContext::builder().threads(2).build()?;
//! let mut query = biotide.sql(&format!("SELECT gene, npx FROM '{file}' ORDER BY gene")).await?;
//! let batches = query.collect().await?;
//! assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 2);
//!
//! // The third line is no row of this table: it is not lost, it is in the reject log.
//! let report = query.finish()?;
//! assert_eq!((report.delivered, report.rejected), (2, 1));
//! # Ok(())
//! # }
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`context`], [`builder`] | the session: memory, threads, options, formats |
//! | [`statement`] | one SQL statement: planned, run, reported |
//! | [`convert`] | files to Parquet, CSV, TSV, JSON Lines, Arrow |
//! | [`normalize`] | columns made uniform by rules in YAML |
//! | [`inspect`] | what is in files: dialect, types and why, the look of every column |
//! | [`catalog`] | `FROM 'path'`, and the tables `system.rejects`, `.options`, `.functions` |
//! | [`memory`] | sizes and peaks of this process |

pub mod builder;
pub mod catalog;
pub mod context;
pub mod convert;
mod dataset;
mod error;
pub mod inspect;
mod mapping;
pub mod memory;
mod monitor;
pub mod normalize;
mod partitioned;
mod parts;
pub mod pipeline;
mod planner;
pub mod prelude;
mod pump;
mod rejects;
mod resumable;
mod staged;
pub mod statement;
mod unfinished;

pub use biotide_common::options::{BiotideOptions, OptionInfo};
pub use biotide_common::scan::ScanReport;
pub use biotide_common::{MemoryGauge, PaceChange, PaceReport, format_size, parse_size};
pub use biotide_database as database;
pub use biotide_exec::xref::CoverageRow;
pub use biotide_formats::sink::{DelimitedEncoder, JsonLinesEncoder, TextEncoder};
pub use biotide_functions::identifier::parser::{IdentifierParser, Parsed, Verdict};
pub use biotide_stream as stream;
pub use dataset::stream;
pub use error::{Error, Result};
pub use mapping::request::XrefRequest;
pub use memory::{MemoryReport, peak_rss, rss};
pub use monitor::{Monitor, Spilled};
pub use pump::{ChunksReport, FlowReport, SinkChunk};
pub use statement::XrefReport;
pub use unfinished::remove_unfinished;

/// Biotide's own scalar functions, with their documentation.
pub fn functions() -> Vec<std::sync::Arc<datafusion::logical_expr::ScalarUDF>> {
    biotide_functions::all(&std::sync::Arc::default())
}

/// Every option, with its default and documentation.
pub fn options() -> &'static [OptionInfo] {
    BiotideOptions::INFO
}
