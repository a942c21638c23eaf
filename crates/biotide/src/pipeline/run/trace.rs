//! What a subscriber of `tracing` is told of a run.

use tracing::{Span, error, info, info_span};

use super::super::spec::{Pipeline, Step};
use super::report::{PipelineReport, StepReport};
use crate::error::Result;

/// Opens the span of a run.
pub(super) fn run(pipeline: &Pipeline) -> Span {
    let span = info_span!("run", pipeline = pipeline.name.as_str());
    span.in_scope(|| info!("started"));
    span
}

/// Opens the span of a step, in that of its run.
pub(super) fn step(step: &Step) -> Span {
    let span = info_span!("step", name = step.name.as_str(), action = step.action.name);
    span.in_scope(|| info!("started"));
    span
}

/// Tells how a step has ended.
pub(super) fn step_ended(span: &Span, told: &StepReport, rows: u64) {
    let seconds = told.seconds;
    span.in_scope(|| match &told.failed {
        None => info!(rows, seconds, "finished"),
        Some(error) => error!(rows, seconds, error = error.as_str(), "failed"),
    });
}

/// Tells how a run has ended.
pub(super) fn run_ended(span: &Span, ran: &Result<PipelineReport>) {
    span.in_scope(|| match ran {
        Ok(report) => info!(
            rows = report.rows,
            seconds = report.seconds,
            status = ?report.status,
            "finished"
        ),
        Err(error) => error!(%error, "failed"),
    });
}
