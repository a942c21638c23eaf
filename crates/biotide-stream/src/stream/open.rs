//! A stream at work: it begins, ends, and stops at the first error that nobody caught.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::future::{Either, select, select_all};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::Stream;
use crate::chunk::Chunk;
use crate::errors::{ProcessorError, Result, StreamError, panicked};
use crate::log::{RunLog, get};
use crate::options::ErrorThreshold;
use crate::processor::Processor;
use crate::run::{Item, Items};

struct Opened {
    /// None once it has ended.
    items: Option<Items>,
    /// Those that are to be initialized, in the order of the stream.
    waiting: Vec<Arc<dyn Processor>>,
    /// Those that are to be finalized.
    begun: Vec<Arc<dyn Processor>>,
    tokens: Vec<CancellationToken>,
    threshold: Option<ErrorThreshold>,
    log: Arc<RunLog>,
}

impl Stream {
    /// Its chunks, to be pulled by hand. After an error it ends.
    ///
    /// Processors are finalized when the end is reached. When the stream is dropped before, within a Tokio runtime, that
    /// is left to a task that nobody waits for.
    pub fn into_chunks(self) -> BoxStream<'static, Result<Chunk>> {
        let stream = self.settle();
        let opened = Opened {
            items: Some(stream.items),
            waiting: stream.processors,
            begun: Vec::new(),
            tokens: stream.tokens,
            threshold: stream.threshold,
            log: stream.log,
        };
        stream::unfold(opened, |mut opened| async move {
            let item = opened.next().await?;
            Some((item, opened))
        })
        .boxed()
    }
}

impl Opened {
    async fn next(&mut self) -> Option<Item> {
        self.log.start();
        if !self.waiting.is_empty() {
            let tokens = self.tokens.clone();
            match unless_cancelled(&tokens, self.initialize()).await {
                Some(Ok(())) => {}
                Some(Err(error)) => return self.fail(error).await,
                None => return self.stop().await,
            }
        }
        let items = self.items.as_mut()?;
        let (threshold, log) = (self.threshold, &self.log);
        // (Where everything fails nothing is delivered: it must not take the whole source to see that.)
        let next = poll_fn(|cx| match items.poll_next_unpin(cx) {
            Poll::Pending => match too_many(threshold, log) {
                Some(error) => Poll::Ready(Some(Err(error))),
                None => Poll::Pending,
            },
            ready => ready,
        });
        match unless_cancelled(&self.tokens, next).await {
            Some(Some(Ok(chunk))) => {
                self.log.delivered(&chunk);
                match too_many(self.threshold, &self.log) {
                    Some(error) => self.fail(error).await,
                    None => Some(Ok(chunk)),
                }
            }
            Some(Some(Err(error))) => self.fail(error).await,
            Some(None) => {
                self.items = None;
                let ended = match too_many(self.threshold, &self.log) {
                    Some(error) => Err(error),
                    None => self.finalize().await,
                };
                match ended {
                    Ok(()) => None,
                    Err(error) => self.fail(error).await,
                }
            }
            None => self.stop().await,
        }
    }

    async fn stop(&mut self) -> Option<Item> {
        let rows = get(&self.log.target().counters.rows);
        self.fail(StreamError::Cancelled { rows }).await
    }

    async fn initialize(&mut self) -> Result<()> {
        for processor in std::mem::take(&mut self.waiting) {
            guarded(processor.initialize())
                .await
                .map_err(|error| StreamError::outside(processor.name(), error))?;
            self.begun.push(processor);
        }
        Ok(())
    }

    /// All of them, also when one fails. The first error is given.
    async fn finalize(&mut self) -> Result<()> {
        let mut ended = Ok(());
        for processor in std::mem::take(&mut self.begun) {
            match guarded(processor.finalize()).await {
                Ok(summary) => self.log.finished(processor.name(), summary),
                Err(error) => {
                    let error = StreamError::outside(processor.name(), error);
                    ended = ended.and(Err(error));
                }
            }
        }
        ended
    }

    async fn fail(&mut self, error: StreamError) -> Option<Item> {
        // What still runs is stopped before processors are told that it is over.
        self.items = None;
        self.log.ended_by(&error);
        if let Err(another) = self.finalize().await {
            self.log.ended_by(&another);
        }
        Some(Err(error))
    }
}

fn too_many(threshold: Option<ErrorThreshold>, log: &RunLog) -> Option<StreamError> {
    let threshold = threshold?;
    let rows = get(&log.target().counters.rows_read);
    let (_, failed) = log.errors();
    let many = rows >= threshold.minimum_rows && failed as f64 > rows as f64 * threshold.rate;
    many.then(|| {
        // (The summary in the error is that of a run that has failed.)
        log.end_early();
        StreamError::TooManyErrors {
            failed,
            rows,
            threshold: threshold.rate,
            summary: Box::new(log.summary()),
        }
    })
}

/// Who lets go of rows does not wait: processors that have begun are ended by a task of their own.
impl Drop for Opened {
    fn drop(&mut self) {
        // What still runs is stopped before processors are told that it is over.
        self.items = None;
        let begun = std::mem::take(&mut self.begun);
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if begun.is_empty() {
            return;
        }
        let log = Arc::clone(&self.log);
        runtime.spawn(async move {
            for processor in begun {
                match guarded(processor.finalize()).await {
                    Ok(summary) => log.finished(processor.name(), summary),
                    Err(error) => log.ended_by(&StreamError::outside(processor.name(), error)),
                }
            }
        });
    }
}

/// A panic is an error here too.
pub(super) async fn guarded<T>(
    call: impl Future<Output = Result<T, ProcessorError>>,
) -> Result<T, ProcessorError> {
    let done = AssertUnwindSafe(call).catch_unwind().await;
    done.unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
}

/// What comes of a future, if none of the tokens is cancelled before.
pub(super) async fn unless_cancelled<T>(
    tokens: &[CancellationToken],
    future: impl Future<Output = T>,
) -> Option<T> {
    let Some(cancelled) = cancelled(tokens) else {
        return Some(future.await);
    };
    match select(cancelled, pin!(future)).await {
        Either::Left(_) => None,
        Either::Right((done, _)) => Some(done),
    }
}

/// When one of the tokens is cancelled.
fn cancelled(tokens: &[CancellationToken]) -> Option<impl Future<Output = ()> + Unpin + '_> {
    if tokens.is_empty() {
        return None;
    }
    let each = tokens.iter().map(|token| Box::pin(token.cancelled()));
    Some(select_all(each).map(|_| ()))
}
