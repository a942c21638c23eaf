//! Operations one after another on one chunk, with each error kept to its rows.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::{Item, Work};
use crate::chunk::Chunk;
use crate::errors::{ErrorKind, ItemError, ProcessorError, StreamError};
use crate::log::{ChunkResult, RunLog, milliseconds};
use crate::options::{Isolation, Recovery};

/// Decides about an error.
pub(crate) type Handler = Arc<dyn Fn(&ItemError) -> Recovery + Send + Sync>;

/// One link.
pub(crate) enum Step {
    Work(Work),
    Catch(Handler),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work(work) => work.fmt(f),
            Self::Catch(_) => f.write_str("Catch"),
        }
    }
}

/// Operations that follow each other.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) steps: Vec<Step>,
    pub(crate) isolation: Isolation,
    pub(crate) log: Arc<RunLog>,
}

/// There were more errors in a chunk than are looked for.
#[derive(Debug, thiserror::Error)]
#[error("{limit} errors in this chunk are as many as may be, so the rest of it was given up")]
struct TooMany {
    limit: usize,
}

impl Chain {
    /// What becomes of a chunk, or of an error of an operation before.
    pub(crate) async fn run(&self, item: Item) -> Vec<Item> {
        let started = Instant::now();
        let before = item
            .as_ref()
            .ok()
            .map(|chunk| (chunk.id, chunk.rows(), chunk.bytes()));
        let mut items = vec![item];
        for step in &self.steps {
            let mut next = Vec::with_capacity(items.len());
            for item in items {
                match (step, item) {
                    (Step::Work(work), Ok(chunk)) if chunk.rows() > 0 => {
                        self.isolate(work, chunk, &mut next).await;
                    }
                    (Step::Catch(handler), Err(StreamError::Item(error))) => {
                        next.extend(self.recover(handler, error));
                    }
                    (_, item) => next.push(item),
                }
            }
            items = next;
        }
        let items = join(items);
        if let Some((chunk, rows, bytes)) = before {
            let out = items.iter().flatten();
            self.log.chunk(ChunkResult {
                chunk,
                rows_in: rows as u64,
                rows_out: out.clone().map(|chunk| chunk.rows() as u64).sum(),
                errors: items.iter().filter(|item| item.is_err()).count() as u64,
                memory_bytes: (bytes + out.map(Chunk::bytes).sum::<usize>()) as u64,
                elapsed_ms: milliseconds(started),
            });
        }
        items
    }

    /// What fails is tried at half its size, down to one row. In order.
    async fn isolate(&self, work: &Work, chunk: Chunk, out: &mut Vec<Item>) {
        let mut todo = vec![chunk];
        let mut errors = 0;
        while let Some(part) = todo.pop() {
            if let Some(limit) = self.isolation.max_errors_per_chunk
                && errors >= limit
            {
                let cause = ProcessorError::new(ErrorKind::Other, TooMany { limit });
                out.push(Err(StreamError::rows(
                    Arc::clone(&work.name),
                    part,
                    0,
                    cause,
                )));
                continue;
            }
            let is_halved = |error: &ProcessorError| {
                self.isolation.halve && part.rows() > 1 && error.kind().is_of_rows()
            };
            let (worked, retries) = work.run(&part, |error| !is_halved(error)).await;
            self.log.retried(retries);
            match worked {
                Ok(chunk) => out.push(Ok(chunk)),
                Err(error) if is_halved(&error) => {
                    let (one, two) = part.halves();
                    todo.extend([two, one]);
                }
                Err(error) => {
                    errors += 1;
                    out.push(Err(StreamError::rows(
                        Arc::clone(&work.name),
                        part,
                        retries,
                        error,
                    )));
                }
            }
        }
    }

    fn recover(&self, handler: &Handler, error: Box<ItemError>) -> Option<Item> {
        // A handler that panics has decided nothing.
        let decided = catch_unwind(AssertUnwindSafe(|| handler(&error)));
        match decided.unwrap_or(Recovery::Stop) {
            Recovery::Stop => Some(Err(StreamError::Item(error))),
            Recovery::Skip => {
                self.log.caught(&error);
                None
            }
            Recovery::Replace(batch) => {
                self.log.caught(&error);
                let chunk = match error.rows() {
                    Some(rows) => rows.clone().with_batch(batch),
                    None => Chunk::new(0, batch, error.item().unwrap_or(0)),
                };
                Some(Ok(chunk))
            }
        }
    }
}

/// Neighbours that are pieces of one chunk become one again. Chunks without rows go.
fn join(items: Vec<Item>) -> Vec<Item> {
    let mut joined = Vec::with_capacity(items.len());
    let mut pieces: Vec<Chunk> = Vec::new();
    for item in items {
        match item {
            Ok(chunk) if chunk.rows() == 0 => {}
            Ok(chunk) => {
                if pieces.last().is_some_and(|last| !last.belongs_with(&chunk)) {
                    joined.extend(whole(std::mem::take(&mut pieces)));
                }
                pieces.push(chunk);
            }
            Err(error) => {
                joined.extend(whole(std::mem::take(&mut pieces)));
                joined.push(Err(error));
            }
        }
    }
    joined.extend(whole(pieces));
    joined
}

fn whole(pieces: Vec<Chunk>) -> Option<Item> {
    let first = pieces.first()?.clone();
    match Chunk::concat(pieces) {
        Ok(chunk) => chunk.map(Ok),
        Err(error) => Some(Err(StreamError::rows("join", first, 0, error.into()))),
    }
}
