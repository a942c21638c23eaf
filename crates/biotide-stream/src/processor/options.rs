//! How processors are run.

use std::sync::Arc;
use std::time::Duration;

use biotide_common::error::BiotideError;

use crate::chunking::Chunking;
use crate::log::LogLimits;
use crate::options::{ErrorThreshold, Isolation};
use crate::retry::{CircuitBreaker, RetryPolicy};

/// The most rows of a chunk.
const MOST_ROWS: usize = 100_000;

/// The most chunks at a time, and that wait.
const MOST_CHUNKS: usize = 1_000;

/// How processors are run.
#[derive(Debug, Clone)]
pub struct ProcessorOptions {
    /// Where chunks begin and end: every 1,000 rows.
    pub chunking: Chunking,
    /// Chunks that are worked on at the same time: 5.
    pub max_concurrent_chunks: usize,
    /// Chunks that are read and not yet delivered: 10.
    pub backpressure_threshold: usize,
    /// Whether chunks come in the order of their rows. They do.
    pub ordered: bool,
    /// Whether it goes on without the rows that failed. It does; if not, the first error ends the statement. An error
    /// of the input always does.
    pub continue_on_error: bool,
    /// How errors are kept to their rows.
    pub isolation: Isolation,
    /// When it ends though it goes on after errors: at a tenth of the rows, of at least 1,000.
    pub error_threshold: Option<ErrorThreshold>,
    /// When it is tried again.
    pub retry: RetryPolicy,
    /// Leaves processors alone that fail and fail, each as a service of its name.
    pub breaker: Option<Arc<CircuitBreaker>>,
    /// How long a processor may take for a chunk.
    pub timeout: Option<Duration>,
    /// How much the log keeps.
    pub limits: LogLimits,
}

impl Default for ProcessorOptions {
    fn default() -> Self {
        Self {
            chunking: Chunking::Rows(1000),
            max_concurrent_chunks: 5,
            backpressure_threshold: 10,
            ordered: true,
            continue_on_error: true,
            isolation: Isolation::default(),
            error_threshold: Some(ErrorThreshold::default()),
            retry: RetryPolicy::default(),
            breaker: None,
            timeout: None,
            limits: LogLimits::default(),
        }
    }
}

impl ProcessorOptions {
    /// # Errors
    ///
    /// A number out of its range.
    pub fn validate(&self) -> Result<(), BiotideError> {
        if let Chunking::Rows(rows) = self.chunking {
            within("chunk_size", rows, MOST_ROWS)?;
        }
        within(
            "max_concurrent_chunks",
            self.max_concurrent_chunks,
            MOST_CHUNKS,
        )?;
        within(
            "backpressure_threshold",
            self.backpressure_threshold,
            MOST_CHUNKS,
        )?;
        let rate = self.error_threshold.map_or(0.0, |threshold| threshold.rate);
        if !(0.0..=1.0).contains(&rate) {
            return Err(BiotideError::Option {
                key: "error_threshold".to_owned(),
                value: rate.to_string(),
                problem: "is out of range; 0 to 1 will do".to_owned(),
            });
        }
        self.retry.validate()
    }
}

fn within(key: &str, value: usize, most: usize) -> Result<(), BiotideError> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(BiotideError::Option {
        key: key.to_owned(),
        value: value.to_string(),
        problem: format!("is out of range; 1 to {most} will do"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_ranges() {
        assert!(ProcessorOptions::default().validate().is_ok());
        for rows in [0, 100_001] {
            let options = ProcessorOptions {
                chunking: Chunking::Rows(rows),
                ..ProcessorOptions::default()
            };
            let error = options.validate().unwrap_err().to_string();
            assert!(error.contains("1 to 100000 will do"), "{error}");
        }
        let none = ProcessorOptions {
            max_concurrent_chunks: 0,
            ..ProcessorOptions::default()
        };
        assert!(none.validate().is_err());
    }
}
