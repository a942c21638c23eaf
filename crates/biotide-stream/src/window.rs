//! Rows that are looked at together.

use std::time::Duration;

use futures::{StreamExt, stream};

use crate::chunk::Chunk;
use crate::chunking::{Buffer, Chunking, rechunk};
use crate::errors::{Result, StreamError};
use crate::run::Items;

/// Which rows are looked at together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Rows { rows: usize, step: usize },
    Time(Duration),
}

impl Window {
    /// `rows` rows from every `step`-th on. With a step below `rows` they overlap, with one above it rows are left
    /// out. The last window is shorter, and is left out when the one before has all of its rows.
    pub fn rows(rows: usize, step: usize) -> Self {
        Self(Kind::Rows { rows, step })
    }

    /// What arrives within so much time of a window's first row, or 64 MiB. They do not overlap.
    pub fn time(duration: Duration) -> Self {
        Self(Kind::Time(duration))
    }

    pub(crate) fn validate(&self) -> Result<()> {
        match &self.0 {
            Kind::Rows { rows, step } if *rows == 0 || *step == 0 => Err(StreamError::plan(
                "window",
                "a window has at least 1 row, and so has its step",
            )),
            Kind::Rows { .. } => Ok(()),
            Kind::Time(duration) => Chunking::Time(*duration).validate(),
        }
    }
}

struct Sliding {
    input: Items,
    buffer: Buffer,
    rows: usize,
    step: usize,
    /// Rows to leave out before the next window.
    gap: usize,
    /// Rows in the buffer that a window had.
    seen: usize,
    done: bool,
}

pub(crate) fn window(input: Items, window: Window) -> Items {
    let (rows, step) = match window.0 {
        Kind::Rows { rows, step } => (rows, step),
        Kind::Time(duration) => return rechunk(input, Chunking::Time(duration)),
    };
    let state = Sliding {
        input,
        buffer: Buffer::default(),
        rows,
        step,
        gap: 0,
        seen: 0,
        done: false,
    };
    stream::unfold(state, |mut state| async move {
        let item = state.next().await.transpose()?;
        Some((item, state))
    })
    .boxed()
}

impl Sliding {
    async fn next(&mut self) -> Result<Option<Chunk>> {
        loop {
            let gap = self.gap.min(self.buffer.rows());
            self.buffer.drop_front(gap);
            self.gap -= gap;
            if self.gap == 0 && self.buffer.rows() >= self.rows {
                return self.give(self.rows);
            }
            if self.done {
                let new = self.gap == 0 && self.buffer.rows() > self.seen;
                let rows = if new { self.buffer.rows() } else { 0 };
                let last = self.give(rows);
                self.buffer = Buffer::default();
                return last;
            }
            match self.input.next().await {
                Some(chunk) => self.buffer.push(chunk?),
                None => self.done = true,
            }
        }
    }

    fn give(&mut self, rows: usize) -> Result<Option<Chunk>> {
        let window = self.buffer.copy(rows)?;
        self.gap = self.step;
        self.seen = rows.saturating_sub(self.step);
        Ok(window)
    }
}
