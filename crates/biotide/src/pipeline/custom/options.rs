//! How the processors of a step are run.

use std::sync::Arc;
use std::time::Duration;

use biotide_stream::{Chunking, CircuitBreaker, ErrorThreshold, ProcessorOptions};

use crate::pipeline::actions::{CHUNK_SIZE, Kind, Param, Params, SHARE};
use crate::pipeline::spec::{Step, Streaming};

/// The most chunks of a step at a time, and that wait. (Readers may have more.)
const MOST_CHUNKS: usize = 1000;

const CHUNKS: Kind = Kind::Integer {
    min: 1,
    max: MOST_CHUNKS as i64,
};

const SECONDS: Kind = Kind::Number {
    min: 0.001,
    max: 86_400.0,
};

/// Parameters of steps that run processors, for the tables of their actions. An action may have some of them, or all:
/// [`ActionStep::processor_options`](super::ActionStep::processor_options) goes by those that it has.
pub const PROCESSOR_PARAMS: &[Param] = &[
    CHUNK_SIZE,
    Param::new(
        "max_concurrent_chunks",
        CHUNKS,
        "Chunks worked on at a time. `streaming.max_concurrent_chunks` holds where a step does not say.",
    )
    .or("5"),
    Param::new(
        "backpressure_threshold",
        CHUNKS,
        "Chunks that are read and not yet handed on. `streaming.backpressure_threshold` holds where a step does not say.",
    )
    .or("10"),
    Param::new(
        "continue_on_error",
        Kind::Boolean,
        "Go on without the rows that failed. `streaming.error_handling` holds where a step does not say.",
    )
    .or("true"),
    Param::new(
        "error_threshold",
        SHARE,
        "The largest share of rows that may fail, looked at from 1,000 rows on.",
    )
    .or("0.1"),
    Param::new(
        "max_retries",
        Kind::Integer { min: 0, max: 10 },
        "How often a chunk is tried again that failed for what may go away: time, a connection, a service that is busy.",
    )
    .or("3"),
    Param::new(
        "retry_delay_ms",
        Kind::Integer {
            min: 0,
            max: 3_600_000,
        },
        "What the first of these tries waits, in milliseconds.",
    )
    .or("1000"),
    Param::new(
        "retry_backoff_factor",
        Kind::Number {
            min: 1.0,
            max: 100.0,
        },
        "By how much each of them waits longer than the one before.",
    )
    .or("2"),
    Param::new(
        "timeout_s",
        SECONDS,
        "The most seconds for a chunk; without end where it is not said.",
    ),
    Param::new(
        "circuit_breaker_enabled",
        Kind::Boolean,
        "Leave the service alone for a while that fails and fails.",
    )
    .or("false"),
    Param::new(
        "circuit_breaker_threshold",
        Kind::Integer {
            min: 1,
            max: 1_000_000,
        },
        "Failures in a row after which it is left alone.",
    )
    .or("5"),
    Param::new(
        "circuit_breaker_timeout_s",
        SECONDS,
        "For how many seconds.",
    )
    .or("60"),
];

/// What a step says, else what the pipeline says for all, else the default of the table.
struct Said<'a> {
    step: &'a Step,
}

