//! Text files under a `DataSinkExec`.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use biotide_common::identifiers::SessionIdentifiers;
use datafusion_common::{DataFusionError, Result, internal_err};
use datafusion_common_runtime::{JoinSet, SpawnedTask};
use datafusion_datasource::file_sink_config::{FileSink, FileSinkConfig};
use datafusion_datasource::sink::DataSink;
use datafusion_datasource::write::demux::DemuxedStreamReceiver;
use datafusion_datasource::write::get_writer_schema;
use datafusion_execution::spill_file::SpillFile;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_plan::{DisplayAs, DisplayFormatType};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::Receiver;

use super::TextEncoder;
use super::sssom::Spool;

/// Batches made text at a time.
const ENCODING: usize = 4;

#[derive(Debug)]
pub(super) struct TextSink {
    config: FileSinkConfig,
    /// How rows are written one by one; `None`: as SSSOM.
    encoder: Option<Arc<dyn TextEncoder>>,
    gzip: bool,
    /// What SSSOM asks for prefixes that no set has declared.
    identifiers: Option<Arc<SessionIdentifiers>>,
    /// What is between the fields of SSSOM.
    delimiter: u8,
}

impl TextSink {
    pub(super) fn new(
        config: FileSinkConfig,
        encoder: Option<Arc<dyn TextEncoder>>,
        gzip: bool,
    ) -> Self {
        Self {
            config,
            encoder,
            gzip,
            identifiers: None,
            delimiter: b'\t',
        }
    }

    /// One of SSSOM.
    pub(super) fn with_set(
        self,
        identifiers: Option<Arc<SessionIdentifiers>>,
        delimiter: u8,
    ) -> Self {
        Self {
            identifiers,
            delimiter,
            ..self
        }
    }
}

impl DisplayAs for TextSink {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextSink({})", self.config.file_extension)
    }
}

#[async_trait]
impl DataSink for TextSink {
    fn schema(&self) -> &SchemaRef {
        self.config.output_schema()
    }

    async fn write_all(
        &self,
        data: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
    ) -> Result<u64> {
        FileSink::write_all(self, data, context).await
    }
}

#[async_trait]
impl FileSink for TextSink {
    fn config(&self) -> &FileSinkConfig {
        &self.config
    }

    async fn spawn_writer_tasks_and_join(
        &self,
        context: &Arc<TaskContext>,
        demux_task: SpawnedTask<Result<()>>,
        mut files: DemuxedStreamReceiver,
        store: Arc<dyn ObjectStore>,
    ) -> Result<u64> {
        let buffer = context
            .session_config()
            .options()
            .execution
            .objectstore_writer_buffer_size;
        let schema = get_writer_schema(&self.config);
        let mut writers: JoinSet<Result<u64>> = JoinSet::new();
        while let Some((path, batches)) = files.recv().await {
            let out = BufWriter::with_capacity(Arc::clone(&store), path.clone(), buffer);
            let writer = FileWriter {
                path,
                out,
                encoder: self.encoder.clone(),
                identifiers: self.identifiers.clone(),
                delimiter: self.delimiter,
                spool: match self.encoder {
                    Some(_) => None,
                    None => {
                        let disk = &context.runtime_env().disk_manager;
                        Some(disk.create_tmp_file("writing SSSOM")?)
                    }
                },
                gzip: self
                    .gzip
                    .then(|| GzEncoder::new(Vec::new(), Compression::default())),
            };
            writers.spawn(writer.run(Arc::clone(&schema), batches));
        }
        let mut rows = 0;
        while let Some(done) = writers.join_next().await {
            rows += done.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))??;
        }
        demux_task
            .join_unwind()
            .await
            .map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))??;
        Ok(rows)
    }
}

/// Writes one file.
struct FileWriter {
    path: Path,
    out: BufWriter,
    encoder: Option<Arc<dyn TextEncoder>>,
    identifiers: Option<Arc<SessionIdentifiers>>,
    delimiter: u8,
    /// Where rows wait that cannot be written one by one.
    spool: Option<Arc<dyn SpillFile>>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl FileWriter {
    async fn run(mut self, schema: SchemaRef, batches: Receiver<RecordBatch>) -> Result<u64> {
        let written = self.write_batches(&schema, batches).await;
        match written {
            Ok(rows) => {
                self.out.shutdown().await.map_err(|e| self.failed(e))?;
                Ok(rows)
            }
            Err(error) => {
                // What was staged goes; the first error is the one to tell.
                self.out.abort().await.ok();
                Err(error)
            }
        }
    }

    async fn write_batches(
        &mut self,
        schema: &SchemaRef,
        batches: Receiver<RecordBatch>,
    ) -> Result<u64> {
        let (encoder, spool) = (self.encoder.clone(), self.spool.take());
        let encoder = match (encoder, spool) {
            (Some(encoder), _) => encoder,
            (None, Some(spool)) => {
                let rows = self.write_sssom(schema, &spool, batches).await?;
                self.finish_gzip().await?;
                return Ok(rows);
            }
            (None, None) => return internal_err!("SSSOM is written by way of a file"),
        };
        let header = encoder.header(schema);
        self.write(&header).await?;
        let mut texts = futures::stream::unfold(batches, async |mut batches| {
            batches.recv().await.map(|batch| (batch, batches))
        })
        .map(|batch| {
            let encoder = Arc::clone(&encoder);
            SpawnedTask::spawn(async move {
                encoder.encode(&batch).map(|text| (batch.num_rows(), text))
            })
        })
        .buffered(ENCODING)
        .boxed();
        let mut rows = 0;
        while let Some(text) = texts.next().await {
            let (n, text) = text.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))??;
            self.write(&text).await?;
            rows += n as u64;
        }
        self.finish_gzip().await?;
        Ok(rows)
    }

    async fn write_sssom(
        &mut self,
        schema: &SchemaRef,
        spool: &Arc<dyn SpillFile>,
        mut batches: Receiver<RecordBatch>,
    ) -> Result<u64> {
        let Some(path) = spool.path() else {
            return internal_err!("rows wait in a local file only");
        };
        let reader = std::fs::File::open(path)?;
        let mut spool = Spool::new(
            schema,
            spool.open_writer()?,
            reader,
            self.identifiers.clone(),
        );
        while let Some(batch) = batches.recv().await {
            spool.add(&batch)?;
        }
        let (head, mut waiting) = spool.finish(self.delimiter)?;
        self.write(&head).await?;
        let mut rows = 0;
        loop {
            let (n, text) = waiting.text()?;
            if text.is_empty() {
                return Ok(rows);
            }
            self.write(&text).await?;
            rows += n;
        }
    }

    async fn finish_gzip(&mut self) -> Result<()> {
        if let Some(gzip) = self.gzip.take() {
            let rest = gzip.finish()?;
            let written = self.out.write_all(&rest).await;
            written.map_err(|e| self.failed(e))?;
        }
        Ok(())
    }

    async fn write(&mut self, text: &[u8]) -> Result<()> {
        let written = match &mut self.gzip {
            None => self.out.write_all(text).await,
            Some(gzip) => {
                gzip.write_all(text)?;
                let ready = std::mem::take(gzip.get_mut());
                self.out.write_all(&ready).await
            }
        };
        written.map_err(|e| self.failed(e))
    }

    fn failed(&self, error: std::io::Error) -> DataFusionError {
        biotide_common::BiotideError::io(format!("writing {}", self.path), error).into()
    }
}
