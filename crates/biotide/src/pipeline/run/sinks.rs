//! Where rows go.

use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_database::{
    Commit, DatabaseTable, DatabaseTarget, SinkOptions, WriteMode, is_database,
};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::{Column, DataFusionError};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col};

use super::super::actions::Params;
use super::super::compile::Scope;
use super::super::spec::Step;
use super::Running;
use super::report::SinkReport;
use crate::convert::{ConvertReport, Output, split_ending};
use crate::error::Result;
use crate::monitor::Monitor;
use crate::resumable::{self, Input, Job, Pace, SinkState, inputs, is_resumable};
use crate::statement::Statement;
use crate::statement::repeats::repeats_in_order;

/// The rows of a sink.
fn rows_of(scope: &Scope, params: &Params) -> Result<LogicalPlan> {
    let input = scope.input(params, "input")?;
    let columns = scope.columns_of(&input, params, "columns")?;
    let Some(plan) = scope.dataset(&input).cloned() else {
        return Err(params.error("input", "there is no such dataset").into());
    };
    if columns.is_empty() {
        return Ok(plan);
    }
    let mut repeated = columns.iter().enumerate();
    if let Some((_, twice)) = repeated.find(|(n, column)| columns[..*n].contains(column)) {
        return Err(params
            .error("columns", format!("it names {twice} twice"))
            .into());
    }
    let columns = columns.into_iter().map(|name| col(Column::from_name(name)));
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// The plan of a sink, as text.
pub(super) async fn explain(scope: &Scope, step: &Step) -> Result<String> {
    let plan = rows_of(scope, &step.params)?;
    let mut statement = Statement::of_rows_to_write(scope.context.clone(), &scope.state, plan);
    statement.shown_plan().await
}

/// Writes what a sink asks for.
pub(super) async fn write(
    scope: &Scope,
    step: &Step,
    running: &mut Running<'_>,
) -> Result<SinkReport> {
    let params = &step.params;
    let plan = rows_of(scope, params)?;
    let to = params.needed("to")?;
    if is_database(to) {
        return to_database(scope, step, to, plan, running).await;
    }
    refuse(
        params,
        &["key", "transaction", "create"],
        "a table of a database, and this is a file",
    )?;
    let replace = match params.text("mode") {
        Some("replace") => true,
        Some(mode @ ("append" | "upsert")) => {
            let problem =
                format!("{mode} is for tables of databases: a file is replaced, or a new one");
            return Err(params.error("mode", problem).into());
        }
        _ => false,
    };
    let output = Output {
        path: to.to_owned(),
        format: format_of(params),
        partition_by: partition_by(scope, params)?,
        compression: compression(params, to)?,
    };
    if is_resumable(&output) {
        let resumable = repeats_in_order(&plan);
        if running.state.is_some() && !resumable {
            say_that_it_begins_anew(step);
        }
        return resumable::to_file(job(scope, step, running, resumable), &output, plan, replace)
            .await;
    }
    if running.state.is_some() {
        say_that_it_begins_anew(step);
    }
    // A sink that is complete is not written again when another one is gone on with.
    let inputs = inputs(&plan, &scope.state).await?;
    if let Some(state) = &running.state {
        let known = state.sink(&step.name, &inputs)?;
        if known.done && (to.contains("://") || Path::new(to).exists()) {
            let format = output.format.as_deref().unwrap_or_default();
            return Ok(SinkReport::new(&step.name, to, format).resumed(known.rows));
        }
    }
    let mut seen = None;
    let on_start = |monitor: Monitor| {
        running.observer.sink_started(&step.name, &monitor);
        seen = Some(monitor);
    };
    let report = to_file(scope, output, plan, replace, on_start).await?;
    if let Some(state) = &mut running.state {
        let mut done = SinkState::default();
        (done.rows, done.done) = (report.rows, true);
        state.note(&step.name, to, &inputs, done)?;
    }
    let mut sink = of_file(step, to, report);
    sink.inputs = inputs.iter().map(Input::told).collect();
    sink.steps = seen.map_or_else(Vec::new, |monitor| monitor.steps());
    Ok(sink)
}

fn say_that_it_begins_anew(step: &Step) {
    log::info!(
        "{}: if the run is broken off this begins anew: all rows must be seen first, or it is not one local file",
        step.name
    );
}

/// The work of a sink.
fn job<'a>(
    scope: &'a Scope,
    step: &'a Step,
    running: &'a mut Running<'_>,
    resumable: bool,
) -> Job<'a> {
    Job {
        context: &scope.context,
        session: scope.state.clone(),
        name: &step.name,
        pace: Pace {
            checkpoint_rows: running.options.checkpoint_rows,
            ..scope.pace.clone()
        },
        unordered: false,
        resumable,
        state: running.state.as_mut(),
        observer: running.observer,
    }
}

/// Whether a sink has written something in the run that is resumed.
fn has_begun(step: &Step, running: &Running<'_>) -> bool {
    let state = running.state.as_ref().filter(|_| running.options.resume);
    state.is_some_and(|state| state.has(&step.name))
}

fn partition_by(scope: &Scope, params: &Params) -> Result<Vec<String>> {
    let input = scope.input(params, "input")?;
    scope.columns_of(&input, params, "partition_by")
}

