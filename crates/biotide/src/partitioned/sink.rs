//! The sink of all folders.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::common::{Result, internal_err};
use datafusion::config::ConfigNonZeroUsize;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::physical_plan::FileSinkConfig;
use datafusion::datasource::sink::DataSink;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType};
use futures::TryStreamExt;

use super::format::Folders;
use super::late::Late;
use super::split::{Columns, Key, pick};
use super::writer::{Writer, Writers};

#[derive(Debug)]
pub(super) struct PartitionedSink {
    schema: SchemaRef,
    extension: String,
    writers: Arc<Writers>,
    open: usize,
}

impl PartitionedSink {
    pub(super) fn new(
        format: Arc<dyn FileFormat>,
        mut state: SessionState,
        config: FileSinkConfig,
        folders: Folders,
    ) -> Result<Self> {
        let execution = &mut state.config_mut().options_mut().execution;
        execution.objectstore_writer_buffer_size = folders.buffer;
        // One file a folder.
        execution.minimum_parallel_output_files = ConfigNonZeroUsize::try_new(1)?;
        execution.soft_max_rows_per_output_file = ConfigNonZeroUsize::try_new(usize::MAX)?;
        Ok(Self {
            schema: Arc::clone(config.output_schema()),
            extension: config.file_extension.clone(),
            writers: Arc::new(Writers {
                format,
                state,
                config,
            }),
            open: folders.open,
        })
    }
}

impl DisplayAs for PartitionedSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            extension, open, ..
        } = self;
        write!(f, "PartitionedSink({extension}, at most {open} open)")
    }
}

#[async_trait]
impl DataSink for PartitionedSink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(
        &self,
        data: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
    ) -> Result<u64> {
        let mut open: HashMap<Key, Writer> = HashMap::new();
        let written = self.write(data, context, &mut open).await;
        if written.is_err() {
            // Whoever removes what was written must not come before them.
            for writer in open.into_values() {
                writer.finish().await.ok();
            }
        }
        written
    }
}

impl PartitionedSink {
    async fn write(
        &self,
        mut data: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
        open: &mut HashMap<Key, Writer>,
    ) -> Result<u64> {
        let schema = data.schema();
        let columns = Arc::new(Columns::new(&schema, &self.writers.config)?);
        let mut late = None;
        while let Some(batch) = data.try_next().await? {
            let mut beyond = Vec::new();
            for (key, rows) in columns.split(&batch)? {
                if open.len() < self.open && !open.contains_key(&key) {
                    let writer = self.writers.start(&columns.schema, &key).await?;
                    open.insert(key.clone(), writer);
                }
                let Some(writer) = open.get(&key) else {
                    beyond.extend(rows);
                    continue;
                };
                if !writer.send(columns.written(&pick(&batch, rows)?)?).await {
                    return failed(match open.remove(&key) {
                        Some(writer) => writer.finish().await,
                        None => Ok(0),
                    });
                }
            }
            if beyond.is_empty() {
                continue;
            }
            let sorter = match &mut late {
                Some(late) => late,
                None => late.insert(Late::start(&schema, &columns, &self.writers, context)?),
            };
            // (As they came: their numbers keep that.)
            beyond.sort_unstable();
            if !sorter.send(&pick(&batch, beyond)?).await? {
                return failed(match late {
                    Some(late) => late.finish().await,
                    None => Ok(0),
                });
            }
        }
        let mut written = 0;
        for (_, writer) in open.drain() {
            written += writer.finish().await?;
        }
        if let Some(late) = late {
            written += late.finish().await?;
        }
        Ok(written)
    }
}

/// The error of a writer that took no more rows.
pub(super) fn failed(ended: Result<u64>) -> Result<u64> {
    ended.and_then(|rows| {
        internal_err!("a writer ended after {rows} rows, before there were no more")
    })
}
