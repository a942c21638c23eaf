//! Reads ahead of a sink, in a task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use datafusion::arrow::array::{Array, AsArray, GenericByteViewArray, RecordBatch};
use datafusion::arrow::datatypes::{ByteViewType, DataType};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::{StreamExt, future};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::monitor::Monitor;

/// Batches in the channel: what bounds it is [`Room`].
const BATCHES: usize = 1024;

/// What the task takes, in nanoseconds. (Relaxed: nothing is read through it.)
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// At work.
    busy: AtomicU64,
    /// Waiting until there is room for what it has read.
    blocked: AtomicU64,
}

/// What may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

/// How batches are measured against [`Room`]: each takes the larger one of two shares, in parts of all.
const PARTS: usize = 1 << 20;

impl Room {
    /// The parts that a batch takes.
    fn parts(self, batch: &RecordBatch) -> u32 {
        let share = |n: usize, most: usize| {
            let parts = n.saturating_mul(PARTS).div_ceil(most.max(1));
            parts.clamp(1, PARTS)
        };
        let rows = share(batch.num_rows(), self.rows);
        let bytes = share(bytes(batch), self.bytes);
        u32::try_from(rows.max(bytes)).unwrap_or(u32::MAX)
    }
}

/// Bytes of a batch: of views, those of the values, as many batches have the same buffers.
fn bytes(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    let sizes = columns.map(|column| match column.data_type() {
        DataType::Utf8View => views(column.as_string_view()),
        DataType::BinaryView => views(column.as_binary_view()),
        _ => {
            let size = column.to_data().get_slice_memory_size();
            size.unwrap_or_else(|_| column.get_array_memory_size())
        }
    });
    sizes.sum()
}

fn views<T: ByteViewType + ?Sized>(column: &GenericByteViewArray<T>) -> usize {
    size_of_val(&**column.views())
        + column
            .lengths()
            .map(|length| length as usize)
            .sum::<usize>()
}

/// The batches of a statement, read ahead.
#[derive(Debug)]
pub(super) struct Ahead {
    waiting: mpsc::Receiver<(RecordBatch, OwnedSemaphorePermit)>,
    task: Option<SpawnedTask<Result<()>>>,
    clock: Arc<Clock>,
}

fn add(total: &AtomicU64, since: Instant) {
    let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
    total.fetch_add(nanos, Ordering::Relaxed);
}

impl Ahead {
    /// Begins to read. `most` may wait, or one batch that has more.
    pub(super) fn start(rows: SendableRecordBatchStream, most: Room, monitor: Monitor) -> Self {
        let (send, waiting) = mpsc::channel(BATCHES);
        let clock = Arc::<Clock>::default();
        let task = read(rows, most, monitor, Arc::clone(&clock), send);
        Self {
            waiting,
            task: Some(SpawnedTask::spawn(task)),
            clock,
        }
    }

    /// The next batch; nothing after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some((batch, _)) = self.waiting.recv().await {
            return Ok(Some(batch));
        }
        // (A task that was ended by a panic has sent no error.)
        match self.task.take() {
            None => Ok(None),
            Some(task) => match task.join().await {
                Ok(read) => read.map(|()| None),
                Err(error) => Err(DataFusionError::ExecutionJoin(Box::new(error))),
            },
        }
    }

    /// Stops reading, and waits until it has stopped: who asks then what was read is told all of it.
    pub(super) async fn stop(&mut self) {
        self.waiting.close();
        if let Some(task) = self.task.take() {
            // (How it ended was told, or does not matter any more.)
            let _ = task.join().await;
        }
    }

    /// Seconds at work, and seconds of waiting for room.
    pub(super) fn seconds(&self) -> (f64, f64) {
        let seconds = |nanos: &AtomicU64| nanos.load(Ordering::Relaxed) as f64 / 1e9;
        (seconds(&self.clock.busy), seconds(&self.clock.blocked))
    }
}

async fn read(
    mut rows: SendableRecordBatchStream,
    most: Room,
    monitor: Monitor,
    clock: Arc<Clock>,
    send: mpsc::Sender<(RecordBatch, OwnedSemaphorePermit)>,
) -> Result<()> {
    let room = Arc::new(Semaphore::new(PARTS));
    let timed = |rows: &mut SendableRecordBatchStream, cx: &mut Context<'_>| -> Poll<_> {
        let begin = Instant::now();
        let polled = rows.poll_next_unpin(cx);
        add(&clock.busy, begin);
        polled
    };
    loop {
        let next = future::poll_fn(|cx| timed(&mut rows, cx));
        // (Nobody waits any more: there may be no batch for a long time.)
        let batch = tokio::select! {
            batch = next => batch,
            () = send.closed() => break,
        };
        let Some(batch) = batch.transpose()? else {
            break;
        };
        if batch.num_rows() == 0 {
            continue;
        }
        let wanted = most.parts(&batch);
        let permit = match Arc::clone(&room).try_acquire_many_owned(wanted) {
            Ok(permit) => permit,
            Err(_) => {
                monitor.flow().pressed.fetch_add(1, Ordering::Relaxed);
                let begin = Instant::now();
                let permit = tokio::select! {
                    permit = Arc::clone(&room).acquire_many_owned(wanted) => permit,
                    () = send.closed() => break,
                };
                add(&clock.blocked, begin);
                // (Nobody closes it.)
                permit.map_err(|error| DataFusionError::External(Box::new(error)))?
            }
        };
        if send.send((batch, permit)).await.is_err() {
            break;
        }
    }
    Ok(())
}
