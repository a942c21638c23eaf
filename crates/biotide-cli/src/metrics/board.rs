//! Where the numbers stand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use biotide::prelude::Monitor;

use crate::progress::Counts;

/// The numbers of the work, step by step. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board {
    work: Arc<Mutex<Work>>,
}

#[derive(Debug, Clone, Default)]
struct Work {
    pipeline: Option<String>,
    /// In the order in which they began.
    steps: Vec<Step>,
}

/// A step of a pipeline, or a verb.
#[derive(Debug, Clone)]
struct Step {
    name: String,
    /// Of statements that have ended.
    counts: Counts,
    seconds: f64,
    /// When it began, if it runs.
    since: Option<Instant>,
    /// Of the statement that runs. It holds on to the plan, and so to memory: it is let go of at once.
    monitor: Option<Monitor>,
}

/// The numbers at one time.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) pipeline: Option<String>,
    pub(super) steps: Vec<StepNumbers>,
}

#[derive(Debug)]
pub(super) struct StepNumbers {
    pub(super) name: String,
    pub(super) counts: Counts,
    pub(super) seconds: f64,
}

impl Board {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which pipeline runs.
    pub(crate) fn runs(&self, pipeline: &str) {
        self.work().pipeline = Some(pipeline.to_owned());
    }

    pub(crate) fn step_started(&self, name: &str) {
        self.work().step(name).since = Some(Instant::now());
    }

    /// Counts what a statement does for a step, until the answer is dropped.
    pub(crate) fn watch(&self, name: &str, monitor: Monitor) -> Watched {
        let mut work = self.work();
        let step = work.step(name);
        step.since.get_or_insert_with(Instant::now);
        step.monitor = Some(monitor);
        Watched {
            board: self.clone(),
            name: name.to_owned(),
        }
    }

    /// Says how many rows a step has written, those before it was resumed included.
    pub(crate) fn sink_finished(&self, name: &str, rows: u64) {
        self.work().step(name).counts.rows_written = rows;
    }

    pub(crate) fn step_finished(&self, name: &str, seconds: f64) {
        let mut work = self.work();
        let step = work.step(name);
        (step.seconds, step.since) = (seconds, None);
    }

    pub(super) fn numbers(&self) -> Numbers {
        // (Monitors are asked when the lock is given back: the work never waits for who looks on.)
        let Work { pipeline, steps } = self.work().clone();
        Numbers {
            pipeline,
            steps: steps.into_iter().map(Step::numbers).collect(),
        }
    }
}

impl Work {
    fn step(&mut self, name: &str) -> &mut Step {
        let at = self.steps.iter().position(|step| step.name == name);
        let at = at.unwrap_or_else(|| {
            self.steps.push(Step::new(name));
            self.steps.len() - 1
        });
        &mut self.steps[at]
    }
}

impl Step {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            counts: Counts::default(),
            seconds: 0.0,
            since: None,
            monitor: None,
        }
    }

    fn numbers(self) -> StepNumbers {
        let mut counts = self.counts;
        if let Some(monitor) = &self.monitor {
            counts += Counts::of(monitor);
        }
        let running = self
            .since
            .map_or(0.0, |since| since.elapsed().as_secs_f64());
        StepNumbers {
            name: self.name,
            counts,
            seconds: self.seconds + running,
        }
    }

    /// Keeps the counts of the statement that ends here.
    fn settle(&mut self) {
        if let Some(monitor) = self.monitor.take() {
            self.counts += Counts::of(&monitor);
        }
        if let Some(since) = self.since.take() {
            self.seconds += since.elapsed().as_secs_f64();
        }
    }
}

/// Ends the counting of a statement when it is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    board: Board,
    name: String,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.board.work().step(&self.name).settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_keeps_what_it_came_to() {
        let board = Board::default();
        board.runs("p");
        board.step_started("load");
        board.step_finished("load", 1.5);
        board.step_started("out");
        board.sink_finished("out", 7);
        let numbers = board.numbers();
        assert_eq!(numbers.pipeline.as_deref(), Some("p"));
        let [load, out] = numbers.steps.as_slice() else {
            panic!("{numbers:?}")
        };
        assert_eq!((load.name.as_str(), load.seconds), ("load", 1.5));
        assert_eq!((out.name.as_str(), out.counts.rows_written), ("out", 7));
        assert!(out.seconds > 0.0);
    }
}
