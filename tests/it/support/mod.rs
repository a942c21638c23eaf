//! What the tests share: contexts, results as text, the real binary, made-up files.

pub(crate) mod bin;
pub(crate) mod gen_data;
#[cfg(unix)]
pub(crate) mod server;
pub(crate) mod steps;
pub(crate) mod values;

use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use biotide::ScanReport;
use biotide::prelude::*;
use flate2::Compression;
use flate2::write::GzEncoder;

/// The settings under which everything must come out the same.
pub(crate) const SETTINGS: [Settings; 4] = [
    Settings::new(1, 8192),
    Settings::new(2, 13),
    Settings::new(7, 1),
    Settings::new(7, 8192),
];

/// Threads and rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) batch_size: usize,
}

impl Settings {
    pub(crate) const fn new(threads: usize, batch_size: usize) -> Self {
        Self {
            threads,
            batch_size,
        }
    }

    pub(crate) fn builder(self) -> BiotideContextBuilder {
        BiotideContext::builder()
            .threads(self.threads)
            .batch_size(self.batch_size)
            // As many workers as threads, whatever this machine has.
            .option("max_concurrent_chunks", self.threads.to_string())
    }

    pub(crate) fn context(self) -> BiotideContext {
        self.builder().build().unwrap()
    }
}

/// A context with two threads and the default batches.
pub(crate) fn context() -> BiotideContext {
    Settings::new(2, 8192).context()
}

/// The folder of the files that come with the tests.
pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// A path below [`data`], as text.
pub(crate) fn data_file(path: &str) -> String {
    data().join(path).display().to_string()
}

pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> String {
    std::fs::write(path, bytes).unwrap();
    path.display().to_string()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// The rows of a query as text, and the counts of its scans.
pub(crate) async fn query(context: &BiotideContext, sql: &str) -> (Vec<Vec<String>>, ScanReport) {
    try_query(context, sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

pub(crate) async fn try_query(
    context: &BiotideContext,
    sql: &str,
) -> Result<(Vec<Vec<String>>, ScanReport), biotide::Error> {
    let mut statement = context.sql(sql).await?;
    let batches = statement.collect().await;
    let report = statement.finish()?;
    Ok((text_rows(&batches?), report))
}

/// The one value of a query.
pub(crate) async fn value(context: &BiotideContext, sql: &str) -> String {
    let (rows, _) = query(context, sql).await;
    assert_eq!(
        (rows.len(), rows.first().map(Vec::len)),
        (1, Some(1)),
        "{sql}"
    );
    rows[0][0].clone()
}

/// The error of a query that must fail, as a user reads it.
pub(crate) async fn error(context: &BiotideContext, sql: &str) -> String {
    match try_query(context, sql).await {
        Ok((rows, _)) => panic!("{sql}\nis answered with {} rows", rows.len()),
        Err(error) => error.to_string(),
    }
}

pub(crate) fn text_rows(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    batches.iter().flat_map(values::rows).collect()
}

/// The reject log of the last statement, without the number of the statement.
pub(crate) async fn rejects(context: &BiotideContext) -> Vec<Vec<String>> {
    let sql = "SELECT source, record, line, \"offset\", length, \"column\", reason, message, raw, action \
               FROM system.rejects WHERE query_id = (SELECT max(query_id) FROM system.rejects) \
               ORDER BY source, \"offset\", \"column\" NULLS FIRST, reason, raw";
    query(context, sql).await.0
}

/// What always holds of a scan that reached its end.
#[track_caller]
pub(crate) fn assert_closes(report: &ScanReport) {
    assert!(report.complete, "{report:?}");
    assert_eq!(
        report.delivered + report.rejected + report.blank + report.skipped,
        report.records,
        "{report:?}"
    );
}

/// BGZF (SAM specification, section 4.1), in blocks of so many bytes of text, with its mark of the end.
pub(crate) fn bgzf(text: &[u8], block: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for part in text.chunks(block).chain([&b""[..]]) {
        let packed = gzip(part);
        // Behind gzip's own header of ten bytes; that of a block has one extra field.
        let data = &packed[10..];
        out.extend([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, b'B', b'C', 2, 0]);
        out.extend(((data.len() + 18 - 1) as u16).to_le_bytes());
        out.extend(data);
    }
    out
}

/// The index of a BGZF file, as bgzip writes it.
pub(crate) fn gzi(packed: &[u8]) -> Vec<u8> {
    let mut entries = Vec::new();
    let (mut at, mut text) = (0, 0u64);
    while at < packed.len() {
        if at > 0 {
            entries.extend((at as u64).to_le_bytes());
            entries.extend(text.to_le_bytes());
        }
        at += usize::from(u16::from_le_bytes([packed[at + 16], packed[at + 17]])) + 1;
        let length: &[u8; 4] = packed[..at].last_chunk().unwrap();
        text += u64::from(u32::from_le_bytes(*length));
    }
    let mut out = (entries.len() as u64 / 16).to_le_bytes().to_vec();
    out.extend(entries);
    out
}

/// Zstandard's seekable format, in frames of so many bytes of text, each with its checksum.
pub(crate) fn seekable_zstd(text: &[u8], frame: usize) -> Vec<u8> {
    let (mut out, mut table) = (Vec::new(), Vec::new());
    for part in text.chunks(frame) {
        let mut packed = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        packed.include_checksum(true).unwrap();
        packed.write_all(part).unwrap();
        let packed = packed.finish().unwrap();
        table.extend((packed.len() as u32).to_le_bytes());
        table.extend((part.len() as u32).to_le_bytes());
        out.extend(packed);
    }
    let frames = (table.len() / 8) as u32;
    out.extend(0x184D_2A5E_u32.to_le_bytes());
    out.extend((table.len() as u32 + 9).to_le_bytes());
    out.extend(table);
    out.extend(frames.to_le_bytes());
    out.push(0);
    out.extend(0x8F92_EAB1_u32.to_le_bytes());
    out
}
