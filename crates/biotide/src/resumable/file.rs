//! The rows of a plan to a file.

use std::path::Path;
use std::time::Instant;

use biotide_common::BiotideError;
use biotide_formats::sink::resumable::{self, FileSinkOptions, Finished};
use datafusion::logical_expr::LogicalPlan;

use super::inputs::{Input, inputs};
use super::job::{Job, Noting};
use super::state::SinkState;
use crate::convert::{Output, split_ending};
use crate::error::Result;
use crate::pipeline::run::SinkReport;

/// The most bytes, encoded, of a Parquet row group.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// Whether a file can be written piece by piece: one, local, of a format that can.
pub(crate) fn is_resumable(output: &Output) -> bool {
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

/// How the file is written: as an output wants it, else as the session says.
fn options(job: &Job<'_>, output: &Output, replace: bool) -> FileSinkOptions {
    let (format, gzip) = format_of(output);
    let format = format.unwrap_or_default();
    let is_text = format != "parquet" && format != "arrow";
    let session = job.context.options();
    let level = session.parquet_zstd_level;
    let compression = output.compression.clone().filter(|_| format == "parquet");
    // A row group lies in memory, encoded, until it is complete.
    let most = (job.context.meter.budget().pool / 8).clamp(1 << 20, ROW_GROUP_BYTES);
    let defaults = FileSinkOptions::default();
    FileSinkOptions {
        gzip: is_text && (gzip || output.compression.as_deref() == Some("gzip")),
        compression: compression.or_else(|| match (format.as_str(), level) {
            ("parquet", Some(level)) => Some(format!("zstd({level})")),
            _ => None,
        }),
        replace,
        row_group_rows: session
            .parquet_row_group_rows
            .map_or(defaults.row_group_rows, |rows| rows.max(1)),
        row_group_bytes: most,
        threads: job.context.session().state().config().target_partitions(),
        format,
    }
}

/// Removes, when it is dropped, what is left of a file that cannot be gone on with.
struct Left<'a>(Option<&'a Path>);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            resumable::discard(path);
        }
    }
}

/// Notes that a file is complete, and by what it is known again.
fn note_complete(
    noting: &mut Noting<'_>,
    path: &Path,
    rows: u64,
    report: &SinkReport,
) -> Result<()> {
    noting.known.finished = Some(Finished::of(path)?);
    noting.note_done(rows, report)
}

/// The rows of a plan to a file. What was broken off is gone on with.
pub(crate) async fn to_file(
    mut job: Job<'_>,
    output: &Output,
    plan: LogicalPlan,
    replace: bool,
) -> Result<SinkReport> {
    let begin = Instant::now();
    let inputs = inputs(&plan, &job.session).await?;
    let mut known = job.known(&inputs)?;
    let path = Path::new(&output.path);
    let options = options(&job, output, replace);
    let mut report = SinkReport::new(job.name, &output.path, &options.format);
    report.inputs = inputs.iter().map(Input::told).collect();
    if known.done && path.is_file() {
        let is_same = match &known.finished {
            Some(finished) => Finished::of(path)? == *finished,
            None => true,
        };
        if is_same {
            if !known.clean {
                job.read_again(plan, &mut report).await?;
            }
            return Ok(report.resumed(known.rows));
        }
        let anew = job.state.as_ref().map_or("run it anew", |state| state.anew);
        let problem =
            format!("something else was written there since the run completed it; {anew}");
        return Err(BiotideError::file(&output.path, problem).into());
    }
    if known.done {
        // (It was removed since.)
        known = SinkState::default();
    }
    let resumable = job.is_resumable();
    let durable = known.durable.clone();
    let (skip, finishing) = (known.rows, known.finishing);
    if let Some(durable) = durable.as_ref().filter(|_| finishing)
        && durable.is_complete(path)?
    {
        // (It was broken off between getting its name and saying so.)
        job.read_again(plan, &mut report).await?;
        let mut noting = job.noting(&output.path, &inputs, known);
        note_complete(&mut noting, path, skip, &report)?;
        return Ok(report.resumed(skip));
    }
    let mut statement = job.statement(plan);
    let mut noting = job.noting(&output.path, &inputs, known);
    // (The columns as they come: a plan may still have some of no type.)
    let rows = statement.stream().await?;
    let mut sink = resumable::open(path, rows.schema(), options, durable.as_ref()).await?;
    let mut left = Left((!resumable).then_some(path));
    let pumped = noting
        .pump(statement, rows, &mut sink, skip, resumable, &mut report)
        .await;
    let pumped = match pumped {
        Ok(pumped) => pumped,
        Err(error) => {
            // (What went wrong first is what is told.)
            let _ = sink.suspend().await;
            return Err(error);
        }
    };
    let summary = sink.finish().await?;
    left.0 = None;
    note_complete(&mut noting, path, summary.rows, &report)?;
    (report.rows, report.bytes) = (summary.rows, summary.bytes);
    report.files = vec![output.path.clone()];
    Ok(report.written(pumped, begin))
}
