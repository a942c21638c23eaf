//! A row group on its way: a task a column.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory,
    compute_leaves,
};
use arrow::array::RecordBatch;
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::SpawnedTask;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::sink::resumable::slot::joined;

/// Batches that wait for a column.
const WAITING: usize = 2;

/// A row group on its way.
#[derive(Debug)]
pub(super) struct Group {
    columns: Vec<Sender<ArrowLeafColumn>>,
    tasks: Vec<SpawnedTask<Result<ArrowColumnChunk>>>,
    pub(super) rows: usize,
    bytes: Arc<AtomicUsize>,
}

impl Group {
    /// Columns of which as many are encoded at a time as the semaphore lets.
    pub(super) fn new(
        factory: &ArrowRowGroupWriterFactory,
        threads: &Arc<Semaphore>,
    ) -> Result<Self> {
        let writers = factory.create_column_writers(0)?;
        let bytes = Arc::new(AtomicUsize::new(0));
        let mut columns = Vec::with_capacity(writers.len());
        let mut tasks = Vec::with_capacity(writers.len());
        for writer in writers {
            let (sender, leaves) = channel(WAITING);
            columns.push(sender);
            let (threads, bytes) = (Arc::clone(threads), Arc::clone(&bytes));
            tasks.push(SpawnedTask::spawn(encode(writer, leaves, threads, bytes)));
        }
        Ok(Self {
            columns,
            tasks,
            rows: 0,
            bytes,
        })
    }

    /// About how large it is by now.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Adds rows. That a column cannot be written is told when the row group ends.
    pub(super) async fn write(&mut self, batch: &RecordBatch) -> Result<bool> {
        let mut columns = self.columns.iter();
        for (array, field) in batch.columns().iter().zip(batch.schema_ref().fields()) {
            for leaf in compute_leaves(field, array)? {
                let Some(column) = columns.next() else {
                    return Ok(false);
                };
                if column.send(leaf).await.is_err() {
                    return Ok(false);
                }
            }
        }
        self.rows += batch.num_rows();
        Ok(true)
    }

    /// The columns, encoded.
    pub(super) async fn finish(self) -> Result<Vec<ArrowColumnChunk>> {
        drop(self.columns);
        let mut chunks = Vec::with_capacity(self.tasks.len());
        for task in self.tasks {
            chunks.push(joined(task).await?);
        }
        Ok(chunks)
    }
}

async fn encode(
    mut writer: ArrowColumnWriter,
    mut leaves: Receiver<ArrowLeafColumn>,
    threads: Arc<Semaphore>,
    bytes: Arc<AtomicUsize>,
) -> Result<ArrowColumnChunk> {
    let closed = |e| DataFusionError::External(Box::new(e));
    let mut size = 0;
    while let Some(leaf) = leaves.recv().await {
        let _running = threads.acquire().await.map_err(closed)?;
        writer.write(&leaf)?;
        let now = writer.get_estimated_total_bytes();
        bytes.fetch_add(now.saturating_sub(size), Ordering::Relaxed);
        size = size.max(now);
    }
    let _running = threads.acquire().await.map_err(closed)?;
    Ok(writer.close()?)
}
