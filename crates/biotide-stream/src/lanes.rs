//! Rows dealt out to streams by a key.

use std::pin::Pin;
use std::task::Poll;

use arrow::array::UInt64Array;
use datafusion_common::hash_utils::{RandomState, create_hashes};
use datafusion_common_runtime::SpawnedTask;
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;

use crate::chunk::Chunk;
use crate::errors::{Result, StreamError};
use crate::run::{Item, Items};

/// One of the streams: where its rows go in, and what comes out.
pub(crate) struct Lane {
    pub(crate) feed: mpsc::Sender<Chunk>,
    pub(crate) items: Items,
}

/// What a lane begins with.
pub(crate) fn channel(capacity: usize) -> (mpsc::Sender<Chunk>, Items) {
    let (feed, rows) = mpsc::channel(capacity);
    (feed, received(rows).map(Ok).boxed())
}

/// Each row goes to the lane of its key's hash. What all lanes give comes as it is done.
pub(crate) fn distribute(input: Items, by: String, lanes: Vec<Lane>, capacity: usize) -> Items {
    // Tasks start when the first row is asked for.
    let start = async move {
        let (out, results) = mpsc::channel(capacity);
        let mut feeds = Vec::with_capacity(lanes.len());
        let mut tasks = Vec::with_capacity(lanes.len() + 1);
        for lane in lanes {
            feeds.push(Some(lane.feed));
            tasks.push(SpawnedTask::spawn(pump(lane.items, out.clone())));
        }
        tasks.push(SpawnedTask::spawn(feed(input, by, feeds, out)));
        Lanes {
            results: received(results).boxed(),
            tasks,
        }
    };
    start.into_stream().flatten().boxed()
}

fn received<T: Send + 'static>(mut channel: mpsc::Receiver<T>) -> impl futures::Stream<Item = T> {
    stream::poll_fn(move |cx| channel.poll_recv(cx))
}

/// Results, and the tasks that they come from: one that panicked must not look like one that is done.
struct Lanes {
    results: stream::BoxStream<'static, Item>,
    tasks: Vec<SpawnedTask<()>>,
}

impl futures::Stream for Lanes {
    type Item = Item;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        if let Some(item) = std::task::ready!(self.results.poll_next_unpin(cx)) {
            return Poll::Ready(Some(item));
        }
        while let Some(task) = self.tasks.last_mut() {
            let joined = std::task::ready!(task.poll_unpin(cx));
            self.tasks.pop();
            if let Err(source) = joined {
                return Poll::Ready(Some(Err(StreamError::Task { source })));
            }
        }
        Poll::Ready(None)
    }
}

async fn pump(mut items: Items, out: mpsc::Sender<Item>) {
    while let Some(item) = items.next().await {
        if out.send(item).await.is_err() {
            return;
        }
    }
}

async fn feed(
    mut input: Items,
    by: String,
    mut feeds: Vec<Option<mpsc::Sender<Chunk>>>,
    out: mpsc::Sender<Item>,
) {
    while let Some(item) = input.next().await {
        let parts = match item.and_then(|chunk| parted(&chunk, &by, feeds.len())) {
            Ok(parts) => parts,
            Err(error) => {
                if out.send(Err(error)).await.is_err() {
                    return;
                }
                continue;
            }
        };
        for (part, feed) in parts.into_iter().zip(&mut feeds) {
            let (Some(part), Some(open)) = (part, feed.as_ref()) else {
                continue;
            };
            // A lane with a limit ends before its rows do.
            if open.send(part).await.is_err() {
                *feed = None;
            }
        }
        if feeds.iter().all(Option::is_none) {
            return;
        }
    }
}

/// A chunk's rows for each of the lanes.
fn parted(chunk: &Chunk, by: &str, lanes: usize) -> Result<Vec<Option<Chunk>>> {
    let Some(keys) = chunk.batch().column_by_name(by) else {
        let problem = format!("there is no column '{by}'");
        return Err(StreamError::plan("distribute", problem));
    };
    let mut hashes = vec![0; chunk.rows()];
    let failed = |error| StreamError::rows("distribute", chunk.clone(), 0, error);
    // (A seed of its own: with that of joins, each lane would have the rows of one of their partitions.)
    create_hashes([keys], &RandomState::with_seed(0x6c61_6e65), &mut hashes)
        .map_err(|error| failed(error.into()))?;
    let mut rows = vec![Vec::new(); lanes];
    for (row, hash) in hashes.into_iter().enumerate() {
        rows[(hash % lanes as u64) as usize].push(row as u64);
    }
    rows.into_iter()
        .map(|rows| match rows.len() {
            0 => Ok(None),
            all if all == chunk.rows() => Ok(Some(chunk.clone())),
            _ => chunk
                .take(&UInt64Array::from(rows))
                .map(Some)
                .map_err(|error| failed(error.into())),
        })
        .collect()
}
