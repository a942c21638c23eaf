//! Who looks on while a pipeline runs.

use std::time::Duration;

use serde::Serialize;

use super::report::{PipelineReport, SinkReport, StepReport};
use crate::monitor::Monitor;

/// Looks on while a pipeline runs: of each method the default does nothing. They are called one after another, from
/// the task that runs the pipeline, which waits for them: what takes long belongs elsewhere.
pub trait RunObserver: Send {
    /// A step begins.
    fn step_started(&mut self, _step: &StepStarted<'_>) {}

    /// A sink begins to read. The numbers can be asked for at any time, also after its end.
    fn sink_started(&mut self, _step: &str, _monitor: &Monitor) {}

    /// A sink has passed a multiple of `progress_interval` rows.
    fn progressed(&mut self, _progress: &RunProgress) {}

    /// A sink has written all of its rows.
    fn sink_finished(&mut self, _sink: &SinkReport) {}

    /// A step has ended, well or not.
    fn step_finished(&mut self, _step: &StepReport) {}

    /// The run has ended well.
    fn finished(&mut self, _report: &PipelineReport) {}

    /// The run has failed; the report has what was done until then, and why.
    fn failed(&mut self, _report: &PipelineReport) {}
}

/// Nobody.
impl RunObserver for () {}

/// A step that begins.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StepStarted<'a> {
    /// Its name.
    pub step: &'a str,
    /// Its action.
    pub action: &'a str,
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub steps: usize,
}

/// How far a sink is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunProgress {
    /// Its step.
    pub step: String,
    /// Rows that it has taken.
    pub rows: u64,
    /// Rows a second, since it began.
    pub rows_per_second: f64,
    /// Bytes read of the inputs.
    pub bytes: u64,
    /// Bytes of the inputs; 0 where they are not known.
    pub bytes_total: u64,
    /// Records set aside, each as often as it was read.
    pub errors: u64,
    /// Chunks that were ready before the sink could take them: how often reading waited for writing.
    pub backpressure_events: u64,
    /// What the process holds, in bytes.
    pub memory: u64,
    /// Since the sink began.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// How long the rest will take at this rate, where that is known.
    #[serde(rename = "eta_seconds", serialize_with = "seconds_if_known")]
    pub remaining: Option<Duration>,
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

// (The signature is serde's.)
#[expect(clippy::ref_option)]
fn seconds_if_known<S: serde::Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&time.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}
