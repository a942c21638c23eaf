//! Operations at work on chunks.

mod chain;
mod guard;
mod operation;
mod queue;

pub(crate) use chain::{Chain, Step};
pub(crate) use guard::Guard;
pub(crate) use operation::{Operation, Work};
pub(crate) use queue::{Concurrency, Queue};

use futures::stream::BoxStream;

use crate::chunk::Chunk;
use crate::errors::Result;

/// What streams are made of.
pub(crate) type Item = Result<Chunk>;

/// Chunks, and errors in the place of others.
pub(crate) type Items = BoxStream<'static, Item>;