impl Said<'_> {
    fn or<T>(
        &self,
        name: &str,
        of_all: Option<T>,
        value: impl Fn(&Params, &str) -> Option<T>,
    ) -> Option<T> {
        let (action, params) = (&self.step.action, &self.step.params);
        if !action.params.iter().any(|param| param.name == name) {
            return of_all;
        }
        let own = value(params, name);
        match params.is_given(name) {
            true => own,
            false => of_all.or(own),
        }
    }

    fn own<T>(&self, name: &str, value: impl Fn(&Params, &str) -> Option<T>) -> Option<T> {
        self.or(name, None, value)
    }

    fn seconds(&self, name: &str) -> Option<Duration> {
        let seconds = self.own(name, Params::number)?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// How the processors of a step are run.
pub(crate) fn processor_options(step: &Step, streaming: &Streaming) -> ProcessorOptions {
    let said = Said { step };
    let mut options = ProcessorOptions::default();
    let chunks = |name, of_all: Option<usize>| {
        let of_all = of_all.map(|chunks| chunks.min(MOST_CHUNKS));
        said.or(name, of_all, Params::size)
    };
    if let Some(rows) = said.or("chunk_size", streaming.chunk_size, Params::size) {
        options.chunking = Chunking::Rows(rows);
    }
    if let Some(n) = chunks("max_concurrent_chunks", streaming.max_concurrent_chunks) {
        options.max_concurrent_chunks = n;
    }
    if let Some(n) = chunks("backpressure_threshold", streaming.backpressure_threshold) {
        options.backpressure_threshold = n;
    }
    let goes_on = streaming.error_handling.continue_on_error;
    if let Some(goes_on) = said.or("continue_on_error", goes_on, Params::boolean) {
        options.continue_on_error = goes_on;
    }
    if let Some(rate) = said.own("error_threshold", Params::number) {
        options.error_threshold = Some(ErrorThreshold {
            rate,
            ..ErrorThreshold::default()
        });
    }
    let retry = &mut options.retry;
    if let Some(n) = said.own("max_retries", Params::unsigned) {
        retry.max_retries = u32::try_from(n).unwrap_or(u32::MAX);
    }
    if let Some(ms) = said.own("retry_delay_ms", Params::unsigned) {
        retry.delay = Duration::from_millis(ms);
    }
    if let Some(factor) = said.own("retry_backoff_factor", Params::number) {
        retry.factor = factor;
    }
    options.timeout = said.seconds("timeout_s");
    if said.own("circuit_breaker_enabled", Params::boolean) == Some(true) {
        let threshold = said.own("circuit_breaker_threshold", Params::unsigned);
        let threshold = threshold.and_then(|n| u32::try_from(n).ok());
        let timeout = said.seconds("circuit_breaker_timeout_s");
        options.breaker = Some(Arc::new(CircuitBreaker::new(
            threshold.unwrap_or(5),
            timeout.unwrap_or(Duration::from_secs(60)),
        )));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Pipeline;
    use crate::pipeline::actions::{Action, Actions};

    fn options(params: &str, streaming: &str) -> ProcessorOptions {
        let mut actions = Actions::default();
        let action = Action::new("mine", "Does.", PROCESSOR_PARAMS);
        actions.register(action).unwrap();
        let yaml = format!("streaming: {streaming}\nsteps: [{{type: mine, params: {params}}}]");
        let pipeline = Pipeline::parse("p.yaml", &yaml, &Default::default(), &actions).unwrap();
        processor_options(&pipeline.steps[0], &pipeline.streaming)
    }

    #[test]
    fn defaults_are_those_of_processors() {
        let shown = |options: &ProcessorOptions| format!("{options:?}");
        let of_table = options("{}", "{}");
        assert_eq!(shown(&of_table), shown(&ProcessorOptions::default()));
    }

    #[test]
    fn a_step_says_it_before_the_pipeline() {
        let streaming = "{chunk_size: 7, max_concurrent_chunks: 1024, error_handling: {continue_on_error: false}}";
        let of_all = options("{}", streaming);
        assert!(matches!(of_all.chunking, Chunking::Rows(7)));
        assert_eq!(of_all.max_concurrent_chunks, 1000);
        assert!(!of_all.continue_on_error);
        let own = "{chunk_size: 9, continue_on_error: true, timeout_s: 0.5, max_retries: 0, \
                   circuit_breaker_enabled: true, circuit_breaker_threshold: 1}";
        let own = options(own, streaming);
        assert!(matches!(own.chunking, Chunking::Rows(9)));
        assert!(own.continue_on_error);
        assert_eq!(own.timeout, Some(Duration::from_millis(500)));
        assert_eq!(own.retry.max_retries, 0);
        let breaker = own.breaker.unwrap();
        breaker.failure("service");
        assert!(breaker.is_open("service"));
    }
}
