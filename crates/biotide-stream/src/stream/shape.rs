//! Operations that change which rows flow together, and how many.

use std::sync::Arc;

use futures::{StreamExt, stream};

use super::Stream;
use crate::chunking::{Chunking, rechunk};
use crate::errors::StreamError;
use crate::lanes::{self, Lane};
use crate::merge::{Merge, merge};
use crate::run::{Item, Items};
use crate::window::{Window, window};

impl Stream {
    /// Exactly `rows` rows together; the last are fewer. It waits for them.
    pub fn batch(self, rows: usize) -> Self {
        self.chunk(Chunking::Rows(rows))
    }

    /// At most `rows` rows together. It never waits for more, and copies nothing.
    pub fn rebatch(self, rows: usize) -> Self {
        if rows == 0 {
            return self.broken(StreamError::plan("rebatch", "a batch has at least 1 row"));
        }
        self.shaped(|items| numbered(items.flat_map(move |item| stream::iter(cut(item, rows)))))
    }

    /// The same rows in chunks that are cut in this way.
    ///
    /// An error does not wait for the chunk to be full: it comes before rows that do. If nobody catches it, they are
    /// not delivered.
    pub fn chunk(self, chunking: Chunking) -> Self {
        match chunking.validate() {
            Ok(()) => self.shaped(|items| rechunk(items, chunking)),
            Err(error) => self.broken(error),
        }
    }

    /// Rows that are looked at together. Windows can overlap.
    pub fn window(self, windows: Window) -> Self {
        match windows.validate() {
            Ok(()) => self.shaped(|items| window(items, windows)),
            Err(error) => self.broken(error),
        }
    }

    /// The first `rows` rows. Nothing is read beyond them, but for what is worked on in parallel.
    pub fn limit(self, rows: u64) -> Self {
        self.shaped(|items| {
            // (The source is let go with the last row, not with the question for the next.)
            let state = (rows > 0).then_some((items, rows));
            stream::unfold(state, |state| async move {
                let (mut items, left) = state?;
                Some(match items.next().await? {
                    Ok(chunk) if chunk.rows() as u64 >= left => {
                        (Ok(chunk.slice(0, left as usize)), None)
                    }
                    Ok(chunk) => {
                        let left = left - chunk.rows() as u64;
                        (Ok(chunk), Some((items, left)))
                    }
                    Err(error) => (Err(error), Some((items, left))),
                })
            })
            .boxed()
        })
    }

    /// All but the first `rows` rows.
    pub fn skip(self, rows: u64) -> Self {
        self.shaped(|items| {
            let mut left = rows;
            let rest = items.filter_map(move |item| {
                let kept = match item {
                    Ok(chunk) if chunk.rows() as u64 <= left => {
                        left -= chunk.rows() as u64;
                        None
                    }
                    Ok(chunk) => {
                        let start = std::mem::take(&mut left) as usize;
                        Some(Ok(chunk.slice(start, chunk.rows() - start)))
                    }
                    Err(error) => Some(Err(error)),
                };
                std::future::ready(kept)
            });
            rest.boxed()
        })
    }

    /// The rows of another stream too. What both do is counted together.
    ///
    /// Chunks are numbered anew; items are still counted as their own source gives them.
    pub fn merge(self, other: Self, how: Merge) -> Self {
        if let (Some(one), Some(two)) = (&self.schema, &other.schema)
            && one.fields() != two.fields()
        {
            return self.broken(StreamError::plan(
                "merge",
                "both streams have the same columns, in the same order",
            ));
        }
        let schema = self.schema.clone().and(other.schema.clone());
        let expected = self.expected.zip(other.expected);
        let mut other = other.settle();
        other.log.forward_to(&self.log);
        let items = std::mem::replace(&mut other.items, stream::empty().boxed());
        let mut stream = self.shaped(|one| numbered(merge(one, items, how)));
        stream.schema = schema;
        stream.expected = expected.map(|(one, two)| one + two);
        stream.join(other);
        stream
    }

    /// Rows with the same value of a column go through the same one of `n` streams, each on a task of its own.
    ///
    /// `lane` is given the number of the stream and the stream, and says what is done there. Within one of them the
    /// order is kept; together they come as they are done. It needs a Tokio runtime.
    pub fn distribute(
        self,
        by: impl Into<String>,
        n: usize,
        mut lane: impl FnMut(usize, Self) -> Self,
    ) -> Self {
        let n = n.max(1);
        let capacity = self.concurrency.threshold.div_ceil(n).max(1);
        let mut stream = self.settle();
        let mut lanes = Vec::with_capacity(n);
        let mut guards = Vec::new();
        let mut schema = None;
        for number in 0..n {
            let (feed, items) = lanes::channel(capacity);
            let begin = Self::of(stream.schema.clone(), items, Arc::clone(&stream.log));
            let mut end = lane(number, begin).settle();
            let items = std::mem::replace(&mut end.items, stream::empty().boxed());
            lanes.push(Lane { feed, items });
            guards.append(&mut end.guards);
            schema = end.schema.clone();
            stream.join(end);
        }
        stream.guards.append(&mut guards);
        stream.schema = schema;
        let by = by.into();
        stream.shaped(|items| numbered(lanes::distribute(items, by, lanes, capacity)))
    }

    /// What must be begun and ended with another stream is so with this one.
    fn join(&mut self, other: Self) {
        self.guards.extend(other.guards);
        self.processors.extend(other.processors);
        self.tokens.extend(other.tokens);
        self.threshold = self.threshold.or(other.threshold);
    }
}

fn cut(item: Item, rows: usize) -> Vec<Item> {
    match item {
        Ok(chunk) if chunk.rows() > rows => (0..chunk.rows())
            .step_by(rows)
            .map(|start| Ok(chunk.slice(start, rows)))
            .collect(),
        other => vec![other],
    }
}

fn numbered(items: impl futures::Stream<Item = Item> + Send + 'static) -> Items {
    let mut next = 0;
    let items = items.map(move |item| {
        item.map(|mut chunk| {
            chunk.id = next;
            next += 1;
            chunk
        })
    });
    items.boxed()
}
