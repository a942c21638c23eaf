//! What happens, for programs that look on: `--progress json`.
//!
//! A line of JSON each. A contract, described in `sql/reference/watching.md`.

use biotide::pipeline::run::{PipelineReport, RunProgress, SinkReport, StepReport, StepStarted};
use serde::Serialize;
use serde_json::Value;

use super::seen::Seen;

/// What happens.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    /// How far a statement is.
    Progress {
        /// Of a pipeline, the step.
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<&'a str>,
        #[serde(flatten)]
        seen: Seen,
        /// Whether nothing follows.
        last: bool,
    },
    /// A step of a pipeline begins.
    StepStarted(StepStarted<'a>),
    /// It begins to write.
    SinkStarted { step: &'a str },
    /// It has passed a multiple of `progress_interval` rows.
    Rows(&'a RunProgress),
    /// It has written.
    SinkFinished(&'a SinkReport),
    /// It has ended.
    StepFinished(&'a StepReport),
    /// The pipeline has run.
    Finished(&'a PipelineReport),
    /// The report that was asked for, where standard output has no room for it.
    Report { report: Value },
    /// Numbers are served.
    Listening { url: &'a str },
    /// What people are told.
    Message { level: &'a str, text: String },
    /// The command ends, and not well.
    Failed { error: &'a str, exit_code: u8 },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::Counts;
    use super::*;

    #[test]
    fn an_event_is_one_flat_object_on_one_line() {
        let counts = Counts {
            rows: 10,
            bytes: 500,
            bytes_total: 1000,
            ..Counts::default()
        };
        let event = Event::Progress {
            step: Some("a \"b\"\n"),
            seen: Seen::at(counts, Duration::from_secs(2)),
            last: false,
        };
        let line = serde_json::to_string(&event).unwrap();
        assert!(!line.contains('\n'));
        let expected = json!({
            "event": "progress", "step": "a \"b\"\n", "rows": 10, "rows_written": 0, "bytes": 500,
            "bytes_total": 1000, "errors": 0, "spilled_bytes": 0, "slowed": 0, "backpressure_events": 0,
            "bytes_per_second": 250, "eta_seconds": 2.0, "memory": 0, "peak_memory": 0, "seconds": 2.0,
            "last": false,
        });
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
        let step = StepStarted {
            step: "load",
            action: "load",
            number: 1,
            steps: 2,
        };
        let line = serde_json::to_string(&Event::StepStarted(step)).unwrap();
        assert!(line.starts_with(r#"{"event":"step_started","step":"load""#));
    }
}
