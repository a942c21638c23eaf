//! Text files under a `DataSinkExec`.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::{JoinSet, SpawnedTask};
use datafusion_datasource::file_sink_config::{FileSink, FileSinkConfig};
use datafusion_datasource::sink::DataSink;
use datafusion_datasource::write::demux::DemuxedStreamReceiver;
use datafusion_datasource::write::get_writer_schema;
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

/// Batches made text at a time.
const ENCODING: usize = 4;

#[derive(Debug)]
pub(super) struct TextSink {
    config: FileSinkConfig,
    encoder: Arc<dyn TextEncoder>,
    gzip: bool,
}

impl TextSink {
    pub(super) fn new(config: FileSinkConfig, encoder: Arc<dyn TextEncoder>, gzip: bool) -> Self {
        Self {
            config,
            encoder,
            gzip,
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
                encoder: Arc::clone(&self.encoder),
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
    encoder: Arc<dyn TextEncoder>,
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
        let header = self.encoder.header(schema);
        self.write(&header).await?;
        let encoder = Arc::clone(&self.encoder);
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
        if let Some(gzip) = self.gzip.take() {
            let rest = gzip.finish()?;
            self.out
                .write_all(&rest)
                .await
                .map_err(|e| self.failed(e))?;
        }
        Ok(rows)
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
