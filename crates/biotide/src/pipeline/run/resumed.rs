//! Sinks that can go on where a run was broken off.

use std::path::Path;
use std::time::Instant;

use biotide_common::BiotideError;
use biotide_database::{DatabaseTable, DatabaseTarget, SinkOptions, WriteMode, open_sink};
use biotide_formats::sink::resumable::{self, FileSinkOptions};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;

use super::super::compile::Scope;
use super::super::spec::Step;
use super::report::SinkReport;
use super::state::{SinkState, inputs};
use super::{CHECKPOINT_ROWS, Running};
use crate::convert::{Output, split_ending};
use crate::error::Result;
use crate::statement::Statement;

/// Whether a file can be written piece by piece: one, local, of a format that can.
pub(super) fn takes(output: &Output) -> bool {
    let (format, _) = format_of(output);
    let known = matches!(
        format.as_deref(),
        Some("csv" | "tsv" | "jsonl" | "parquet" | "arrow")
    );
    let special = std::fs::metadata(&output.path).is_ok_and(|meta| !meta.is_file());
    known
        && !special
        && output.partition_by.is_empty()
        && !output.path.contains("://")
        && !output.path.ends_with('/')
}

fn format_of(output: &Output) -> (Option<String>, bool) {
    let (ending, gzip) = split_ending(&output.path);
    (output.format.clone().or(ending), gzip)
}

/// Whether a sink has written something in the run that is resumed.
pub(super) fn has_begun(step: &Step, running: &Running<'_>) -> bool {
    running.options.resume
        && running
            .state
            .as_ref()
            .is_some_and(|state| state.has(&step.name))
}

/// Leaves out rows that are written already.
fn rest(batch: RecordBatch, skip: &mut u64) -> Option<RecordBatch> {
    let rows = batch.num_rows() as u64;
    if *skip >= rows {
        *skip -= rows;
        return None;
    }
    let from = usize::try_from(std::mem::take(skip)).unwrap_or(usize::MAX);
    Some(match from {
        0 => batch,
        from => batch.slice(from, batch.num_rows() - from),
    })
}

/// The rows of a plan to a file.
pub(super) async fn to_file(
    scope: &Scope,
    step: &Step,
    output: &Output,
    plan: LogicalPlan,
    replace: bool,
    running: &mut Running<'_>,
) -> Result<SinkReport> {
    let begin = Instant::now();
    let inputs = inputs(&plan)?;
    let Some(state) = &mut running.state else {
        return Err(DataFusionError::Internal("a run without a state".to_owned()).into());
    };
    let mut known = state.sink(&step.name, &inputs)?;
    let (format, gzip) = format_of(output);
    let format = format.unwrap_or_default();
    let path = Path::new(&output.path);
    let mut run_state = scope.state.clone();
    let mut statement = Statement::new(scope.context.clone(), &mut run_state, plan);
    statement.count_identifiers();
    let mut report = SinkReport::new(step, &output.path, &format);
    if known.done && path.is_file() {
        return Ok(report.resumed(known.rows));
    }
    if known.done {
        // (It was removed since.)
        known = SinkState::default();
    }
    let codec = output
        .options
        .iter()
        .find(|(key, _)| key == "format.compression");
    let codec = codec.map(|(_, codec)| codec.as_str());
    let options = FileSinkOptions {
        gzip: format != "parquet" && (gzip || codec == Some("gzip")),
        compression: codec.filter(|_| format == "parquet").map(|codec| {
            match codec {
                "uncompressed" => "none",
                "lz4_raw" => "lz4",
                "gzip(6)" => "gzip",
                codec => codec,
            }
            .to_owned()
        }),
        format: format.clone(),
        replace,
        threads: scope.context.session().state().config().target_partitions(),
        ..FileSinkOptions::default()
    };
    let durable = known.durable.clone();
    if let Some(durable) = durable.as_ref().filter(|_| known.finishing)
        && durable.is_complete(path)?
    {
        // (It was broken off between getting its name and saying so.)
        known.done = true;
        state.note(&step.name, &output.path, &inputs, known.clone())?;
        return Ok(report.resumed(known.rows));
    }
    let mut sink = resumable::open(path, statement.schema(), options, durable.as_ref()).await?;
    let every = every(running.options.checkpoint_rows);
    let (mut skip, mut since) = (known.rows, 0);
    let ran = async {
        let mut stream = statement.stream().await?;
        running
            .observer
            .sink_started(&step.name, &statement.monitor());
        while let Some(batch) = stream.try_next().await? {
            let Some(batch) = rest(batch, &mut skip) else {
                continue;
            };
            sink.write(&batch).await?;
            known.rows += batch.num_rows() as u64;
            since += batch.num_rows() as u64;
            if since >= every {
                known.durable = Some(sink.commit().await?);
                state.note(&step.name, &output.path, &inputs, known.clone())?;
                since = 0;
            }
        }
        known.durable = Some(sink.commit().await?);
        known.finishing = true;
        state.note(&step.name, &output.path, &inputs, known.clone())
    }
    .await;
    let (memory, xref) = (statement.memory(), statement.coverage());
    let scan = statement.finish()?;
    if let Err(error) = ran {
        // (What went wrong first is what is told.)
        let _ = sink.suspend().await;
        return Err(error);
    }
    let summary = sink.finish().await?;
    known.done = true;
    state.note(&step.name, &output.path, &inputs, known)?;
    (report.rows, report.bytes) = (summary.rows, summary.bytes);
    report.files = vec![output.path.clone()];
    report.rejected = scan.rejected;
    report.seconds = begin.elapsed().as_secs_f64();
    (report.memory, report.scan, report.xref) = (memory, scan, xref);
    Ok(report)
}

