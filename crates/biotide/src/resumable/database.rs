//! The rows of a plan to a table of a database.

use std::time::Instant;

use biotide_database::{DatabaseTable, DatabaseTarget, SinkOptions, open_sink};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;

use super::job::Job;
use super::state::{Input, SinkState, inputs};
use crate::error::Result;
use crate::pipeline::run::SinkReport;

/// The rows of a plan to a table. What was broken off is gone on with, if the job has a state: then rows must come in
/// the same order each time.
pub(crate) async fn to_database(
    mut job: Job<'_>,
    target: &DatabaseTarget,
    plan: LogicalPlan,
    mut options: SinkOptions,
) -> Result<SinkReport> {
    let begin = Instant::now();
    let (inputs, shown) = (inputs(&plan)?, target.to_string());
    let mut report = SinkReport::new(job.name, &shown, target.format());
    report.inputs = inputs.iter().map(Input::told).collect();
    let mut known = job.known(&inputs)?;
    if known.done {
        if DatabaseTable::open(target).await.is_ok() {
            return Ok(report.resumed(known.rows));
        }
        // (It was removed since.)
        known = SinkState::default();
    }
    let run = job.state.as_ref().map(|state| state.id.clone());
    options.run_id = run.map(|id| format!("{id}-{}", job.name));
    let resumable = options.run_id.is_some();
    let mut statement = job.statement(plan);
    let mut noting = job.noting(&shown, &inputs, known);
    // (Before the database knows of the run.)
    noting.note()?;
    let (mut sink, position) = open_sink(target, statement.schema(), options)
        .await
        .map_err(DataFusionError::from)?;
    if noting.known.finishing && position.is_none() {
        // It was broken off between completing and saying so.
        let _ = sink.abort().await;
        noting.note_done()?;
        return Ok(report.resumed(noting.known.rows));
    }
    let skip = position.map_or(0, |position| position.rows);
    let pumped = noting
        .pump(&mut statement, &mut sink, skip, resumable)
        .await;
    report.read(statement)?;
    let pumped = match pumped {
        Ok(pumped) => pumped,
        Err(error) => {
            // (What went wrong first is what is told.)
            let _ = sink.abort().await;
            return Err(error);
        }
    };
    let summary = sink.finish().await.map_err(DataFusionError::from)?;
    noting.note_done()?;
    (report.rows, report.bytes) = (summary.rows, summary.bytes);
    Ok(report.written(pumped, begin))
}
