//! Work on buckets by several threads, parts of which must be done in their order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use datafusion_common::{DataFusionError, Result};
use parking_lot::{Condvar, Mutex};

/// Whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: usize,
    failed: bool,
}

impl Turns {
    /// Runs `f` when all before `turn` have had theirs. Nothing, if one of them failed.
    pub(crate) fn in_turn<T>(&self, turn: usize, f: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut state = self.state.lock();
        while state.next != turn && !state.failed {
            self.changed.wait(&mut state);
        }
        if state.failed {
            return Err(stopped());
        }
        let done = f();
        state.next += 1;
        state.failed |= done.is_err();
        drop(state);
        self.changed.notify_all();
        done
    }

    fn fail(&self) {
        self.state.lock().failed = true;
        self.changed.notify_all();
    }

    fn has_failed(&self) -> bool {
        self.state.lock().failed
    }
}

/// Tells the others that a thread has panicked: they would wait for its turn for ever.
struct PanicGuard<'a>(&'a Turns);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail();
        }
    }
}

/// (Of a thread that another one's error has stopped: never shown.)
fn stopped() -> DataFusionError {
    DataFusionError::Execution(STOPPED.to_owned())
}

const STOPPED: &str = "stopped by another thread's error";

/// Does `work` for each of `n` buckets, in their order but several at a time. `is_cancelled` is asked before each.
pub(crate) fn for_each(
    n: usize,
    threads: usize,
    is_cancelled: &(dyn Fn() -> bool + Sync),
    work: &(dyn Fn(usize, &Turns) -> Result<()> + Sync),
) -> Result<()> {
    let (turns, next) = (Turns::default(), AtomicUsize::new(0));
    let run = || -> Result<()> {
        let _guard = PanicGuard(&turns);
        loop {
            let bucket = next.fetch_add(1, Ordering::Relaxed);
            if bucket >= n || turns.has_failed() {
                return Ok(());
            }
            let done = match is_cancelled() {
                true => Err(DataFusionError::Execution("cancelled".to_owned())),
                false => work(bucket, &turns),
            };
            if done.is_err() {
                turns.fail();
                return done;
            }
        }
    };
    let results: Vec<Result<()>> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(n)).map(|_| scope.spawn(run)).collect();
        let own = run();
        let others = others.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        std::iter::once(own).chain(others).collect()
    });
    let is_stopped = |error: &DataFusionError| matches!(error, DataFusionError::Execution(text) if text == STOPPED);
    let mut errors: Vec<DataFusionError> = results.into_iter().filter_map(Result::err).collect();
    errors.sort_by_key(is_stopped);
    errors.into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn turns_come_in_order_and_errors_end_all() {
        for threads in [1, 2, 5] {
            let seen = Mutex::new(Vec::new());
            let work = |bucket: usize, turns: &Turns| {
                turns.in_turn(bucket, || {
                    seen.lock().push(bucket);
                    Ok(())
                })
            };
            for_each(100, threads, &|| false, &work).unwrap();
            assert_eq!(*seen.lock(), (0..100).collect::<Vec<_>>());
            let fails = |bucket: usize, turns: &Turns| {
                if bucket == 17 {
                    return Err(DataFusionError::Execution("seventeen".to_owned()));
                }
                turns.in_turn(bucket, || Ok(()))
            };
            let error = for_each(100, threads, &|| false, &fails).unwrap_err();
            assert!(error.to_string().contains("seventeen"), "{error}");
            assert!(for_each(3, threads, &|| true, &work).is_err());
        }
    }

    #[test]
    fn a_panic_ends_all() {
        let before = |bucket: usize, turns: &Turns| {
            assert_ne!(bucket, 17, "seventeen, before its turn");
            turns.in_turn(bucket, || Ok(()))
        };
        let within = |bucket: usize, turns: &Turns| {
            turns.in_turn(bucket, || {
                assert_ne!(bucket, 17, "seventeen, in its turn");
                Ok(())
            })
        };
        for threads in [1, 2, 5] {
            let run = || for_each(100, threads, &|| false, &before);
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
            let run = || for_each(100, threads, &|| false, &within);
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        }
    }
}
