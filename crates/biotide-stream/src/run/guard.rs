//! What guards an operation. It is set by what is written after the operation, before anything runs.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::retry::{CircuitBreaker, ErrorHandler, RetryPolicy};

/// Retries, time and breaker of an operation. The first that is set counts: it stands nearest.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    pub(crate) retry: OnceLock<RetryPolicy>,
    pub(crate) timeout: OnceLock<Duration>,
    pub(crate) breaker: OnceLock<(Arc<CircuitBreaker>, Arc<str>)>,
}

impl Guard {
    pub(crate) fn handler(&self) -> ErrorHandler {
        let retry = self.retry.get().cloned();
        let handler = ErrorHandler::new(retry.unwrap_or_else(RetryPolicy::never));
        match self.breaker.get() {
            Some((breaker, service)) => {
                handler.with_breaker(Arc::clone(breaker), Arc::clone(service))
            }
            None => handler,
        }
    }
}
