//! Where rows go.

use std::path::Path;
use std::sync::Arc;

use biotide_database::{Commit, SinkOptions, WriteMode, is_database};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::{Column, DataFusionError};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col};

use super::super::actions::Params;
use super::super::compile::{Scope, key_of, once, placed};
use super::super::spec::Step;
use super::Running;
use super::report::SinkReport;
use super::target;
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
    once(params, "columns", &columns)?;
    let columns = columns.into_iter().map(|name| col(Column::from_name(name)));
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// The rows of a sink; an error, if it could not write their columns.
fn writable_rows(scope: &Scope, step: &Step) -> Result<LogicalPlan> {
    let params = &step.params;
    let plan = rows_of(scope, params)?;
    let to = params.needed("to")?;
    if is_database(to) {
        let (target, options) = (target::table(params, to)?, database_options(scope, params)?);
        let checked = options.check(&target, plan.schema().inner());
        checked.map_err(DataFusionError::from)?;
    } else {
        let (mut output, _) = target::file(params, to, &scope.state)?;
        output.partition_by = partition_by(scope, params)?;
        output.copy_plan(plan.clone(), &scope.state)?;
    }
    Ok(plan)
}

/// Refuses, before a sink writes anything, those after it that could not write their columns: of datasets that are made
/// already.
pub(super) fn check_later(scope: &Scope, later: &[Step]) -> Result<()> {
    let mut made: Vec<String> = Vec::new();
    for step in later.iter().filter(|step| step.runs) {
        let is_known = || match step.params.text("input") {
            Some(input) => {
                let is_input = |key: &String| key.eq_ignore_ascii_case(input);
                scope.dataset(input).is_some() && !made.iter().any(is_input)
            }
            None => made.is_empty(),
        };
        if step.action.name == "sink" && step.is_required && is_known() {
            writable_rows(scope, step).map_err(|error| placed(step, error))?;
        }
        if step.action.param("output").is_some() {
            made.push(key_of(step));
        }
    }
    Ok(())
}

/// The plan of a sink, as text; an error, if it could not write its columns.
pub(super) async fn explain(scope: &Scope, step: &Step) -> Result<String> {
    let plan = writable_rows(scope, step)?;
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
    let (mut output, replace) = target::file(params, to, &scope.state)?;
    output.partition_by = partition_by(scope, params)?;
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
            let mut report = SinkReport::new(&step.name, to, format);
            if !known.clean {
                let mut job = job(scope, step, running, false);
                job.read_again(plan, &mut report).await?;
            }
            return Ok(report.resumed(known.rows));
        }
    }
    let mut seen = None;
    let on_start = |monitor: Monitor| {
        running.observer.sink_started(&step.name, &monitor);
        seen = Some(monitor);
    };
    let report = to_file(scope, output, plan, replace, on_start).await?;
    let mut sink = of_file(step, to, report);
    if let Some(state) = &mut running.state {
        let mut done = SinkState::default();
        (done.rows, done.done) = (sink.rows, true);
        done.clean = sink.is_clean();
        state.note(&step.name, to, &inputs, done)?;
    }
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

fn partition_by(scope: &Scope, params: &Params) -> Result<Vec<String>> {
    let input = scope.input(params, "input")?;
    scope.columns_of(&input, params, "partition_by")
}

async fn to_file(
    scope: &Scope,
    output: Output,
    plan: LogicalPlan,
    replace: bool,
    on_start: impl FnOnce(Monitor) + Send,
) -> Result<ConvertReport> {
    target::vacant_file(&output, replace)?;
    let mut state = scope.state.clone();
    let copy = output.copy_plan(plan, &state)?;
    let mut statement = Statement::new(scope.context.clone(), &mut state, copy).replacing(replace);
    statement.count_identifiers();
    output.run(statement, on_start).await
}

pub(super) fn of_file(step: &Step, to: &str, report: ConvertReport) -> SinkReport {
    let (ending, _) = split_ending(to);
    let format = target::format_of(&step.params)
        .or(ending)
        .unwrap_or_default();
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

/// How rows are written to a table of a database.
fn database_options(scope: &Scope, params: &Params) -> Result<SinkOptions> {
    let input = scope.input(params, "input")?;
    let mode = match params.text("mode") {
        Some("replace") => WriteMode::Replace,
        Some("upsert") => WriteMode::Upsert {
            key: scope.columns_of(&input, params, "key")?,
        },
        _ => WriteMode::Append,
    };
    Ok(SinkOptions {
        mode,
        commit: match params.text("transaction") {
            Some("once") => Commit::Once,
            _ => Commit::PerChunk,
        },
        create: params.boolean("create") != Some(false),
        ..SinkOptions::default()
    })
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
    let (target, options) = (target::table(params, to)?, database_options(scope, params)?);
    let resumable = options.commit == Commit::PerChunk && repeats_in_order(&plan);
    let has_begun = target::has_begun(step, running.options, running.state.as_ref());
    target::vacant_table(&target, params, has_begun).await?;
    resumable::to_database(job(scope, step, running, resumable), &target, plan, options).await
}
