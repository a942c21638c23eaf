//! How often to try again, and after what time.

use std::time::Duration;

use biotide_common::error::BiotideError;

use crate::errors::ErrorKind;

/// The most tries of any policy.
const MOST: u32 = 10;

/// The longest wait before a try.
const LONGEST: Duration = Duration::from_secs(3600);

/// Exponential backoff: try k (from 0) waits `delay × factor^k`.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Tries after the first. 0 to 10.
    pub max_retries: u32,
    /// What the first of them waits.
    pub delay: Duration,
    /// By how much each waits longer than the one before.
    pub factor: f64,
    /// The kinds of errors that may go away.
    pub kinds: Vec<ErrorKind>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            delay: Duration::from_secs(1),
            factor: 2.0,
            kinds: vec![
                ErrorKind::Timeout,
                ErrorKind::Connection,
                ErrorKind::RateLimit,
            ],
        }
    }
}

impl RetryPolicy {
    /// Never.
    pub fn never() -> Self {
        Self {
            max_retries: 0,
            ..Self::default()
        }
    }

    /// What try `k` (from 0) waits, at most an hour.
    pub fn wait(&self, k: u32) -> Duration {
        let factor = self.factor.powi(i32::try_from(k).unwrap_or(i32::MAX));
        let seconds = self.delay.as_secs_f64() * factor;
        Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64())).unwrap_or(LONGEST)
    }

    /// Whether to try again after so many tries in vain.
    pub fn allows(&self, kind: ErrorKind, tried: u32) -> bool {
        tried < self.max_retries && self.kinds.contains(&kind)
    }

    /// # Errors
    ///
    /// A number out of its range.
    pub fn validate(&self) -> Result<(), BiotideError> {
        if self.max_retries > MOST {
            return Err(BiotideError::Option {
                key: "max_retries".to_owned(),
                value: self.max_retries.to_string(),
                problem: format!("is out of range; 0 to {MOST} will do"),
            });
        }
        if !self.factor.is_finite() || self.factor < 1.0 {
            return Err(BiotideError::Option {
                key: "retry_backoff_factor".to_owned(),
                value: self.factor.to_string(),
                problem: "is out of range; 1 or more will do".to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_waits_longer() {
        let policy = RetryPolicy::default();
        let waits: Vec<_> = (0..3).map(|k| policy.wait(k).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4]);
        assert_eq!(policy.wait(60), LONGEST);
    }

    #[test]
    fn only_what_may_go_away_is_tried_again() {
        let policy = RetryPolicy::default();
        assert!(policy.allows(ErrorKind::Timeout, 2));
        assert!(!policy.allows(ErrorKind::Timeout, 3));
        assert!(!policy.allows(ErrorKind::Validation, 0));
    }

    #[test]
    fn numbers_have_ranges() {
        let much = RetryPolicy {
            max_retries: 11,
            ..RetryPolicy::default()
        };
        assert!(much.validate().unwrap_err().to_string().contains("0 to 10"));
        let shrinking = RetryPolicy {
            factor: 0.5,
            ..RetryPolicy::default()
        };
        assert!(shrinking.validate().is_err());
    }
}
