//! What bounded a sink, and what to change.

use std::fmt;

use serde::Serialize;

use super::report::SinkReport;

/// What a run waited for most of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Its inputs: the disk, the network, or one stream that is inflated.
    Source,
    /// Reading: the processors were busy with making columns of text.
    Decode,
    /// A step.
    Step,
    /// Writing.
    Sink,
    /// Memory: operators spilled, readers waited.
    Memory,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "its source",
            Self::Decode => "decoding",
            Self::Step => "a step",
            Self::Sink => "its sink",
            Self::Memory => "memory",
        })
    }
}

/// What bounded a sink, and what to change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tuning {
    /// The sink's step.
    pub sink: String,
    /// What it waited for.
    pub bound_by: Bound,
    /// The numbers that say so.
    pub because: String,
    /// What would help.
    pub change: String,
}

/// What the process did meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Processors {
    /// Seconds of work of all threads.
    pub(super) busy: f64,
    /// Threads that the run may use.
    pub(super) threads: usize,
}

/// Nothing is said of what took less: there is nothing to gain.
const LEAST_SECONDS: f64 = 0.05;

/// What bounded a sink, if it took a while.
pub(super) fn advice(sink: &SinkReport, processors: Processors) -> Option<Tuning> {
    let flow = sink.flow.as_ref()?;
    if flow.seconds < LEAST_SECONDS {
        return None;
    }
    let share = |seconds: f64| (seconds / flow.seconds).clamp(0.0, 1.0);
    let percent = |seconds: f64| format!("{:.0} %", 100.0 * share(seconds));
    let memory = &sink.memory;
    let waited = memory.reading.waited_seconds;
    let told = |bound_by, because: String, change: String| Tuning {
        sink: sink.step.clone(),
        bound_by,
        because,
        change,
    };
    if memory.spilled_bytes > 0 || share(waited) > 0.1 {
        let because = format!(
            "{} were spilled, readers waited for memory {} of the time",
            biotide_common::format_size(memory.spilled_bytes),
            percent(waited)
        );
        let change = "give it more (--memory-limit, memory_limit_mb), or read fewer columns";
        return Some(told(Bound::Memory, because, change.to_owned()));
    }
    if share(flow.waiting_for_sink) > 0.3 {
        let because = format!(
            "rows were ready and waited for it {} of the time",
            percent(flow.waiting_for_sink)
        );
        let change = match sink.format.as_str() {
            "postgres" => {
                "load into a table without indexes and triggers, and make them afterwards"
            }
            "sqlite" => "load into a table without indexes, and make them afterwards",
            "parquet" => "compress less (compression: snappy), or write fewer columns",
            _ if sink.to.ends_with(".gz") => {
                "write zstd-compressed Parquet, or text that is not compressed"
            }
            _ => "write to a faster disk, or Parquet instead of text",
        };
        return Some(told(Bound::Sink, because, change.to_owned()));
    }
    let slowest = sink.slowest_step();
    if share(flow.steps) > 0.6 {
        let (name, seconds) = slowest?;
        let because = format!(
            "one task was at work in the steps {} of the time, most of it ({} s) in {name}",
            percent(flow.steps),
            (seconds * 1000.0).round() / 1000.0
        );
        let change = "let fewer rows and columns come to that step: filter and select before it, cache what \
                      several sinks need";
        return Some(told(Bound::Step, because, change.to_owned()));
    }
    let used = processors.busy / (flow.seconds * processors.threads.max(1) as f64);
    let because = format!(
        "the sink waited for rows {} of the time, and {:.0} % of {} processors were used",
        percent(flow.waiting_for_rows),
        100.0 * used.clamp(0.0, 1.0),
        processors.threads
    );
    Some(match used > 0.8 {
        true => told(
            Bound::Decode,
            because,
            "read fewer columns (columns:), or use a machine with more processors".to_owned(),
        ),
        false => told(
            Bound::Source,
            because,
            "put the input on a faster disk; of gzip, which one thread inflates, make BGZF or zstd"
                .to_owned(),
        ),
    })
}
