//! What happens to errors, how many chunks at a time, and when to stop.

use std::sync::Arc;
use std::time::Duration;

use datafusion_execution::memory_pool::{MemoryConsumer, MemoryPool};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::Stream;
use crate::errors::{ItemError, StreamError};
use crate::log::RunLog;
use crate::options::{ErrorThreshold, Isolation, Recovery};
use crate::progress::{Meter, Progress};
use crate::retry::{CircuitBreaker, RetryPolicy};
use crate::run::Step;

impl Stream {
    /// Decides about errors of the source and of operations before it, one item each as far as they can be told
    /// apart.
    pub fn catch(
        mut self,
        handler: impl Fn(&ItemError) -> Recovery + Send + Sync + 'static,
    ) -> Self {
        self.steps.push(Step::Catch(Arc::new(handler)));
        self
    }

    /// Goes on without the items that failed before it. They are counted.
    pub fn skip_errors(self) -> Self {
        self.catch(|_| Recovery::Skip)
    }

    /// Tries operations before it again that fail for what may go away.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        if let Err(error) = policy.validate() {
            return self.broken(StreamError::outside("retry", error));
        }
        for guard in &self.guards {
            // (One that stands nearer counts.)
            let _ = guard.retry.set(policy.clone());
        }
        self
    }

    /// How long each operation before it may take for a chunk. Then the chunk is given up, with an error.
    ///
    /// A closure that computes cannot be stopped: it goes on in the background, and nobody waits for it.
    pub fn timeout(self, limit: Duration) -> Self {
        for guard in &self.guards {
            let _ = guard.timeout.set(limit);
        }
        self
    }

    /// Counts failures of operations before it as those of a service, and leaves it alone after too many.
    pub fn breaker(self, breaker: Arc<CircuitBreaker>, service: impl Into<Arc<str>>) -> Self {
        let service = service.into();
        for guard in &self.guards {
            let set = (Arc::clone(&breaker), Arc::clone(&service));
            let _ = guard.breaker.set(set);
        }
        self
    }

    /// How errors of operations after it are kept to their rows.
    pub fn isolate(self, isolation: Isolation) -> Self {
        let mut stream = self.settle();
        stream.isolation = isolation;
        stream
    }

    /// Ends the stream when too large a share of all items failed, though the errors were caught.
    pub fn error_threshold(mut self, threshold: ErrorThreshold) -> Self {
        if !(0.0..=1.0).contains(&threshold.rate) {
            return self.broken(StreamError::plan(
                "error_threshold",
                "the share of items that may fail is from 0 to 1",
            ));
        }
        self.threshold = Some(threshold);
        self
    }

    /// Works on `n` chunks at the same time from here on. It needs a Tokio runtime.
    ///
    /// Twice as many are read ahead, and results come in the order of their chunks; see
    /// [`backpressure`](Self::backpressure) and [`unordered`](Self::unordered).
    pub fn parallel(self, n: usize) -> Self {
        let mut stream = self.settle();
        stream.concurrency.tasks = n.max(1);
        stream.concurrency.threshold = stream.concurrency.tasks * 2;
        stream
    }

    /// Reads no further while so many chunks are worked on or wait for it. At least as many as are worked on.
    pub fn backpressure(self, chunks: usize) -> Self {
        let mut stream = self.settle();
        stream.concurrency.threshold = chunks.max(stream.concurrency.tasks);
        stream
    }

    /// Takes the bytes of chunks that are worked on in [`parallel`](Self::parallel) from this pool, and waits while
    /// it has none. A chunk that never fits is tried in halves, down to one row.
    pub fn memory_pool(self, pool: &Arc<dyn MemoryPool>) -> Self {
        let mut stream = self.settle();
        let reservation = MemoryConsumer::new("Stream").register(pool);
        stream.concurrency.memory = Some(Arc::new(reservation));
        stream
    }

    /// Gives results of [`parallel`](Self::parallel) as they are done.
    pub fn unordered(self) -> Self {
        let mut stream = self.settle();
        stream.concurrency.ordered = false;
        stream
    }

    /// Ends the stream with an error when the token is cancelled, whatever it waits for.
    pub fn cancel(mut self, token: CancellationToken) -> Self {
        self.tokens.push(token);
        self
    }

    /// Tells of the rows that come by here, each time their number crosses a multiple of `interval`.
    pub fn progress(
        self,
        interval: u64,
        mut callback: impl FnMut(&Progress) + Send + 'static,
    ) -> Self {
        let (expected, log) = (self.expected, self.log());
        self.shaped(move |items| {
            let mut meter = Meter::new(interval, expected);
            items
                .inspect(move |item| {
                    if let Ok(chunk) = item
                        && let Some(progress) = meter.passed(chunk, log.start())
                    {
                        callback(&progress);
                    }
                })
                .boxed()
        })
    }

    /// Gathers what the run does in this log, together with what else is gathered there.
    pub fn with_log(self, log: &Arc<RunLog>) -> Self {
        self.log.forward_to(log);
        self
    }
}
