//! Parquet files.

use std::path::PathBuf;
use std::sync::Arc;

use ::parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use ::parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use biotide_common::BiotideError;
use datafusion_common::{Result, internal_err};
use datafusion_common_runtime::SpawnedTask;
use tokio::sync::Semaphore;

use super::file::{PartFile, failure};
use super::group::Group;
use crate::sink::resumable::FileSinkOptions;
use crate::sink::resumable::durable::{Durable, FileSummary, Tally};
use crate::sink::resumable::open::FileSink;
use crate::sink::resumable::part::{Part, remove, working};
use crate::sink::resumable::slot::{Slot, joined};

/// Writes a Parquet file. While a row group is closed and appended the next one is encoded.
pub(in crate::sink::resumable) struct ParquetSink {
    target: PathBuf,
    replace: bool,
    part: PathBuf,
    log: PathBuf,
    factory: ArrowRowGroupWriterFactory,
    threads: Arc<Semaphore>,
    max_rows: usize,
    max_bytes: usize,
    group: Option<Group>,
    file: Slot<PartFile>,
    tally: Tally,
}

impl ParquetSink {
    pub(in crate::sink::resumable) fn open(
        target: PathBuf,
        part: Part,
        schema: SchemaRef,
        compression: Compression,
        options: &FileSinkOptions,
        tally: Tally,
        resume: Option<&Durable>,
    ) -> Result<Self> {
        let log = working(&target, "footer");
        if schema.fields().is_empty() {
            let problem = "rows without columns are nothing to Parquet";
            return Err(BiotideError::file(target.display().to_string(), problem).into());
        }
        let path = part.path().to_owned();
        let mut properties = WriterProperties::builder()
            .set_compression(compression)
            .build();
        let converter = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types());
        let parquet = converter
            .convert(&schema)
            .map_err(|e| failure(&target, e))?;
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let properties = Arc::new(properties);
        let file = PartFile::open(part, &log, Arc::new(parquet), &properties, resume)?;
        Ok(Self {
            factory: file.factory(schema),
            target,
            replace: options.replace,
            part: path,
            log,
            threads: Arc::new(Semaphore::new(options.threads.clamp(1, 1024))),
            max_rows: options.row_group_rows.max(1),
            max_bytes: options.row_group_bytes.max(1),
            group: None,
            file: Slot::Idle(file),
            tally,
        })
    }

    /// Ends the row group; it is appended by and by.
    async fn end_group(&mut self) -> Result<()> {
        let Some(group) = self.group.take() else {
            return Ok(());
        };
        // One row group at most is being closed while another is encoded.
        let mut file = self.file.take().await?;
        self.file = Slot::Busy(SpawnedTask::spawn(async move {
            let chunks = group.finish().await?;
            joined(SpawnedTask::spawn_blocking(move || {
                file.append(chunks)?;
                Ok(file)
            }))
            .await
        }));
        Ok(())
    }
}

#[async_trait]
impl FileSink for ParquetSink {
    async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut rest = batch.clone();
        while rest.num_rows() > 0 {
            let mut group = match self.group.take() {
                Some(group) => group,
                None => Group::new(&self.factory, &self.threads)?,
            };
            let rows = rest.num_rows().min(self.max_rows - group.rows);
            if !group.write(&rest.slice(0, rows)).await? {
                group.finish().await?;
                return internal_err!("a column of Parquet has ended early");
            }
            rest = rest.slice(rows, rest.num_rows() - rows);
            let full = group.rows >= self.max_rows || group.bytes() >= self.max_bytes;
            self.group = Some(group);
            if full {
                self.end_group().await?;
            }
        }
        self.tally.rows += batch.num_rows() as u64;
        Ok(())
    }

    async fn commit(&mut self) -> Result<Durable> {
        self.end_group().await?;
        let (part, log) = self.file.run(PartFile::commit).await?;
        Ok(self.tally.durable(part, Some(log)))
    }

    async fn finish(mut self: Box<Self>) -> Result<FileSummary> {
        self.end_group().await?;
        let (target, replace) = (self.target.clone(), self.replace);
        let finished = self.file.run(move |file| file.finish(&target, replace));
        let bytes = finished.await?;
        Ok(self.tally.summary(bytes))
    }

    async fn suspend(mut self: Box<Self>) -> Result<()> {
        self.group = None;
        self.file.settle().await;
        Ok(())
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.group = None;
        self.file.settle().await;
        remove(&self.log)?;
        remove(&self.part)
    }
}
