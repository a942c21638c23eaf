//! Cuts a stream anew.

use std::time::Instant;

use futures::{StreamExt, stream};

use super::adaptive::Adaptive;
use super::buffer::Buffer;
use super::keys::Keys;
use super::time;
use super::{Chunking, MOST_BYTES};
use crate::chunk::Chunk;
use crate::errors::Result;
use crate::run::Items;

/// Decides how many of the buffered rows are the next chunk.
enum Cut {
    Rows(usize),
    Bytes(usize),
    Adaptive(Adaptive),
    Keys(Keys),
}

struct Rechunk {
    input: Items,
    buffer: Buffer,
    cut: Cut,
    done: bool,
}

/// The same rows in other chunks. Errors come through at once, before rows that wait.
pub(crate) fn rechunk(input: Items, chunking: Chunking) -> Items {
    let cut = match chunking {
        Chunking::Rows(rows) => Cut::Rows(rows),
        Chunking::Bytes(bytes) => Cut::Bytes(bytes),
        Chunking::Adaptive {
            min,
            max,
            target_ms,
        } => Cut::Adaptive(Adaptive::new(min, max, target_ms)),
        Chunking::ByKey { column, max_rows } => Cut::Keys(Keys::new(column, max_rows)),
        Chunking::Time(duration) => return time::within(input, duration, MOST_BYTES),
    };
    let state = Rechunk {
        input,
        buffer: Buffer::default(),
        cut,
        done: false,
    };
    stream::unfold(state, |mut state| async move {
        let item = state.next().await.transpose()?;
        Some((item, state))
    })
    .boxed()
}

impl Rechunk {
    async fn next(&mut self) -> Result<Option<Chunk>> {
        if let Cut::Adaptive(adaptive) = &mut self.cut {
            adaptive.asked(Instant::now());
        }
        loop {
            if let Some(chunk) = self.ready()? {
                return Ok(Some(chunk));
            }
            if self.done {
                return Ok(None);
            }
            match self.input.next().await {
                Some(chunk) => {
                    let chunk = chunk?;
                    if let Cut::Keys(keys) = &mut self.cut {
                        keys.push(&chunk)?;
                    }
                    self.buffer.push(chunk);
                }
                None => self.done = true,
            }
        }
    }

    fn ready(&mut self) -> Result<Option<Chunk>> {
        let (buffer, done) = (&mut self.buffer, self.done);
        let rows = match &mut self.cut {
            Cut::Rows(rows) => (buffer.rows() >= *rows).then_some(*rows),
            Cut::Adaptive(adaptive) => {
                let rows = adaptive.rows();
                (buffer.rows() >= rows).then_some(rows)
            }
            Cut::Bytes(bytes) => fitting(buffer, *bytes),
            Cut::Keys(keys) => {
                let Some((rows, continues)) = keys.cut(buffer.rows(), done) else {
                    return Ok(None);
                };
                let chunk = buffer.take(rows)?;
                return Ok(chunk.map(|mut chunk| {
                    if continues {
                        chunk.metadata.insert("continues".to_owned(), true.into());
                    }
                    chunk
                }));
            }
        };
        let rest = (done && buffer.rows() > 0).then_some(buffer.rows());
        let chunk = match rows.or(rest) {
            Some(rows) => buffer.take(rows)?,
            None => None,
        };
        if let (Cut::Adaptive(adaptive), Some(_)) = (&mut self.cut, &chunk) {
            adaptive.given(Instant::now());
        }
        Ok(chunk)
    }
}

/// How many rows fit in the bytes, once there are as many bytes.
fn fitting(buffer: &Buffer, bytes: usize) -> Option<usize> {
    if buffer.bytes() < bytes {
        return None;
    }
    let (mut rows, mut left) = (0, bytes);
    for chunk in buffer.chunks() {
        let size = chunk.bytes();
        if size <= left {
            rows += chunk.rows();
            left -= size;
            continue;
        }
        // Bytes grow with rows, so the last count that fits is found by halves.
        let (mut fits, mut not) = (0, chunk.rows());
        while not - fits > 1 {
            let middle = fits + (not - fits) / 2;
            if chunk.slice(0, middle).bytes() <= left {
                fits = middle;
            } else {
                not = middle;
            }
        }
        rows += fits;
        break;
    }
    Some(rows.max(1))
}
