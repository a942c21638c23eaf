//! Writing to SQLite: a thread of its own takes batches from a short queue.

mod open;
mod worker;

use std::time::Instant;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion_common_runtime::SpawnedTask;
use tokio::sync::{mpsc, oneshot};

use super::{DatabaseSink, SinkSummary};
use crate::error::DatabaseError;
pub(super) use open::open;

/// Batches that wait.
const QUEUE: usize = 2;

/// What the thread is asked to do.
enum Command {
    Write(RecordBatch),
    /// A position, and who waits until it is durable.
    Commit(String, oneshot::Sender<()>),
    Finish,
    Abort,
}

/// What the thread has done when it ends.
struct Done {
    rows: u64,
    bytes: u64,
}

struct SqliteSink {
    table: String,
    mode: &'static str,
    started: Instant,
    commands: mpsc::Sender<Command>,
    /// Taken when it has ended.
    worker: Option<SpawnedTask<Result<Done, DatabaseError>>>,
}

impl SqliteSink {
    async fn ask(&mut self, command: Command) -> Result<(), DatabaseError> {
        match self.commands.send(command).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.reason().await),
        }
    }

    /// Waits for the end of the thread.
    async fn end(&mut self) -> Result<Done, DatabaseError> {
        let ended = || DatabaseError::Ended {
            table: self.table.clone(),
        };
        let worker = self.worker.take().ok_or_else(ended)?;
        match worker.join().await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(ended()),
        }
    }

    /// Why the thread has ended.
    async fn reason(&mut self) -> DatabaseError {
        match self.end().await {
            Err(error) => error,
            Ok(_) => DatabaseError::Ended {
                table: self.table.clone(),
            },
        }
    }
}

#[async_trait]
impl DatabaseSink for SqliteSink {
    async fn write(&mut self, batch: &RecordBatch) -> Result<(), DatabaseError> {
        self.ask(Command::Write(batch.clone())).await
    }

    async fn commit(&mut self, position: &str) -> Result<(), DatabaseError> {
        let (reply, done) = oneshot::channel();
        self.ask(Command::Commit(position.to_owned(), reply))
            .await?;
        match done.await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.reason().await),
        }
    }

    async fn finish(mut self: Box<Self>) -> Result<SinkSummary, DatabaseError> {
        self.ask(Command::Finish).await?;
        let done = self.end().await?;
        Ok(SinkSummary {
            rows: done.rows,
            bytes: done.bytes,
            table: self.table.clone(),
            mode: self.mode,
            seconds: self.started.elapsed().as_secs_f64(),
            format: "sqlite",
        })
    }

    async fn abort(mut self: Box<Self>) -> Result<(), DatabaseError> {
        // (A thread that has failed has rolled back.)
        if self.commands.send(Command::Abort).await.is_ok() {
            let _ = self.end().await;
        }
        Ok(())
    }
}