fn every(rows: u64) -> u64 {
    if rows == 0 { CHECKPOINT_ROWS } else { rows }
}

/// The rows of a plan to a table. `resumable`: they come in the same order each time.
pub(super) async fn to_database(
    scope: &Scope,
    step: &Step,
    target: &DatabaseTarget,
    plan: LogicalPlan,
    mut options: SinkOptions,
    resumable: bool,
    running: &mut Running<'_>,
) -> Result<SinkReport> {
    let begin = Instant::now();
    let (inputs, shown) = (inputs(&plan)?, target.to_string());
    let mut report = SinkReport::new(step, &shown, target.format());
    let mut state = running.state.as_mut();
    let mut known = match &state {
        Some(state) => state.sink(&step.name, &inputs)?,
        None => SinkState::default(),
    };
    if known.done || known.finishing || known.rows > 0 {
        match DatabaseTable::exists(target)
            .await
            .map_err(DataFusionError::from)?
        {
            true if known.done => return Ok(report.resumed(known.rows)),
            true => {}
            // (It was removed since.)
            false => known = SinkState::default(),
        }
    }
    let repeats = matches!(options.mode, WriteMode::Append);
    if known.finishing && repeats && !resumable {
        let problem = "the run was broken off when it completed this table, and nobody knows whether it did; look \
                       for its rows, and run without --resume to write them";
        return Err(BiotideError::file(&shown, problem).into());
    }
    if let Some(state) = state.as_mut().filter(|_| resumable) {
        options.run_id = Some(format!("{}-{}", state.id, step.name));
        // (Before the database knows of the run.)
        state.note(&step.name, &shown, &inputs, known.clone())?;
    }
    let mut run_state = scope.state.clone();
    let mut statement = Statement::new(scope.context.clone(), &mut run_state, plan);
    statement.count_identifiers();
    let (mut sink, position) = open_sink(target, statement.schema(), options)
        .await
        .map_err(DataFusionError::from)?;
    if known.finishing && resumable && position.is_none() {
        // It was broken off between completing and saying so.
        let _ = sink.abort().await;
        known.done = true;
        if let Some(state) = &mut state {
            state.note(&step.name, &shown, &inputs, known.clone())?;
        }
        return Ok(report.resumed(known.rows));
    }
    if position.is_none() && known.rows > 0 && repeats && resumable {
        let _ = sink.abort().await;
        let problem = "how far the run came is not known any more: its position is gone from the database; look \
                       for its rows, and run without --resume to write them all";
        return Err(BiotideError::file(&shown, problem).into());
    }
    let mut skip = position.map_or(0, |position| position.rows);
    known.rows = skip;
    let every = every(running.options.checkpoint_rows);
    let mut since = 0;
    let ran = async {
        let mut stream = statement.stream().await?;
        running
            .observer
            .sink_started(&step.name, &statement.monitor());
        while let Some(batch) = stream.try_next().await? {
            let Some(batch) = rest(batch, &mut skip) else {
                continue;
            };
            sink.write(&batch).await.map_err(DataFusionError::from)?;
            known.rows += batch.num_rows() as u64;
            since += batch.num_rows() as u64;
            if resumable && since >= every {
                sink.commit("").await.map_err(DataFusionError::from)?;
                since = 0;
                if let Some(state) = &mut state {
                    state.note(&step.name, &shown, &inputs, known.clone())?;
                }
            }
        }
        if let Some(state) = &mut state {
            // (What is not resumable becomes durable when it finishes.)
            if resumable {
                sink.commit("").await.map_err(DataFusionError::from)?;
            }
            known.finishing = true;
            state.note(&step.name, &shown, &inputs, known.clone())?;
        }
        Ok::<_, crate::error::Error>(())
    }
    .await;
    let (memory, xref) = (statement.memory(), statement.coverage());
    let scan = statement.finish()?;
    if let Err(error) = ran {
        // (What went wrong first is what is told.)
        let _ = sink.abort().await;
        return Err(error);
    }
    let summary = sink.finish().await.map_err(DataFusionError::from)?;
    known.done = true;
    if let Some(state) = &mut state {
        state.note(&step.name, &shown, &inputs, known)?;
    }
    (report.rows, report.bytes) = (summary.rows, summary.bytes);
    report.rejected = scan.rejected;
    report.seconds = begin.elapsed().as_secs_f64();
    (report.memory, report.scan, report.xref) = (memory, scan, xref);
    Ok(report)
}
