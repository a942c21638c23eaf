//! What arrives in a span of time.

use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::Buffer;
use crate::chunk::Chunk;
use crate::errors::Result;
use crate::run::Items;

struct Within {
    input: Items,
    buffer: Buffer,
    duration: Duration,
    most_bytes: usize,
    done: bool,
    /// When the rows that wait must go.
    deadline: Option<Instant>,
}

/// Chunks of what arrives within a time of their first row, or of so many bytes.
pub(crate) fn within(input: Items, duration: Duration, most_bytes: usize) -> Items {
    let state = Within {
        input,
        buffer: Buffer::default(),
        duration,
        most_bytes,
        done: false,
        deadline: None,
    };
    stream::unfold(state, |mut state| async move {
        let item = state.next().await.transpose()?;
        Some((item, state))
    })
    .boxed()
}

impl Within {
    async fn next(&mut self) -> Result<Option<Chunk>> {
        loop {
            if self.done || self.buffer.bytes() >= self.most_bytes {
                return self.rest();
            }
            let arrived = match self.deadline {
                None => self.input.next().await,
                // A source that always has something must not keep rows back.
                Some(deadline) if deadline <= Instant::now() => return self.rest(),
                Some(deadline) => match timeout_at(deadline, self.input.next()).await {
                    Ok(arrived) => arrived,
                    Err(_) => return self.rest(),
                },
            };
            match arrived {
                Some(chunk) => {
                    self.buffer.push(chunk?);
                    if self.deadline.is_none() && self.buffer.rows() > 0 {
                        // (Beyond the clock's end there is none.)
                        self.deadline = Instant::now().checked_add(self.duration);
                    }
                }
                None => self.done = true,
            }
        }
    }

    fn rest(&mut self) -> Result<Option<Chunk>> {
        self.deadline = None;
        self.buffer.take(self.buffer.rows())
    }
}