/// Refuses parameters that say nothing of this sink.
fn refuse(params: &Params, names: &[&str], of: &str) -> Result<()> {
    match names.iter().find(|name| params.is_given(name)) {
        Some(name) => Err(params.error(name, format!("it is of {of}")).into()),
        None => Ok(()),
    }
}

/// How a file is compressed.
fn compression(params: &Params, to: &str) -> Result<Option<String>> {
    let wanted = params.text("compression").unwrap_or("auto");
    let (ending, gzip) = split_ending(to);
    let format = format_of(params).or(ending);
    match (format.as_deref(), wanted) {
        (_, "auto") => Ok(None),
        (Some("parquet"), codec) => Ok(Some(codec.to_owned())),
        (_, "none") if !gzip => Ok(None),
        (Some("csv" | "tsv" | "jsonl"), "gzip") => Ok(Some(wanted.to_owned())),
        (_, "none") => {
            let problem =
                format!("{to} has a name that says gzip; call it otherwise, or leave this out");
            Err(params.error("compression", problem).into())
        }
        (_, other) => {
            let problem = format!("{other} is not how this format is compressed: gzip, or none");
            Err(params.error("compression", problem).into())
        }
    }
}

/// The format that a step names.
fn format_of(params: &Params) -> Option<String> {
    let named = params.text("format").filter(|format| *format != "auto");
    named.map(str::to_owned)
}

async fn to_file(
    scope: &Scope,
    output: Output,
    plan: LogicalPlan,
    replace: bool,
    on_start: impl FnOnce(Monitor) + Send,
) -> Result<ConvertReport> {
    let target = Path::new(&output.path);
    let local = !output.path.contains("://");
    if local && target.exists() && !replace {
        let problem = "it is there already; mode: replace replaces it";
        return Err(BiotideError::file(&output.path, problem).into());
    }
    let mut state = scope.state.clone();
    let copy = output.copy_plan(plan, &state)?;
    let mut statement = Statement::new(scope.context.clone(), &mut state, copy).replacing(replace);
    statement.count_identifiers();
    output.run(statement, on_start).await
}

pub(super) fn of_file(step: &Step, to: &str, report: ConvertReport) -> SinkReport {
    let (ending, _) = split_ending(to);
    let format = format_of(&step.params).or(ending).unwrap_or_default();
    SinkReport {
        rows: report.rows,
        bytes: report.bytes_out,
        files: report.files,
        rejected: report.rejected,
        seconds: report.seconds,
        memory: report.memory,
        scan: report.scan,
        xref: report.xref,
        ..SinkReport::new(&step.name, to, &format)
    }
}

/// Writes a plan to a file.
pub(super) async fn write_plan(
    scope: &Scope,
    to: &str,
    format: Option<&str>,
    plan: LogicalPlan,
    replace: bool,
) -> Result<ConvertReport> {
    let output = Output {
        path: to.to_owned(),
        format: format.map(str::to_owned),
        partition_by: Vec::new(),
        compression: None,
    };
    to_file(scope, output, plan, replace, |_| {}).await
}

/// Writes a few rows to a file, in place of what is there.
pub(super) async fn write_batch(scope: &Scope, to: &str, batch: RecordBatch) -> Result<()> {
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
    let source = provider_as_source(Arc::new(table));
    let plan = LogicalPlanBuilder::scan("rows", source, None)?.build()?;
    write_plan(scope, to, None, plan, true).await?;
    Ok(())
}

/// Rows to a table of a database.
async fn to_database(
    scope: &Scope,
    step: &Step,
    to: &str,
    plan: LogicalPlan,
    running: &mut Running<'_>,
) -> Result<SinkReport> {
    let params = &step.params;
    let target = DatabaseTarget::parse(to).map_err(|error| params.error("to", error))?;
    let of_files = ["partition_by", "compression", "format"];
    refuse(
        params,
        &of_files,
        "a file, and this is a table of a database",
    )?;
    if params.text("mode") != Some("upsert") {
        refuse(
            params,
            &["key"],
            "mode: upsert, which replaces rows of the same key",
        )?;
    }
    let input = scope.input(params, "input")?;
    let per_chunk = params.text("transaction") != Some("once");
    let resumable = per_chunk && repeats_in_order(&plan);
    let mode = match params.text("mode") {
        Some("append") => WriteMode::Append,
        Some("replace") => WriteMode::Replace,
        Some("upsert") => WriteMode::Upsert {
            key: scope.columns_of(&input, params, "key")?,
        },
        _ if has_begun(step, running) => WriteMode::Append,
        _ if DatabaseTable::exists(&target)
            .await
            .map_err(DataFusionError::from)? =>
        {
            let problem = format!(
                "{target} is there already: mode: append, replace or upsert says what becomes of it"
            );
            return Err(params.error("mode", problem).into());
        }
        _ => WriteMode::Append,
    };
    let options = SinkOptions {
        mode,
        commit: if per_chunk {
            Commit::PerChunk
        } else {
            Commit::Once
        },
        create: params.boolean("create") != Some(false),
        ..SinkOptions::default()
    };
    resumable::to_database(job(scope, step, running, resumable), &target, plan, options).await
}
