//! A service that fails and fails is left alone for a while.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::errors::{ErrorKind, ProcessorError};

/// Opens after so many failures of a service in a row, and lets one try through after a time.
///
/// Share one among all that ask the same services. It remembers each name, so names are those of services, not
/// of items.
#[derive(Debug)]
pub struct CircuitBreaker {
    threshold: u32,
    timeout: Duration,
    services: Mutex<HashMap<String, State>>,
}

#[derive(Debug)]
enum State {
    /// Failures since the last success.
    Closed(u32),
    /// Since when.
    Open(Instant),
    /// One try is on its way, since when.
    HalfOpen(Instant),
}

/// The service is not asked.
#[derive(Debug, thiserror::Error)]
#[error("the circuit breaker of '{service}' is open for another {} ms", .remaining.as_millis())]
pub struct CircuitBreakerOpen {
    /// The service.
    pub service: String,
    /// When it may be asked again.
    pub remaining: Duration,
}

impl From<CircuitBreakerOpen> for ProcessorError {
    fn from(open: CircuitBreakerOpen) -> Self {
        Self::new(ErrorKind::CircuitBreakerOpen, open)
    }
}

impl Default for CircuitBreaker {
    /// 5 failures, 60 s.
    fn default() -> Self {
        Self::new(5, Duration::from_secs(60))
    }
}

impl CircuitBreaker {
    /// `threshold`: failures that open it, at least 1. `timeout`: for how long.
    pub fn new(threshold: u32, timeout: Duration) -> Self {
        Self {
            threshold: threshold.max(1),
            timeout,
            services: Mutex::default(),
        }
    }

    /// Asks to ask the service. What came of it must be told by [`Self::success`] or [`Self::failure`].
    ///
    /// # Errors
    ///
    /// It is open.
    pub fn check(&self, service: &str) -> Result<(), CircuitBreakerOpen> {
        let mut services = self.services.lock();
        let Some(state) = services.get_mut(service) else {
            return Ok(());
        };
        let since = match state {
            State::Closed(_) => return Ok(()),
            State::Open(since) | State::HalfOpen(since) => *since,
        };
        let remaining = self.timeout.saturating_sub(since.elapsed());
        if !remaining.is_zero() {
            return Err(CircuitBreakerOpen {
                service: service.to_owned(),
                remaining,
            });
        }
        // A try that never came back (it was dropped) is followed by another in time.
        *state = State::HalfOpen(Instant::now());
        Ok(())
    }

    /// The service answered.
    pub fn success(&self, service: &str) {
        self.services.lock().remove(service);
    }

    /// The service failed.
    pub fn failure(&self, service: &str) {
        let mut services = self.services.lock();
        let state = services
            .entry(service.to_owned())
            .or_insert(State::Closed(0));
        *state = match state {
            State::Closed(failures) if *failures + 1 < self.threshold => {
                State::Closed(*failures + 1)
            }
            State::Closed(_) | State::HalfOpen(_) => State::Open(Instant::now()),
            // Those on their way when it opened do not keep it open for longer.
            State::Open(since) => State::Open(*since),
        };
    }

    /// What came of it says nothing of the service: the next try decides.
    pub(crate) fn undecided(&self, service: &str) {
        let mut services = self.services.lock();
        if let Some(state @ State::HalfOpen(_)) = services.get_mut(service) {
            let long_ago = Instant::now().checked_sub(self.timeout);
            *state = match long_ago {
                Some(since) => State::Open(since),
                // (The machine has just started.)
                None => State::Closed(self.threshold - 1),
            };
        }
    }

    /// Whether the service is not asked now.
    pub fn is_open(&self, service: &str) -> bool {
        match self.services.lock().get(service) {
            None | Some(State::Closed(_)) => false,
            Some(State::Open(since) | State::HalfOpen(since)) => since.elapsed() < self.timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_own() {
        let breaker = CircuitBreaker::new(2, Duration::from_secs(60));
        breaker.failure("uniprot");
        breaker.failure("uniprot");
        assert!(breaker.check("uniprot").is_err());
        assert!(breaker.check("ensembl").is_ok());
    }

    #[test]
    fn a_success_forgets_failures() {
        let breaker = CircuitBreaker::new(2, Duration::from_secs(60));
        breaker.failure("uniprot");
        breaker.success("uniprot");
        breaker.failure("uniprot");
        assert!(!breaker.is_open("uniprot"));
    }

    #[test]
    fn after_its_time_one_try_decides() {
        let breaker = CircuitBreaker::new(1, Duration::from_millis(20));
        breaker.failure("uniprot");
        assert!(breaker.check("uniprot").is_err());
        std::thread::sleep(Duration::from_millis(30));
        assert!(breaker.check("uniprot").is_ok(), "half open");
        assert!(breaker.check("uniprot").is_err(), "one try only");
        breaker.undecided("uniprot");
        assert!(breaker.check("uniprot").is_ok(), "another try");
        assert!(breaker.check("uniprot").is_err(), "one only");
        breaker.failure("uniprot");
        assert!(breaker.is_open("uniprot"), "the try failed");
        std::thread::sleep(Duration::from_millis(30));
        assert!(breaker.check("uniprot").is_ok());
        breaker.success("uniprot");
        assert!(breaker.check("uniprot").is_ok(), "closed again");
    }
}
