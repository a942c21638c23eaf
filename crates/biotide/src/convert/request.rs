//! What to convert, and what was done.

use biotide_common::scan::ScanReport;
use serde::Serialize;

use crate::memory::MemoryReport;
use crate::statement::XrefReport;

/// What to convert. Read options are the session's.
#[derive(Debug, Clone, Default)]
pub struct ConvertRequest {
    /// Paths, URLs or globs, in order.
    pub inputs: Vec<String>,
    /// A file; or a folder (`out/`), which takes one file an input, or partitions; or the URL of a table.
    pub output: String,
    /// The output's format, if its name does not end in it.
    pub format: Option<String>,
    /// Replace what is there.
    pub force: bool,
    /// Let rows come in any order.
    pub unordered: bool,
    /// Write `column=value` folders.
    pub partition_by: Vec<String>,
    /// Note how far it is, and go on where the same conversion was broken off.
    pub resume: bool,
    /// With `resume`: after how many rows they are made durable; 0: a million.
    pub checkpoint_rows: u64,
}

/// What was done.
#[derive(Debug, Clone, Serialize)]
pub struct ConvertReport {
    /// Rows written.
    pub rows: u64,
    /// Records set aside; one that was read several times, as a query names its file more than once, is counted once.
    pub rejected: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Files written.
    pub files: Vec<String>,
    /// Wall-clock time.
    pub seconds: f64,
    /// The most memory the process has held, in bytes.
    pub peak_rss: u64,
    /// What became of identifiers that were cross-referenced, if they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xref: Option<XrefReport>,
    /// What was reserved and spilled.
    pub memory: MemoryReport,
    /// The counts of the readers. Records of a file that is read several times are counted once; `files` and `bytes`
    /// are what was read.
    pub scan: ScanReport,
}
