//! Where the result is asked for.

use arrow::array::RecordBatch;
use datafusion_execution::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::Stream;
use super::open::{guarded, unless_cancelled};
use crate::errors::{Failed, Result, StreamError};
use crate::log::{RunLog, RunSummary, get};
use crate::sink::Sink;

/// A result, and what was done for it.
#[derive(Debug, Clone)]
pub struct Finished<T> {
    /// The result.
    pub value: T,
    /// What was done. Its status is success, or partial success if errors were caught.
    pub summary: RunSummary,
}

fn failed(log: &RunLog) -> impl Fn(StreamError) -> Failed {
    |error| Failed {
        error,
        summary: Box::new(log.summary()),
    }
}

impl Stream {
    /// Its batches, to be pulled by hand. After an error it ends.
    pub fn into_batches(self) -> BoxStream<'static, Result<RecordBatch>> {
        self.into_chunks().map_ok(crate::Chunk::into_batch).boxed()
    }

    /// As DataFusion's operators take it.
    ///
    /// # Errors
    ///
    /// The columns are not known.
    pub fn into_datafusion(self) -> Result<SendableRecordBatchStream> {
        let Some(schema) = self.schema.clone() else {
            return Err(StreamError::plan(
                "into_datafusion",
                "the columns are not known after operations that can change them; say what they are with expect_schema",
            ));
        };
        let batches = self.into_batches().map_err(Into::into);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    /// All batches at once, in memory. It is the only operation that holds everything.
    ///
    /// # Errors
    ///
    /// The first error that nobody caught, with what was done until then.
    pub async fn collect(self) -> Result<Finished<Vec<RecordBatch>>, Failed> {
        self.fold(Vec::new(), |mut batches, batch| {
            batches.push(batch);
            batches
        })
        .await
    }

    /// One value of all batches.
    ///
    /// # Errors
    ///
    /// The first error that nobody caught, with what was done until then.
    pub async fn fold<T>(
        self,
        first: T,
        mut f: impl FnMut(T, RecordBatch) -> T,
    ) -> Result<Finished<T>, Failed> {
        let log = self.log();
        let mut batches = self.into_batches();
        let mut value = first;
        while let Some(batch) = batches.next().await {
            value = f(value, batch.map_err(failed(&log))?);
        }
        let summary = log.summary();
        Ok(Finished { value, summary })
    }

    /// One batch of all, or none of none.
    ///
    /// # Errors
    ///
    /// The first error that nobody caught, with what was done until then.
    pub async fn reduce(
        self,
        mut f: impl FnMut(RecordBatch, RecordBatch) -> RecordBatch,
    ) -> Result<Finished<Option<RecordBatch>>, Failed> {
        self.fold(None, |value, batch| {
            Some(match value {
                Some(value) => f(value, batch),
                None => batch,
            })
        })
        .await
    }

    /// Nothing but the summary: for streams that are run for what they do.
    ///
    /// # Errors
    ///
    /// The first error that nobody caught, with what was done until then.
    pub async fn run(self) -> Result<RunSummary, Failed> {
        Ok(self.fold((), |(), _| ()).await?.summary)
    }

    /// Writes all chunks. What the sink says at its end stands in the summary under its name.
    ///
    /// # Errors
    ///
    /// The first error that nobody caught, or one of the sink, with what was done until then.
    pub async fn sink(self, mut sink: impl Sink) -> Result<RunSummary, Failed> {
        let log = self.log();
        let written = self.write(&mut sink, &log).await;
        if written.is_err() {
            sink.abort().await;
        }
        match written {
            Ok(()) => Ok(log.summary()),
            Err(error) => Err(failed(&log)(error)),
        }
    }

    async fn write(self, sink: &mut impl Sink, log: &RunLog) -> Result<()> {
        let of_sink = |error: StreamError| {
            log.ended_by(&error);
            error
        };
        let stopped = || {
            let rows = get(&log.target().counters.rows);
            of_sink(StreamError::Cancelled { rows })
        };
        let tokens = self.tokens.clone();
        let begun = unless_cancelled(&tokens, guarded(sink.initialize(self.schema.as_ref()))).await;
        let begun = begun.ok_or_else(stopped)?;
        begun.map_err(|error| of_sink(StreamError::outside(sink.name(), error)))?;
        let mut chunks = self.into_chunks();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            let rows = chunk.clone();
            let written = unless_cancelled(&tokens, guarded(sink.write_chunk(chunk))).await;
            if let Err(error) = written.ok_or_else(stopped)? {
                return Err(of_sink(StreamError::rows(sink.name(), rows, 0, error)));
            }
        }
        let summary = unless_cancelled(&tokens, guarded(sink.finalize())).await;
        let summary = summary.ok_or_else(stopped)?;
        let summary = summary.map_err(|error| of_sink(StreamError::outside(sink.name(), error)))?;
        log.finished(sink.name(), summary);
        Ok(())
    }
}
