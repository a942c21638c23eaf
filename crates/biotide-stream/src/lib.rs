//! Composable, bounded streams of record batches and processors over them.
//!
//! A [`Dataset`] describes rows that can be read again and again; each [`Stream`] of it reads for itself. Operations
//! are written one after another and work in that order. Nothing is read before the result is asked for, and nothing
//! is held but the chunks that are worked on.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow::array::{ArrayRef, Int64Array, RecordBatch};
//! use biotide_stream::Dataset;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let lengths: ArrayRef = Arc::new(Int64Array::from(vec![120, 45, 310]));
//! let batch = RecordBatch::try_from_iter([("length", lengths)])?;
//! let dataset = Dataset::from_memory("proteins", batch.schema(), vec![batch]);
//! let long = dataset
//!     .stream()
//!     .filter(|row| row.i64("length") > Some(100))
//!     .batch(32);
//! for batch in long.into_blocking()? {
//!     assert_eq!(batch?.num_rows(), 2);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! An error stands in the place of the items it happened to: what fails is tried in halves, so one bad row costs one
//! row. [`Stream::catch`] decides what comes of it. What was done is told by the [`RunSummary`].
//!
//! A [`Processor`] begins, works on chunks, and ends with a summary. It is run in a stream
//! ([`Stream::process`]) or as a node of a plan ([`ProcessorExec`]).

mod chunk;
mod chunking;
mod dataset;
mod errors;
mod lanes;
mod log;
mod merge;
mod options;
mod processor;
mod progress;
mod retry;
mod row;
mod run;
mod sink;
mod stream;
mod window;

#[cfg(test)]
mod tests;

pub use chunk::Chunk;
pub use chunking::Chunking;
pub use dataset::{Dataset, DatasetMetadata};
pub use errors::{
    BoxError, ErrorDetail, ErrorKind, ErrorSummary, Failed, ItemError, ProcessorError, Result,
    Stage, StreamError,
};
pub use log::{ChunkResult, LogLimits, ProcessorSummary, RunLog, RunSummary, Status};
pub use merge::Merge;
pub use options::{ErrorThreshold, Isolation, Recovery};
pub use processor::{Processor, ProcessorExec, ProcessorNode, ProcessorOptions};
pub use progress::Progress;
pub use retry::{Attempted, CircuitBreaker, CircuitBreakerOpen, ErrorHandler, RetryPolicy};
pub use row::{Row, RowError};
pub use sink::Sink;
pub use stream::{BlockingIter, Finished, Stream};
pub use window::Window;
