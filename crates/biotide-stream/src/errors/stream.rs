//! Why a stream ended before its source did.

use std::sync::Arc;

use datafusion_common::DataFusionError;

use super::{BoxError, ItemError, Place, ProcessorError, Stage};
use crate::chunk::Chunk;
use crate::log::RunSummary;

/// A result of a stream.
pub type Result<T, E = StreamError> = std::result::Result<T, E>;

/// Why a stream ended before its source did.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The source or an operation failed, and nobody caught the error.
    #[error(transparent)]
    Item(Box<ItemError>),
    /// Too many of the items failed, though each of the errors was caught.
    #[error(
        "{failed} of {rows} items failed, more than the share of {threshold} that is allowed{}", first(.summary)
    )]
    TooManyErrors {
        /// Items that failed.
        failed: u64,
        /// Items that were read.
        rows: u64,
        /// The largest share of items that may fail.
        threshold: f64,
        /// What was done until then.
        summary: Box<RunSummary>,
    },
    /// Its token was cancelled.
    #[error("cancelled after {rows} rows")]
    Cancelled {
        /// Rows that had been delivered.
        rows: u64,
    },
    /// There is no memory for one row. It is no fault of the row, so it cannot be caught.
    #[error("operation 'parallel': {cause}")]
    Memory {
        /// What the pool says.
        cause: ProcessorError,
    },
    /// It was put together in a way that cannot work.
    #[error("operation '{operation}': {problem}")]
    Plan {
        /// The operation.
        operation: &'static str,
        /// What is wrong, and what would do.
        problem: Box<str>,
    },
    /// A task of the stream ended without a result.
    #[error("a task of the stream was lost: {source}")]
    Task {
        /// What the runtime says.
        source: tokio::task::JoinError,
    },
    /// There is no runtime to iterate with.
    #[error("starting a runtime: {source}")]
    Runtime {
        /// What the system says.
        source: std::io::Error,
    },
}

impl StreamError {
    pub(crate) fn source(name: &Arc<str>, item: u64, cause: BoxError) -> Self {
        let name = Arc::clone(name);
        Self::item(Place::Source { name, item }, 0, cause.into())
    }

    pub(crate) fn rows(
        name: impl Into<Arc<str>>,
        rows: Chunk,
        retries: u32,
        cause: ProcessorError,
    ) -> Self {
        let (name, rows) = (name.into(), Box::new(rows));
        Self::item(Place::Operation { name, rows }, retries, cause)
    }

    pub(crate) fn outside(name: impl Into<Arc<str>>, cause: impl Into<ProcessorError>) -> Self {
        Self::item(Place::Outside { name: name.into() }, 0, cause.into())
    }

    pub(crate) fn plan(operation: &'static str, problem: impl Into<Box<str>>) -> Self {
        let problem = problem.into();
        Self::Plan { operation, problem }
    }

    fn item(place: Place, retries: u32, cause: ProcessorError) -> Self {
        Self::Item(Box::new(ItemError::new(place, retries, cause)))
    }

    /// For the plan that the rows are of: what went wrong below comes as it was.
    pub(crate) fn into_plan(self) -> DataFusionError {
        match self {
            Self::Item(error) if error.stage() == Stage::Source => {
                match error.into_cause().downcast::<DataFusionError>() {
                    Ok(below) => *below,
                    Err(cause) => DataFusionError::External(cause),
                }
            }
            error => error.into(),
        }
    }

    /// The error of the item, if it is one.
    pub fn as_item(&self) -> Option<&ItemError> {
        match self {
            Self::Item(error) => Some(error),
            _ => None,
        }
    }
}

/// The first error that a summary tells of.
fn first(summary: &RunSummary) -> String {
    summary
        .errors
        .samples
        .first()
        .map_or_else(String::new, |sample| {
            format!(
                "; the first of operation '{}': {}",
                sample.operation, sample.message
            )
        })
}

impl From<StreamError> for DataFusionError {
    fn from(error: StreamError) -> Self {
        Self::External(Box::new(error))
    }
}

/// Why a run ended early, and what it did until then.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// Why.
    #[source]
    pub error: StreamError,
    /// What was done until then. Its status is [`Status::Failure`](crate::Status::Failure).
    pub summary: Box<RunSummary>,
}

impl From<Failed> for DataFusionError {
    fn from(error: Failed) -> Self {
        Self::External(Box::new(error))
    }
}
