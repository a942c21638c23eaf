//! The reject logs of finished statements, and their files.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::reject::{reject_batch, reject_schema};
use biotide_common::session::QueryLog;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use parking_lot::Mutex;

use crate::error::Result;

/// Statements whose log is kept.
const KEPT: usize = 16;
const BATCH: usize = 8192;

/// What `system.rejects` shows.
#[derive(Debug, Default)]
pub(crate) struct FinishedLogs {
    logs: Mutex<VecDeque<Arc<QueryLog>>>,
    /// The file that this session's rejects have been written to.
    written: Mutex<Option<String>>,
}

impl FinishedLogs {
    pub(crate) fn push(&self, log: Arc<QueryLog>) {
        let mut logs = self.logs.lock();
        logs.retain(|kept| kept.id != log.id);
        logs.push_back(log);
        while logs.len() > KEPT {
            logs.pop_front();
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<QueryLog>> {
        self.logs.lock().iter().cloned().collect()
    }

    /// Writes the log of a statement, with those of the statements before it that went to the same file:
    /// JSON Lines, or Parquet.
    pub(crate) fn write(&self, path: &str, log: &QueryLog) -> Result<()> {
        let mut written = self.written.lock();
        let again = written.as_deref() == Some(path);
        *written = Some(path.to_owned());
        if path.to_ascii_lowercase().ends_with(".parquet") {
            // A Parquet file cannot be added to: it is written anew from the logs that are kept.
            let logs = if again { self.all() } else { Vec::new() };
            let mut logs: Vec<&QueryLog> = logs.iter().map(|log| &**log).collect();
            if !logs.iter().any(|kept| kept.id == log.id) {
                logs.push(log);
            }
            return write_parquet(path, &logs);
        }
        write_json_lines(path, log, again)
    }
}

fn write_parquet(path: &str, logs: &[&QueryLog]) -> Result<()> {
    let io = |e: std::io::Error| BiotideError::io(format!("writing the reject log {path}"), e);
    let parquet = |e: ParquetError| io(std::io::Error::other(e));
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(Default::default()));
    let file = File::create(path).map_err(io)?;
    let mut writer =
        ArrowWriter::try_new(file, reject_schema(), Some(properties.build())).map_err(parquet)?;
    for log in logs {
        let mut reader = log.rejects.read()?;
        loop {
            let records = reader.take_batch(BATCH)?;
            if records.is_empty() {
                break;
            }
            writer
                .write(&reject_batch(log.id, &records)?)
                .map_err(parquet)?;
        }
    }
    writer.close().map_err(parquet)?;
    Ok(())
}

fn write_json_lines(path: &str, log: &QueryLog, append: bool) -> Result<()> {
    let io = |e: std::io::Error| BiotideError::io(format!("writing the reject log {path}"), e);
    let mut options = File::options();
    options
        .create(true)
        .write(true)
        .append(append)
        .truncate(!append);
    let mut out = BufWriter::new(options.open(path).map_err(io)?);
    let mut reader = log.rejects.read()?;
    loop {
        let records = reader.take_batch(BATCH)?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            serde_json::to_writer(&mut out, record).map_err(|e| io(e.into()))?;
            out.write_all(b"\n").map_err(io)?;
        }
    }
    Ok(out.flush().map_err(io)?)
}
