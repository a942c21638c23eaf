//! Chunks worked on at the same time, and no more read than there is room for.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion_common_runtime::SpawnedTask;
use datafusion_execution::memory_pool::MemoryReservation;
use futures::stream::{Fuse, FuturesOrdered, FuturesUnordered};
use futures::{Stream, StreamExt};
use tokio::sync::Semaphore;

use super::{Chain, Item, Items};
use crate::errors::{ErrorKind, ProcessorError, StreamError};

/// How many, and in what order.
#[derive(Debug, Clone)]
pub(crate) struct Concurrency {
    /// Chunks that are worked on at the same time.
    pub(crate) tasks: usize,
    /// Chunks that are read and not yet delivered.
    pub(crate) threshold: usize,
    /// Whether results come in the order of their chunks.
    pub(crate) ordered: bool,
    /// What the chunks' bytes are taken from.
    pub(crate) memory: Option<Arc<MemoryReservation>>,
}

type Task = SpawnedTask<(Vec<Item>, Option<MemoryReservation>)>;

#[derive(Debug)]
enum Running {
    Ordered(FuturesOrdered<Task>),
    Unordered(FuturesUnordered<Task>),
}

/// The results of a chain, several chunks at a time.
pub(crate) struct Queue {
    input: Fuse<Items>,
    chain: Arc<Chain>,
    concurrency: Concurrency,
    permits: Arc<Semaphore>,
    running: Running,
    /// Read, but there was no memory for it.
    held: VecDeque<Item>,
    ready: VecDeque<Item>,
    /// Whether it is known that reading waits.
    full: bool,
}

impl Queue {
    pub(crate) fn new(input: Items, chain: Chain, concurrency: Concurrency) -> Self {
        let running = if concurrency.ordered {
            Running::Ordered(FuturesOrdered::new())
        } else {
            Running::Unordered(FuturesUnordered::new())
        };
        Self {
            input: input.fuse(),
            chain: Arc::new(chain),
            permits: Arc::new(Semaphore::new(concurrency.tasks.max(1))),
            running,
            held: VecDeque::new(),
            ready: VecDeque::new(),
            full: false,
            concurrency,
        }
    }

    fn running(&self) -> usize {
        match &self.running {
            Running::Ordered(tasks) => tasks.len(),
            Running::Unordered(tasks) => tasks.len(),
        }
    }

    /// Starts tasks while there is input and room.
    fn fill(&mut self, cx: &mut Context<'_>) {
        loop {
            if self.running() >= self.concurrency.threshold.max(1) {
                // (Whether there is more to read is not known without reading it.)
                self.press(!self.input.is_done());
                return;
            }
            let item = match self.held.pop_front() {
                Some(item) => item,
                None => match self.input.poll_next_unpin(cx) {
                    Poll::Ready(Some(item)) => item,
                    Poll::Ready(None) | Poll::Pending => return,
                },
            };
            match self.reserve(&item) {
                Ok(reserved) => {
                    self.full = false;
                    self.start(item, reserved);
                }
                Err(error) if self.running() == 0 => {
                    // Nothing will give memory back: less must do.
                    match item {
                        Ok(chunk) if chunk.rows() > 1 => {
                            let (one, two) = chunk.halves();
                            self.held.push_front(Ok(two));
                            self.held.push_front(Ok(one));
                        }
                        // (No fault of this row: who skips errors of rows would lose it.)
                        Ok(_) => {
                            self.ready
                                .push_back(Err(StreamError::Memory { cause: error }));
                            return;
                        }
                        Err(_) => self.start(item, None),
                    }
                }
                Err(_) => {
                    self.held.push_front(item);
                    self.press(true);
                    return;
                }
            }
        }
    }

    fn press(&mut self, waits: bool) {
        if waits && !self.full {
            self.full = true;
            self.chain.log.pressed();
        }
    }

    fn reserve(&self, item: &Item) -> Result<Option<MemoryReservation>, ProcessorError> {
        let (Some(memory), Ok(chunk)) = (&self.concurrency.memory, item) else {
            return Ok(None);
        };
        let reserved = memory.new_empty();
        match reserved.try_grow(chunk.bytes()) {
            Ok(()) => Ok(Some(reserved)),
            Err(error) => Err(ProcessorError::new(ErrorKind::Memory, error)),
        }
    }

    fn start(&mut self, item: Item, reserved: Option<MemoryReservation>) {
        let (chain, permits) = (Arc::clone(&self.chain), Arc::clone(&self.permits));
        let task = SpawnedTask::spawn(async move {
            // (Nobody closes the semaphore.)
            let _permit = permits.acquire_owned().await.ok();
            (chain.run(item).await, reserved)
        });
        match &mut self.running {
            Running::Ordered(tasks) => tasks.push_back(task),
            Running::Unordered(tasks) => tasks.push(task),
        }
    }
}

impl Stream for Queue {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let queue = &mut *self;
        loop {
            if let Some(item) = queue.ready.pop_front() {
                return Poll::Ready(Some(item));
            }
            queue.fill(cx);
            if !queue.ready.is_empty() {
                continue;
            }
            let done = match &mut queue.running {
                Running::Ordered(tasks) => tasks.poll_next_unpin(cx),
                Running::Unordered(tasks) => tasks.poll_next_unpin(cx),
            };
            match done {
                Poll::Ready(Some(Ok((items, _reserved)))) => queue.ready.extend(items),
                Poll::Ready(Some(Err(source))) => {
                    return Poll::Ready(Some(Err(StreamError::Task { source })));
                }
                Poll::Ready(None) if queue.input.is_done() && queue.held.is_empty() => {
                    return Poll::Ready(None);
                }
                // (Nothing runs, so the input is waited for.)
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
