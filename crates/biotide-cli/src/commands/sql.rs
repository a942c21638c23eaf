//! `biotide sql`: statements one after the other, their results as they come.

use std::time::Instant;

use biotide::prelude::{BiotideContext, ConvertReport, ScanReport, Statement};
use console::truncate_str;
use futures::StreamExt;

use super::report::{Ender, count_of, written};
use crate::args::{Ending, Script, SqlArgs};
use crate::error::{Context, Failure};
use crate::output::{self, Format, Output};
use crate::progress::{Progress, format_seconds};
use crate::settings::Settings;

/// Runs the script.
pub(crate) async fn run(
    args: SqlArgs,
    settings: &Settings,
    context: &BiotideContext,
) -> Result<(), Failure> {
    let statements = BiotideContext::split_statements(&args.script.read()?)?;
    let n = statements.len();
    if n == 0 {
        return Err(Failure::usage("there is no statement to run"));
    }
    let file = args.output.as_deref().filter(|file| *file != "-");
    // With -o FILE the format is that of the file, and earlier results come as they would without.
    let mut out = Output::new(args.format.filter(|_| file.is_none()))?;
    let shows =
        |(i, sql): (usize, &String)| !(file.is_some() && i == n) && kind(sql) == Kind::Query;
    let stdout_free = !(1..).zip(&statements).any(shows);
    let mut ender = Ender::new(args.ending, settings, stdout_free);
    ender.check(context)?;
    for (i, sql) in (1..).zip(&statements) {
        let report = match file {
            Some(file) if i == n => {
                write_file(context, sql, file, args.format, &ender, settings).await
            }
            // Nobody reads on: what only shows something need not run.
            _ if out.closed() && kind(sql) == Kind::Query => Ok(None),
            _ => show(context, sql, &mut out, &ender, settings, true).await,
        };
        let place = |failure: Failure| match n {
            1 => failure,
            _ => failure.note(format!("in statement {i} of {n}: {}", start_of(sql))),
        };
        if let Some(report) = report.map_err(place)? {
            ender.add(&report)?;
        }
    }
    ender.end()
}

impl Script {
    fn read(self) -> Result<String, Failure> {
        let text = match self {
            Self::Text(text) => text,
            Self::File(path) => std::fs::read_to_string(&path)
                .with_context(|| format!("reading {}", path.display()))?,
            Self::Stdin => {
                std::io::read_to_string(std::io::stdin()).context("reading standard input")?
            }
        };
        Ok(text.trim_start_matches('\u{feff}').to_owned())
    }
}

/// How a shell shows the results of single statements.
pub(super) struct Show<'a> {
    pub(super) context: &'a BiotideContext,
    pub(super) settings: &'a Settings,
    /// Whether rows and time are told.
    pub(super) timing: bool,
}

impl Show<'_> {
    /// Shows a result; answers what is to be said of it below.
    pub(super) async fn on(&self, sql: &str, out: &mut Output) -> Result<Option<String>, Failure> {
        let mut ender = Ender::holding(self.settings);
        let shown = show(self.context, sql, out, &ender, self.settings, self.timing).await?;
        if let Some(report) = shown {
            ender.add(&report)?;
        }
        Ok(ender.held())
    }

    /// Writes a result to a file.
    pub(super) async fn to_file(&self, sql: &str, file: &str) -> Result<(), Failure> {
        let mut ender = Ender::new(Ending::default(), self.settings, false);
        let written = write_file(self.context, sql, file, None, &ender, self.settings).await?;
        if let Some(report) = written {
            ender.add(&report)?;
        }
        Ok(())
    }
}

/// Whether a statement shows something.
pub(super) fn is_query(sql: &str) -> bool {
    kind(sql) == Kind::Query
}

/// Runs a statement whose result goes to a file.
pub(super) async fn write_file(
    context: &BiotideContext,
    sql: &str,
    file: &str,
    format: Option<Format>,
    ender: &Ender<'_>,
    settings: &Settings,
) -> Result<Option<ConvertReport>, Failure> {
    let mut statement = context.sql(sql).await?;
    if ender.counts_identifiers() {
        statement.count_identifiers();
    }
    if statement.schema().fields().is_empty() {
        return Err(Failure::usage(
            "-o FILE: the statement has no result to write",
        ));
    }
    let mut progress = None;
    let start = |monitor| progress = Some(Progress::of_statement(settings, "sql", monitor));
    let report = statement
        .write_to(file, format.map(Format::name), start)
        .await;
    drop(progress);
    let report = report?;
    ender.say(|| written(&report, file));
    Ok(Some(report))
}

