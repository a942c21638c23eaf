//! The chain of operations.

mod blocking;
mod open;
mod operations;
mod policies;
mod shape;
mod source;
mod terminal;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use futures::{FutureExt, StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::errors::StreamError;
use crate::log::RunLog;
use crate::options::{ErrorThreshold, Isolation};
use crate::processor::Processor;
use crate::run::{Chain, Concurrency, Guard, Items, Operation, Queue, Step, Work};

pub use blocking::BlockingIter;
pub use terminal::Finished;

/// A lazy chain of operations on rows: nothing is read before the result is asked for.
///
/// Operations work in the order they are written. Those on rows (`map`, `filter`, `transform`, `then`, `process`)
/// that follow each other work on a chunk one after another, without anything between them.
///
/// * [`parallel`](Self::parallel) and [`isolate`](Self::isolate) are for the operations after them;
/// * [`catch`](Self::catch), [`retry`](Self::retry), [`timeout`](Self::timeout) and [`breaker`](Self::breaker) are
///   for those before them that have none yet;
/// * [`cancel`](Self::cancel) and [`error_threshold`](Self::error_threshold) are for all.
///
/// An error stands in the place of the items it happened to, and passes through what follows until a `catch`. One
/// that nobody catches ends the stream. The summary ([`RunLog`]) counts them all.
#[must_use = "a stream does nothing until its result is asked for"]
pub struct Stream {
    /// The columns, as long as they are known.
    pub(crate) schema: Option<SchemaRef>,
    items: Items,
    /// Operations after `items` that work on the same chunk.
    steps: Vec<Step>,
    isolation: Isolation,
    concurrency: Concurrency,
    guards: Vec<Arc<Guard>>,
    processors: Vec<Arc<dyn Processor>>,
    tokens: Vec<CancellationToken>,
    threshold: Option<ErrorThreshold>,
    log: Arc<RunLog>,
    /// Items that the source is said to have.
    expected: Option<u64>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("schema", &self.schema)
            .field("steps", &self.steps)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// What flows from `items`.
    pub(crate) fn of(schema: Option<SchemaRef>, items: Items, log: Arc<RunLog>) -> Self {
        Self {
            schema,
            items,
            steps: Vec::new(),
            isolation: Isolation::default(),
            concurrency: Concurrency {
                tasks: 1,
                threshold: 1,
                ordered: true,
                memory: None,
            },
            guards: Vec::new(),
            processors: Vec::new(),
            tokens: Vec::new(),
            threshold: None,
            log,
            expected: None,
        }
    }

    /// The columns. After an operation that can change them they are unknown until
    /// [`expect_schema`](Self::expect_schema).
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// What the run does, while it runs and afterwards.
    pub fn log(&self) -> Arc<RunLog> {
        Arc::clone(&self.log)
    }

    /// How many items there are, for the time that is left.
    pub(crate) fn expect_rows(&mut self, rows: Option<u64>) {
        self.expected = rows;
    }

    fn work(mut self, name: impl Into<Arc<str>>, operation: Operation) -> Self {
        let guard = Arc::<Guard>::default();
        self.guards.push(Arc::clone(&guard));
        self.steps.push(Step::Work(Work {
            name: name.into(),
            operation,
            guard,
        }));
        self
    }

    /// The operations so far become what flows.
    fn settle(mut self) -> Self {
        if self.steps.is_empty() {
            return self;
        }
        let chain = Chain {
            steps: std::mem::take(&mut self.steps),
            isolation: self.isolation,
            log: Arc::clone(&self.log),
        };
        let items = std::mem::replace(&mut self.items, stream::empty().boxed());
        self.items = if self.concurrency.tasks > 1 {
            Queue::new(items, chain, self.concurrency.clone()).boxed()
        } else {
            let chain = Arc::new(chain);
            items
                .then(move |item| {
                    let chain = Arc::clone(&chain);
                    async move { chain.run(item).await }
                })
                .flat_map(stream::iter)
                .boxed()
        };
        self
    }

    /// What flows becomes something else.
    fn shaped(self, shape: impl FnOnce(Items) -> Items) -> Self {
        let mut stream = self.settle();
        let items = std::mem::replace(&mut stream.items, stream::empty().boxed());
        stream.items = shape(items);
        stream
    }

    /// It was put together in a way that cannot work: this is the first that is heard of it.
    fn broken(self, error: StreamError) -> Self {
        self.shaped(|_| async move { Err(error) }.into_stream().boxed())
    }
}
