//! How many rows take how long.

use std::time::{Duration, Instant};

/// Follows the time that what comes after takes for a chunk.
#[derive(Debug)]
pub(super) struct Adaptive {
    min: usize,
    max: usize,
    target: Duration,
    rows: usize,
    given: Option<Instant>,
}

impl Adaptive {
    pub(super) fn new(min: usize, max: usize, target_ms: u64) -> Self {
        Self {
            min,
            max,
            target: Duration::from_millis(target_ms),
            rows: min,
            given: None,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// A chunk goes out.
    pub(super) fn given(&mut self, now: Instant) {
        self.given = Some(now);
    }

    /// The next is asked for: the one before is done.
    pub(super) fn asked(&mut self, now: Instant) {
        let Some(given) = self.given.take() else {
            return;
        };
        let took = now.duration_since(given).as_secs_f64().max(1e-9);
        // One slow chunk is no rule: never more than twice, nor less than half.
        let factor = (self.target.as_secs_f64() / took).clamp(0.5, 2.0);
        let rows = (self.rows as f64 * factor).round() as usize;
        self.rows = rows.clamp(self.min, self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_when_quick_and_shrinks_when_slow() {
        let mut adaptive = Adaptive::new(100, 1000, 50);
        let start = Instant::now();
        let mut after = |ms| {
            adaptive.given(start);
            adaptive.asked(start + Duration::from_millis(ms));
            adaptive.rows()
        };
        assert_eq!(
            [after(1), after(1), after(1), after(1)],
            [200, 400, 800, 1000]
        );
        assert_eq!(after(50), 1000, "as it should be");
        assert_eq!([after(500), after(500)], [500, 250]);
        assert_eq!([after(500), after(500)], [125, 100]);
    }
}
