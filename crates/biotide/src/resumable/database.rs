//! The rows of a plan to a table of a database.

use std::time::Instant;

use biotide_common::BiotideError;
use biotide_database::{DatabaseTable, DatabaseTarget, SinkOptions, WriteMode, open_sink};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;

use super::inputs::{Input, databases, inputs};
use super::job::Job;
use super::state::SinkState;
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
    let shown = target.to_string();
    if databases(&plan)?
        .iter()
        .any(|source| source.shares_file_with(target))
    {
        let problem = "its rows are read from the same SQLite file, which cannot be written before all is read; write to \
                       another file, or take them through one: convert to Parquet first";
        return Err(BiotideError::file(&shown, problem).into());
    }
    let inputs = inputs(&plan, &job.session).await?;
    let mut report = SinkReport::new(job.name, &shown, target.format());
    report.inputs = inputs.iter().map(Input::told).collect();
    let mut known = job.known(&inputs)?;
    if known.done || known.finishing || known.rows > 0 {
        let exists = DatabaseTable::exists(target).await;
        match exists.map_err(DataFusionError::from)? {
            true if known.done => {
                if !known.clean {
                    job.read_again(plan, &mut report).await?;
                }
                return Ok(report.resumed(known.rows));
            }
            true => {}
            // (It was removed since.)
            false => known = SinkState::default(),
        }
    }
    let resumable = job.is_resumable();
    let repeats = matches!(options.mode, WriteMode::Append);
    if known.finishing && repeats && !resumable {
        let problem = "the run was broken off when it completed this table, and nobody knows whether it did; look for \
                       its rows, and run without --resume to write them";
        return Err(BiotideError::file(&shown, problem).into());
    }
    let run = job.state.as_ref().filter(|_| resumable);
    options.run_id = run.map(|state| format!("{}-{}", state.id, job.name));
    let mut statement = job.statement(plan.clone());
    let mut noting = job.noting(&shown, &inputs, known);
    if resumable {
        // (Before the database knows of the run.)
        noting.note()?;
    }
    let rows = statement.stream().await?;
    let (mut sink, position) = open_sink(target, rows.schema(), options)
        .await
        .map_err(DataFusionError::from)?;
    let before = noting.known.rows;
    if noting.known.finishing && resumable && position.is_none() {
        // It was broken off between completing and saying so.
        let _ = sink.abort().await;
        drop(rows);
        let known = noting.known.clone();
        job.read_again(plan, &mut report).await?;
        job.noting(&shown, &inputs, known)
            .note_done(before, &report)?;
        return Ok(report.resumed(before));
    }
    if position.is_none() && before > 0 && repeats && resumable {
        let _ = sink.abort().await;
        let problem = "how far the run came is not known any more: its position is gone from the database; look for its \
                       rows, and run without --resume to write them all";
        return Err(BiotideError::file(&shown, problem).into());
    }
    let skip = position.map_or(0, |position| position.rows);
    let pumped = noting
        .pump(statement, rows, &mut sink, skip, resumable, &mut report)
        .await;
    let pumped = match pumped {
        Ok(pumped) => pumped,
        Err(error) => {
            // (What went wrong first is what is told.)
            let _ = sink.abort().await;
            return Err(error);
        }
    };
    if !resumable {
        noting.note_finishing()?;
    }
    let summary = sink.finish().await.map_err(DataFusionError::from)?;
    noting.note_done(summary.rows, &report)?;
    (report.rows, report.bytes) = (summary.rows, summary.bytes);
    Ok(report.written(pumped, begin))
}
