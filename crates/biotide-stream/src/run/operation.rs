//! One operation on a chunk, as it was written, and what becomes of it when it panics or hangs.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use datafusion_common_runtime::SpawnedTask;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::Guard;
use crate::chunk::Chunk;
use crate::errors::{ErrorKind, ProcessorError, panicked};
use crate::processor::Processor;

type Worked = Result<Chunk, ProcessorError>;

/// What is done to a chunk.
#[derive(Clone)]
pub(crate) enum Operation {
    /// A closure.
    Now(Arc<dyn Fn(Chunk) -> Worked + Send + Sync>),
    /// A closure that waits for something.
    Later(Arc<dyn Fn(Chunk) -> BoxFuture<'static, Worked> + Send + Sync>),
    /// A processor.
    Processor(Arc<dyn Processor>),
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(_) => f.write_str("Now"),
            Self::Later(_) => f.write_str("Later"),
            Self::Processor(processor) => write!(f, "Processor({})", processor.name()),
        }
    }
}

impl Operation {
    async fn apply(self, chunk: Chunk) -> Worked {
        // (What a closure that panicked left half done is its own: nothing of ours is shared with it.)
        let worked = match self {
            Self::Now(work) => catch_unwind(AssertUnwindSafe(|| work(chunk))),
            Self::Later(work) => {
                AssertUnwindSafe(async { work(chunk).await })
                    .catch_unwind()
                    .await
            }
            Self::Processor(processor) => {
                AssertUnwindSafe(async { processor.process_chunk(chunk).await })
                    .catch_unwind()
                    .await
            }
        };
        worked.unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
    }

    /// On a task of its own: what computes without ever waiting could not be left otherwise.
    fn spawn(self, chunk: Chunk) -> SpawnedTask<Worked> {
        match self {
            Self::Now(work) => SpawnedTask::spawn_blocking(move || {
                catch_unwind(AssertUnwindSafe(|| work(chunk)))
                    .unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
            }),
            other => SpawnedTask::spawn(other.apply(chunk)),
        }
    }
}

/// It took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("chunk {chunk} ({rows} rows) was given up after {} ms", .limit.as_millis())]
struct GivenUp {
    chunk: u64,
    rows: usize,
    limit: Duration,
}

/// An operation with its name and what guards it.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) name: Arc<str>,
    pub(crate) operation: Operation,
    pub(crate) guard: Arc<Guard>,
}

impl Work {
    /// Once.
    async fn attempt(&self, chunk: Chunk) -> Worked {
        let (id, rows) = (chunk.id, chunk.rows());
        let operation = self.operation.clone();
        let worked = match self.guard.timeout.get() {
            None => operation.apply(chunk).await,
            Some(&limit) => {
                match tokio::time::timeout(limit, operation.spawn(chunk)).await {
                    Ok(Ok(worked)) => worked,
                    // (The runtime shuts down, or a task that only polls panicked.)
                    Ok(Err(lost)) => Err(ProcessorError::new(ErrorKind::Other, lost)),
                    Err(_) => {
                        let given_up = GivenUp {
                            chunk: id,
                            rows,
                            limit,
                        };
                        Err(ProcessorError::new(ErrorKind::Timeout, given_up))
                    }
                }
            }
        };
        worked.map(|mut chunk| {
            // Results are put together again by the number.
            chunk.id = id;
            chunk
        })
    }

    /// As often as its guard says. With the tries after the first. `is_last`: whether the rows are not tried again after
    /// this error.
    pub(crate) async fn run(
        &self,
        chunk: &Chunk,
        is_last: impl Fn(&ProcessorError) -> bool,
    ) -> (Worked, u32) {
        let handler = self.guard.handler();
        let attempt = || self.attempt(chunk.clone());
        let attempted = handler.call_for(attempt, is_last).await;
        (attempted.result, attempted.retries)
    }
}