/// Runs a statement whose result goes to standard output. No report for one that reads and shows nothing.
pub(super) async fn show(
    context: &BiotideContext,
    sql: &str,
    out: &mut Output,
    ender: &Ender<'_>,
    settings: &Settings,
    timing: bool,
) -> Result<Option<ConvertReport>, Failure> {
    let start = Instant::now();
    let bytes_before = out.bytes();
    let mut statement = context.sql(sql).await?;
    if ender.counts_identifiers() {
        statement.count_identifiers();
    }
    let mut progress = Progress::of_statement(settings, "sql", statement.monitor());
    let kind = kind(sql);
    let rows = match kind {
        Kind::Write => count(&mut statement).await,
        _ => pump(&mut statement, out, &mut progress).await,
    };
    drop(progress);
    let (memory, xref) = (statement.memory(), statement.coverage());
    let scan = statement.finish();
    let (rows, scan): (Option<u64>, ScanReport) = (rows?, scan?);
    let Some(rows) = rows else { return Ok(None) };
    let seconds = start.elapsed().as_secs_f64();
    if kind == Kind::Write && timing {
        ender.say(|| format!("{} written in {}", count_of(rows), format_seconds(seconds)));
    } else if timing && out.format() == Format::Table {
        ender.say(|| format!("{} in {}", count_of(rows), format_seconds(seconds)));
    }
    Ok(Some(ConvertReport {
        rows,
        rejected: scan.rejected,
        bytes_in: scan.bytes,
        bytes_out: out.bytes() - bytes_before,
        files: Vec::new(),
        seconds,
        peak_rss: biotide::peak_rss(),
        xref,
        memory,
        scan,
    }))
}

/// Streams the result to standard output. Returns its rows, or nothing if the statement has no columns.
async fn pump(
    statement: &mut Statement,
    out: &mut Output,
    progress: &mut Progress,
) -> Result<Option<u64>, Failure> {
    let mut stream = statement.stream().await?;
    let schema = stream.schema();
    let columns = !schema.fields().is_empty();
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(biotide::Error::from)?;
        if !columns || batch.num_rows() == 0 {
            continue;
        }
        // From here on the screen, or the pager, belongs to the rows.
        if rows == 0 && !output::goes_to_a_file() {
            progress.leave_the_screen();
        }
        rows += batch.num_rows() as u64;
        if out.write(&batch)?.is_break() {
            return Ok(Some(rows));
        }
    }
    if columns {
        progress.leave_the_screen();
        // Broken off or not: that was all.
        let _ = out.end(&schema)?;
    }
    Ok(columns.then_some(rows))
}

/// Runs a statement that writes, and takes its count of rows from its result.
async fn count(statement: &mut Statement) -> Result<Option<u64>, Failure> {
    use arrow::array::AsArray;
    use arrow::datatypes::UInt64Type;

    let batches = statement.collect().await?;
    let counts = batches.iter().filter(|batch| batch.num_columns() == 1);
    let counts = counts.filter_map(|batch| batch.column(0).as_primitive_opt::<UInt64Type>());
    Ok(Some(
        counts.flat_map(|counts| counts.iter().flatten()).sum(),
    ))
}

/// What a statement is for, as its first word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Shows something.
    Query,
    /// Writes rows, and returns how many.
    Write,
    /// Changes the session.
    Other,
}

fn kind(sql: &str) -> Kind {
    let sql = skip_comments(sql).trim_start_matches(['(', ' ', '\n', '\r', '\t']);
    let word = sql
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "select" | "with" | "values" | "table" | "from" | "show" | "describe" | "explain" => {
            Kind::Query
        }
        "copy" | "insert" => Kind::Write,
        _ => Kind::Other,
    }
}

fn skip_comments(sql: &str) -> &str {
    let mut sql = sql.trim_start();
    loop {
        let end = if sql.starts_with("--") {
            sql.find('\n').map(|at| at + 1)
        } else if sql.starts_with("/*") {
            sql.find("*/").map(|at| at + 2)
        } else {
            return sql;
        };
        sql = sql[end.unwrap_or(sql.len())..].trim_start();
    }
}

/// Enough of a statement to know it again.
fn start_of(sql: &str) -> String {
    let words: Vec<&str> = skip_comments(sql).split_whitespace().collect();
    truncate_str(&words.join(" "), 61, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells_the_kind() {
        assert_eq!(kind("-- note\n/* a */ select 1"), Kind::Query);
        assert_eq!(kind("(SELECT 1)"), Kind::Query);
        assert_eq!(kind("COPY t TO 'x.csv'"), Kind::Write);
        assert_eq!(kind("create view copy as select 1"), Kind::Other);
        assert_eq!(kind("-- nothing"), Kind::Other);
    }

    #[test]
    fn long_statements_are_cut_between_characters() {
        let long = format!("--x\nSELECT\n  '{}'", "ä".repeat(100));
        let start = start_of(&long);
        assert!(
            start.starts_with("SELECT 'ä") && start.ends_with("ä…"),
            "{start}"
        );
    }
}
