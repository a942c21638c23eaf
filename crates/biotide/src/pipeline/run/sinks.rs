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
use super::report::SinkReport;
use super::state::{SinkState, inputs};
use super::{Running, resumed};
use crate::convert::{ConvertReport, Output, split_ending};
use crate::error::Result;
use crate::monitor::Monitor;
use crate::statement::Statement;
use crate::statement::order::keeps_order;

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
    let columns = columns.into_iter().map(|name| col(Column::from_name(name)));
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// The plan of a sink, as text.
pub(super) async fn explain(scope: &Scope, step: &Step) -> Result<String> {
    let plan = rows_of(scope, &step.params)?;
    let physical = scope.state.create_physical_plan(&plan).await?;
    let shown = datafusion::physical_plan::displayable(&*physical);
    Ok(shown.indent(false).to_string())
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
        format: params
            .text("format")
            .filter(|format| *format != "auto")
            .map(str::to_owned),
        partition_by: partition_by(scope, params)?,
        options: compression(params, to)?,
    };
    if running.state.is_some() && resumed::takes(&output) && keeps_order(&plan) {
        return resumed::to_file(scope, step, &output, plan, replace, running).await;
    }
    if running.state.is_some() {
        log::info!(
            "{}: if the run is broken off this begins anew: all rows must be seen first, or it is not one local file",
            step.name
        );
    }
    // A sink that is complete is not written again when another one is gone on with.
    let inputs = inputs(&plan)?;
    if let Some(state) = &running.state {
        let known = state.sink(&step.name, &inputs)?;
        if known.done && (to.contains("://") || Path::new(to).exists()) {
            let format = output.format.as_deref().unwrap_or_default();
            return Ok(SinkReport::new(step, to, format).resumed(known.rows));
        }
    }
    let on_start = |monitor| running.observer.sink_started(&step.name, &monitor);
    let report = to_file(scope, output, plan, replace, on_start).await?;
    if let Some(state) = &mut running.state {
        let mut done = SinkState::default();
        (done.rows, done.done) = (report.rows, true);
        state.note(&step.name, to, &inputs, done)?;
    }
    Ok(of_file(step, to, report))
}

fn partition_by(scope: &Scope, params: &Params) -> Result<Vec<String>> {
    let input = scope.input(params, "input")?;
    scope.columns_of(&input, params, "partition_by")
}

/// How a file is compressed, as the writers call it.
fn compression(params: &Params, to: &str) -> Result<Vec<(String, String)>> {
    let wanted = params.text("compression").unwrap_or("auto");
    if wanted == "auto" {
        return Ok(Vec::new());
    }
    let named = params.text("format").filter(|format| *format != "auto");
    let (ending, gzip) = split_ending(to);
    let format = named.map(str::to_owned).or(ending);
    let codec = match (format.as_deref(), wanted) {
        (Some("parquet"), "none") => "uncompressed",
        (Some("parquet"), "gzip") => "gzip(6)",
        (Some("parquet"), "zstd") => "zstd(3)",
        (Some("parquet"), "lz4") => "lz4_raw",
        (Some("parquet"), other) => other,
        (_, "none") if !gzip => return Ok(Vec::new()),
        (_, "gzip") => return Ok(vec![("format.compression".to_owned(), "gzip".to_owned())]),
        (_, other) => {
            let problem = format!("{other} is not how this format is compressed: gzip, or none");
            return Err(params.error("compression", problem).into());
        }
    };
    Ok(vec![("format.compression".to_owned(), codec.to_owned())])
}

async fn to_file(
    scope: &Scope,
    output: Output,
    plan: LogicalPlan,
    replace: bool,
    on_start: impl FnOnce(Monitor),
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

fn of_file(step: &Step, to: &str, report: ConvertReport) -> SinkReport {
    let (ending, _) = split_ending(to);
    let named = step
        .params
        .text("format")
        .filter(|format| *format != "auto");
    SinkReport {
        step: step.name.clone(),
        to: to.to_owned(),
        format: named.map(str::to_owned).or(ending).unwrap_or_default(),
        rows: report.rows,
        bytes: report.bytes_out,
        files: report.files,
        rejected: report.rejected,
        seconds: report.seconds,
        memory: report.memory,
        scan: report.scan,
        xref: report.xref,
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
        options: Vec::new(),
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
    let input = scope.input(params, "input")?;
    let per_chunk = params.text("transaction") != Some("once");
    let resumable = per_chunk && keeps_order(&plan);
    let mode = match params.text("mode") {
        Some("append") => WriteMode::Append,
        Some("replace") => WriteMode::Replace,
        Some("upsert") => WriteMode::Upsert {
            key: scope.columns_of(&input, params, "key")?,
        },
        _ if resumed::has_begun(step, running) => WriteMode::Append,
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
    resumed::to_database(scope, step, &target, plan, options, resumable, running).await
}

/// What became of identifiers: counts of a dataset's verdicts, hops and sources.
pub(super) async fn report(scope: &Scope, step: &Step) -> Result<SinkReport> {
    let params = &step.params;
    let input = scope.input(params, "input")?;
    let path = params.needed("path")?;
    let columns = scope.columns(&input);
    if !columns.iter().any(|name| name == "verdict") {
        let problem =
            format!("{input} has no column verdict: it is the output of no cross_reference");
        return Err(params.error("input", problem).into());
    }
    let by: Vec<&str> = ["verdict", "hops", "predicate"]
        .into_iter()
        .filter(|name| columns.iter().any(|column| column == name))
        .collect();
    let by = by.join(", ");
    let sql = format!(
        "SELECT {by}, count(*) AS rows, round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent FROM \"{}\" \
         GROUP BY {by} ORDER BY rows DESC, {by}",
        input.replace('"', "\"\"")
    );
    let plan = scope.plan(&sql).await?;
    let format = match params.text("format") {
        None | Some("auto") => None,
        Some("json") => Some("jsonl"),
        other => other,
    };
    let markdown = format == Some("markdown") || format.is_none() && path.ends_with(".md");
    if !markdown {
        let report = write_plan(scope, path, format, plan, true).await?;
        return Ok(of_file(step, path, report));
    }
    let mut state = scope.state.clone();
    let mut statement = Statement::new(scope.context.clone(), &mut state, plan);
    let rows = statement.collect().await?;
    let memory = statement.memory();
    let scan = statement.finish()?;
    let text = table(&rows)?;
    std::fs::write(path, &text)
        .map_err(|error| BiotideError::io(format!("writing {path}"), error))?;
    Ok(SinkReport {
        step: step.name.clone(),
        to: path.to_owned(),
        format: "markdown".to_owned(),
        rows: rows.iter().map(|batch| batch.num_rows() as u64).sum(),
        bytes: text.len() as u64,
        files: vec![path.to_owned()],
        rejected: scan.rejected,
        seconds: 0.0,
        memory,
        scan,
        xref: None,
    })
}

/// A table of Markdown.
fn table(batches: &[RecordBatch]) -> Result<String> {
    use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
    let mut text = String::new();
    let Some(first) = batches.first() else {
        return Ok(text);
    };
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let schema = first.schema();
    text.push_str(&line(
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect(),
    ));
    text.push_str(&line(vec!["---".to_owned(); schema.fields().len()]));
    let options = FormatOptions::default();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let cells = columns
                .iter()
                .map(|column| column.value(row).to_string().replace('|', "\\|"));
            text.push_str(&line(cells.collect()));
        }
    }
    Ok(text)
}
