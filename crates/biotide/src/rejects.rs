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
use datafusion::parquet::file::properties::WriterProperties;
use parking_lot::Mutex;

use crate::error::Result;

/// Statements whose log is kept.
const KEPT: usize = 16;
const BATCH: usize = 8192;

/// What `system.rejects` shows.
#[derive(Debug, Default)]
pub(crate) struct FinishedLogs(Mutex<VecDeque<Arc<QueryLog>>>);

impl FinishedLogs {
    pub(crate) fn push(&self, log: Arc<QueryLog>) {
        let mut logs = self.0.lock();
        logs.retain(|kept| kept.id != log.id);
        logs.push_back(log);
        while logs.len() > KEPT {
            logs.pop_front();
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<QueryLog>> {
        self.0.lock().iter().cloned().collect()
    }
}

/// Writes the log of a statement: JSON Lines, or Parquet.
pub(crate) fn write(path: &str, log: &QueryLog) -> Result<()> {
    let io = |e: std::io::Error| BiotideError::io(format!("writing the reject log {path}"), e);
    let file = File::create(path).map_err(io)?;
    let mut reader = log.rejects.read()?;
    if path.to_ascii_lowercase().ends_with(".parquet") {
        let parquet = |e: datafusion::parquet::errors::ParquetError| io(std::io::Error::other(e));
        let properties =
            WriterProperties::builder().set_compression(Compression::ZSTD(Default::default()));
        let mut writer = ArrowWriter::try_new(file, reject_schema(), Some(properties.build()))
            .map_err(parquet)?;
        loop {
            let records = reader.take_batch(BATCH)?;
            if records.is_empty() {
                break;
            }
            writer
                .write(&reject_batch(log.id, &records)?)
                .map_err(parquet)?;
        }
        writer.close().map_err(parquet)?;
        return Ok(());
    }
    let mut out = BufWriter::new(file);
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
