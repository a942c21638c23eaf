//! Streams for code that does not wait.

use std::fmt;

use arrow::array::RecordBatch;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::runtime::{Builder, Runtime};

use super::Stream;
use crate::errors::{Result, StreamError};

/// Batches one after another, on the thread that asks for them.
///
/// It has a runtime of its own, so it is not for use inside of one: Tokio panics there.
pub struct BlockingIter {
    // (Dropped before the runtime that its tasks are of.)
    batches: BoxStream<'static, Result<RecordBatch>>,
    runtime: Runtime,
}

impl fmt::Debug for BlockingIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingIter").finish_non_exhaustive()
    }
}

impl Stream {
    /// For a `for` loop. After an error it ends.
    ///
    /// # Errors
    ///
    /// No runtime can be started.
    pub fn into_blocking(self) -> Result<BlockingIter> {
        let runtime = Builder::new_current_thread().enable_time().build();
        Ok(BlockingIter {
            batches: self.into_batches(),
            runtime: runtime.map_err(|source| StreamError::Runtime { source })?,
        })
    }
}

impl Iterator for BlockingIter {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.block_on(self.batches.next())
    }
}
