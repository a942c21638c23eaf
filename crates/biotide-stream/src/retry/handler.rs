//! What happens between a failure and its report.

use std::sync::Arc;

use super::{CircuitBreaker, RetryPolicy};
use crate::errors::ProcessorError;

/// Calls what may fail: an open circuit breaker refuses at once; errors that may go away are tried again; what is
/// left then counts as one failure of the service.
#[derive(Debug, Clone)]
pub struct ErrorHandler {
    retry: RetryPolicy,
    breaker: Option<(Arc<CircuitBreaker>, Arc<str>)>,
}

/// What came of a call.
#[derive(Debug)]
pub struct Attempted<T> {
    /// Its value, or the last error.
    pub result: Result<T, ProcessorError>,
    /// Tries after the first.
    pub retries: u32,
}

impl ErrorHandler {
    /// Tries again by this policy.
    pub fn new(retry: RetryPolicy) -> Self {
        Self {
            retry,
            breaker: None,
        }
    }

    /// Counts failures of this service.
    #[must_use]
    pub fn with_breaker(
        mut self,
        breaker: Arc<CircuitBreaker>,
        service: impl Into<Arc<str>>,
    ) -> Self {
        self.breaker = Some((breaker, service.into()));
        self
    }

    /// Calls it once, or more often. `call` makes a try anew.
    pub async fn call<T, F>(&self, call: impl FnMut() -> F) -> Attempted<T>
    where
        F: Future<Output = Result<T, ProcessorError>>,
    {
        self.call_for(call, |_| true).await
    }

    /// The same, but the service is only blamed for errors that `is_last`: others are of rows that are tried again in
    /// smaller parts, and say nothing yet.
    pub(crate) async fn call_for<T, F>(
        &self,
        mut call: impl FnMut() -> F,
        is_last: impl Fn(&ProcessorError) -> bool,
    ) -> Attempted<T>
    where
        F: Future<Output = Result<T, ProcessorError>>,
    {
        if let Some((breaker, service)) = &self.breaker
            && let Err(open) = breaker.check(service)
        {
            return Attempted {
                result: Err(open.into()),
                retries: 0,
            };
        }
        let mut retries = 0;
        let result = loop {
            match call().await {
                Err(error) if self.retry.allows(error.kind(), retries) => {
                    tokio::time::sleep(self.retry.wait(retries)).await;
                    retries += 1;
                }
                result => break result,
            }
        };
        if let Some((breaker, service)) = &self.breaker {
            match &result {
                Err(error) if !is_last(error) => breaker.undecided(service),
                // A wrong row is an answer too.
                Err(error) if error.kind().is_of_service() => breaker.failure(service),
                _ => breaker.success(service),
            }
        }
        Attempted { result, retries }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::errors::ErrorKind;

    fn down() -> ProcessorError {
        ProcessorError::new(ErrorKind::Connection, "down")
    }

    #[tokio::test]
    async fn three_failures_pass_and_the_fourth_is_refused() {
        let breaker = Arc::new(CircuitBreaker::new(3, Duration::from_secs(60)));
        let handler = ErrorHandler::new(RetryPolicy::never()).with_breaker(breaker, "uniprot");
        let calls = AtomicU32::new(0);
        let mut kinds = Vec::new();
        for _ in 0..4 {
            let attempted = handler.call(|| async {
                calls.fetch_add(1, Ordering::Relaxed);
                Err::<(), _>(down())
            });
            kinds.push(attempted.await.result.unwrap_err().kind());
        }
        use ErrorKind::{CircuitBreakerOpen, Connection};
        assert_eq!(
            kinds,
            [Connection, Connection, Connection, CircuitBreakerOpen]
        );
        assert_eq!(
            calls.load(Ordering::Relaxed),
            3,
            "the fourth was not even asked"
        );
    }

    #[tokio::test]
    async fn each_try_waits_longer() {
        let policy = RetryPolicy {
            delay: Duration::from_millis(100),
            ..RetryPolicy::default()
        };
        let mut starts = Vec::new();
        let handler = ErrorHandler::new(policy);
        let attempted = handler.call(|| {
            starts.push(Instant::now());
            let enough = starts.len() == 3;
            async move { if enough { Ok("answer") } else { Err(down()) } }
        });
        let attempted = attempted.await;
        assert_eq!(
            (attempted.result.unwrap(), attempted.retries),
            ("answer", 2)
        );
        let waits: Vec<_> = starts
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_millis())
            .collect();
        assert!(waits[0] >= 100 && waits[1] >= 200, "{waits:?}");
    }

    #[tokio::test]
    async fn what_will_not_go_away_is_not_tried_again() {
        let mut calls = 0;
        let handler = ErrorHandler::new(RetryPolicy::default());
        let attempted = handler.call(|| {
            calls += 1;
            async { Err::<(), _>(ProcessorError::new(ErrorKind::Validation, "bad")) }
        });
        assert_eq!(attempted.await.retries, 0);
        assert_eq!(calls, 1);
    }
}
