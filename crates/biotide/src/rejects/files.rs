//! Logs in files.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::reject::{RejectRecord, reject_batch, reject_schema};
use biotide_common::session::QueryLog;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use super::unseen::Unseen;
use crate::error::Result;

/// Entries that are read at once.
pub(super) const BATCH: usize = 8192;

/// Writes logs to a file of Parquet, without what the logs beside each hold too.
pub(super) fn write_parquet(
    path: &str,
    logs: impl Iterator<Item = (Vec<Arc<QueryLog>>, Arc<QueryLog>)>,
) -> Result<()> {
    let io = |e: std::io::Error| BiotideError::io(format!("writing the reject log {path}"), e);
    let parquet = |e: ParquetError| io(std::io::Error::other(e));
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(Default::default()));
    let file = File::create(path).map_err(io)?;
    let mut writer =
        ArrowWriter::try_new(file, reject_schema(), Some(properties.build())).map_err(parquet)?;
    for (before, log) in logs {
        let mut unseen = Unseen::of(&log, &before)?;
        while let Some(records) = unseen.next()? {
            writer
                .write(&reject_batch(log.id, &records)?)
                .map_err(parquet)?;
        }
    }
    writer.close().map_err(parquet)?;
    Ok(())
}

/// Writes a log as JSON Lines, without what some others hold too.
pub(crate) fn write_json_lines(
    path: impl AsRef<Path>,
    log: &QueryLog,
    before: &[Arc<QueryLog>],
    append: bool,
) -> Result<()> {
    let path = path.as_ref();
    let io = |e: std::io::Error| {
        BiotideError::io(format!("writing the reject log {}", path.display()), e)
    };
    let mut options = File::options();
    options
        .create(true)
        .write(true)
        .append(append)
        .truncate(!append);
    let mut out = BufWriter::new(options.open(path).map_err(io)?);
    let mut unseen = Unseen::of(log, before)?;
    while let Some(records) = unseen.next()? {
        for record in &records {
            serde_json::to_writer(&mut out, record).map_err(|e| io(e.into()))?;
            out.write_all(b"\n").map_err(io)?;
        }
    }
    Ok(out.flush().map_err(io)?)
}

/// Reads what was written as JSON Lines into a log.
pub(crate) fn read_json_lines(path: &Path, log: &QueryLog) -> Result<()> {
    let io = |e: std::io::Error| {
        BiotideError::io(format!("reading the reject log {}", path.display()), e)
    };
    let mut records = Vec::new();
    // (Of a record with several faults there are several entries, one after the other.)
    let mut last = None;
    for line in BufReader::new(File::open(path).map_err(io)?).lines() {
        let line = line.map_err(io)?;
        let record: RejectRecord = serde_json::from_str(&line).map_err(|e| io(e.into()))?;
        if record.action == "rejected" {
            let place = (record.source.clone(), record.offset);
            if record.line == 0 || last.as_ref() != Some(&place) {
                log.refuse(&record.reason, record.line);
            }
            last = Some(place);
        }
        records.push(record);
        if records.len() == BATCH {
            log.rejects.extend(std::mem::take(&mut records))?;
        }
    }
    Ok(log.rejects.extend(records)?)
}
