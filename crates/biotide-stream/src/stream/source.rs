//! Where streams begin.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion_common::DataFusionError;
use datafusion_execution::SendableRecordBatchStream;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::Stream;
use crate::chunk::Chunk;
use crate::errors::{BoxError, StreamError};
use crate::log::RunLog;

/// Errors of a source without a batch between them, after which it is taken for broken. Some repeat theirs forever.
const MOST_ERRORS: u32 = 100;

impl Stream {
    /// What any stream of batches gives. Its errors are those of the source.
    ///
    /// `name`: what messages call the source.
    pub fn from_batches<S, E>(name: impl Into<Arc<str>>, schema: SchemaRef, batches: S) -> Self
    where
        S: futures::Stream<Item = Result<RecordBatch, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let name = name.into();
        let log = Arc::new(RunLog::default());
        let read = Reader {
            name,
            log: Arc::clone(&log),
            chunk: 0,
            row: 0,
            errors: 0,
        };
        let batches = batches.map(|batch| batch.map_err(Into::into)).boxed();
        let items = stream::unfold((batches, read), |(mut batches, mut read)| async move {
            loop {
                if read.errors >= MOST_ERRORS {
                    return None;
                }
                match batches.next().await? {
                    Ok(batch) if batch.num_rows() == 0 => {}
                    Ok(batch) => return Some((Ok(read.batch(batch)), (batches, read))),
                    Err(error) => return Some((Err(read.error(error)), (batches, read))),
                }
            }
        });
        Self::of(Some(schema), items.boxed(), log)
    }

    /// What is sent through a channel, until it is closed. The channel is the bound of what waits.
    pub fn from_channel(
        name: impl Into<Arc<str>>,
        schema: SchemaRef,
        mut batches: mpsc::Receiver<RecordBatch>,
    ) -> Self {
        let batches = stream::poll_fn(move |cx| {
            let batch = batches.poll_recv(cx);
            batch.map(|batch| batch.map(Ok::<_, DataFusionError>))
        });
        Self::from_batches(name, schema, batches)
    }

    /// The result of a statement.
    pub fn from_datafusion(name: impl Into<Arc<str>>, batches: SendableRecordBatchStream) -> Self {
        let schema = batches.schema();
        Self::from_batches(name, schema, batches)
    }
}

struct Reader {
    name: Arc<str>,
    log: Arc<RunLog>,
    chunk: u64,
    row: u64,
    errors: u32,
}

impl Reader {
    fn batch(&mut self, batch: RecordBatch) -> Chunk {
        let chunk = Chunk::new(self.chunk, batch, self.row);
        self.errors = 0;
        self.chunk += 1;
        self.row += chunk.rows() as u64;
        self.log.read(chunk.rows());
        chunk
    }

    fn error(&mut self, error: BoxError) -> StreamError {
        self.errors += 1;
        StreamError::source(&self.name, self.row, error)
    }
}
