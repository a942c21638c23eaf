//! The writer of one folder.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{SchemaRef, UInt64Type};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::datasource::physical_plan::{FileOutputMode, FileSinkConfig};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::object_store::path::PathPart;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::{EmptyRecordBatchStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{TryStreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::split::Key;

/// Batches that wait for a writer.
const WAITING: usize = 2;

/// What writers of folders are made of.
#[derive(Debug)]
pub(super) struct Writers {
    pub(super) format: Arc<dyn FileFormat>,
    pub(super) state: SessionState,
    pub(super) config: FileSinkConfig,
}

impl Writers {
    /// Starts to write a folder.
    pub(super) async fn start(&self, schema: &SchemaRef, key: &Key) -> Result<Writer> {
        let url = self.folder(key)?;
        let config = FileSinkConfig {
            original_url: url.to_string(),
            table_paths: vec![url],
            output_schema: Arc::clone(schema),
            table_partition_cols: Vec::new(),
            file_output_mode: FileOutputMode::Directory,
            ..self.config.clone()
        };
        let (sender, rows) = channel(schema)?;
        let plan = self
            .format
            .create_writer_physical_plan(rows, &self.state, config, None);
        let plan = plan.await?;
        let context = self.state.task_ctx();
        let task = SpawnedTask::spawn(async move { write(&plan, context).await });
        Ok(Writer::new(sender, task))
    }

    /// The folder's URL. (A store's path is encoded, and its URL encodes that.)
    fn folder(&self, key: &Key) -> Result<ListingTableUrl> {
        let Some(base) = self.config.table_paths.first() else {
            return internal_err!("a sink without a path");
        };
        let mut url = base.get_url().clone();
        {
            let Ok(mut parts) = url.path_segments_mut() else {
                return internal_err!("{base} has no folders");
            };
            parts.pop_if_empty();
            let columns = self.config.table_partition_cols.iter();
            for ((name, _), value) in columns.zip(key) {
                parts.push(PathPart::from(format!("{name}={value}")).as_ref());
            }
            parts.push("");
        }
        ListingTableUrl::try_new(url, None)
    }
}

async fn write(plan: &Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Result<u64> {
    let counts: Vec<RecordBatch> = plan.execute(0, context)?.try_collect().await?;
    let columns = counts.iter().filter_map(|batch| batch.columns().first());
    let counts = columns.filter_map(|column| column.as_primitive_opt::<UInt64Type>());
    Ok(counts.flat_map(|counts| counts.values().iter()).sum())
}

/// Rows that go to another task.
pub(super) struct Writer {
    // (Dropped first: a task that saw the end of its rows would complete its file.)
    task: SpawnedTask<Result<u64>>,
    sender: Option<mpsc::Sender<RecordBatch>>,
}

impl Writer {
    /// Of a task that takes what comes from the channel.
    pub(super) fn new(sender: mpsc::Sender<RecordBatch>, task: SpawnedTask<Result<u64>>) -> Self {
        let sender = Some(sender);
        Self { task, sender }
    }

    /// Hands rows on. A writer that has failed takes none: [`finish`](Self::finish) says why.
    pub(super) async fn send(&self, rows: RecordBatch) -> bool {
        match &self.sender {
            Some(sender) => sender.send(rows).await.is_ok(),
            None => false,
        }
    }

    /// Says that there are no more rows.
    pub(super) fn end(&mut self) {
        self.sender = None;
    }

    /// Says that there are no more rows, and waits for the file: the rows written.
    pub(super) async fn finish(mut self) -> Result<u64> {
        self.end();
        let ended = self.task.await;
        ended.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
    }
}

/// A channel whose end is a plan.
pub(super) fn channel(
    schema: &SchemaRef,
) -> Result<(mpsc::Sender<RecordBatch>, Arc<dyn ExecutionPlan>)> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let end = Arc::new(ChannelEnd {
        schema: Arc::clone(schema),
        receiver: Mutex::new(Some(receiver)),
    });
    let schema = Arc::clone(schema);
    let plan = StreamingTableExec::try_new(schema, vec![end], None, [], false, None)?;
    Ok((sender, Arc::new(plan)))
}

/// Gives the rows of a channel, once.
#[derive(Debug)]
struct ChannelEnd {
    schema: SchemaRef,
    receiver: Mutex<Option<mpsc::Receiver<RecordBatch>>>,
}

impl PartitionStream for ChannelEnd {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let Some(receiver) = self.receiver.lock().take() else {
            return Box::pin(EmptyRecordBatchStream::new(schema));
        };
        let rows = stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|rows| (Ok(rows), receiver))
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}
