//! What became of identifiers, as a report.

use biotide_common::BiotideError;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::ArrayWriter;

use super::super::actions::Params;
use super::super::compile::{Scope, quoted, text};
use super::super::spec::Step;
use super::cross_referenced::{CrossReferenced, cross_referenced};
use super::report::SinkReport;
use super::sinks::{of_file, write_plan};
use crate::error::Result;
use crate::rejects;
use crate::statement::Statement;

/// Of each column of identifiers, how many of those without a mapping are named.
const NAMED: usize = 20;

/// The dataset that is reported on; an error, if nothing is known of what became of identifiers in it.
pub(super) fn reported(scope: &Scope, step: &Step) -> Result<String> {
    let input = scope.input(&step.params, "input")?;
    fates(scope, &step.params, &input)?;
    Ok(input)
}

/// What became of identifiers: counts of a dataset's verdicts, hops and predicates, for each column that was
/// cross-referenced; and, but for tables, the most frequent identifiers that have no mapping.
pub(super) async fn report(scope: &Scope, step: &Step) -> Result<SinkReport> {
    let params = &step.params;
    let input = scope.input(params, "input")?;
    let path = params.needed("path")?;
    let fates = fates(scope, params, &input)?;
    let from = quoted(&input);
    let counts = counts(&fates, &from);
    let format = match params.text("format") {
        Some("auto") | None if path.ends_with(".md") => "markdown",
        Some("auto") | None if path.ends_with(".json") => "json",
        Some("auto") | None => "auto",
        Some(format) => format,
    };
    if !matches!(format, "json" | "markdown") {
        let plan = scope.plan(&counts).await?;
        let format = Some(format).filter(|format| *format != "auto");
        let report = write_plan(scope, path, format, plan, true).await?;
        return Ok(of_file(step, path, report));
    }
    let mut tables = Tables::new(scope, step, format);
    tables.add("counts", &counts).await?;
    let own = scope.columns(&input);
    for fate in fates.iter().filter(|fate| own.contains(&fate.id)) {
        let (cell, verdict, named) = (quoted(&fate.id), quoted(&fate.verdict), text(&fate.id));
        let sql = format!(
            "SELECT {named} AS \"column\", arrow_cast({cell}, 'Utf8') AS identifier, {verdict} AS verdict, count(*) AS rows \
             FROM {from} WHERE {verdict} IN ('unmapped', 'invalid', 'withdrawn') AND {cell} IS NOT NULL GROUP BY 2, 3 \
             ORDER BY rows DESC, identifier, verdict LIMIT {NAMED}"
        );
        tables.add("unmapped", &sql).await?;
    }
    tables.write(path)
}

/// What was cross-referenced, of the columns that a step asks for.
fn fates(scope: &Scope, params: &Params, input: &str) -> Result<Vec<CrossReferenced>> {
    let own = scope.columns(input);
    let mut fates = scope.dataset(input).map_or_else(Vec::new, cross_referenced);
    fates.retain(|fate| own.contains(&fate.verdict));
    if fates.is_empty() {
        let problem = format!(
            "{input} has no verdicts of a cross_reference: it is the output of none, or they were left out"
        );
        return Err(params.error("input", problem).into());
    }
    let wanted = scope.columns_of(input, params, "columns")?;
    let known: Vec<&str> = fates.iter().map(|fate| fate.id.as_str()).collect();
    if let Some(other) = wanted.iter().find(|id| !known.contains(&id.as_str())) {
        let problem = format!("{other} was not cross-referenced, but {}", known.join(", "));
        return Err(params.error("columns", problem).into());
    }
    if !wanted.is_empty() {
        fates.retain(|fate| wanted.contains(&fate.id));
    }
    Ok(fates)
}

/// How many rows each verdict, number of hops and predicate has: of each column, if there are several.
fn counts(fates: &[CrossReferenced], from: &str) -> String {
    let mut shown = vec!["verdict"];
    if fates.iter().any(|fate| fate.hops.is_some()) {
        shown.push("hops");
    }
    if fates.iter().any(|fate| fate.predicate.is_some()) {
        shown.push("predicate");
    }
    let counts = fates.iter().enumerate().map(|(n, fate)| {
        let own = shown.iter().map(|name| match *name {
            "verdict" => Some(&fate.verdict),
            "hops" => fate.hops.as_ref(),
            _ => fate.predicate.as_ref(),
        });
        let by: Vec<String> = own.clone().flatten().map(|name| quoted(name)).collect();
        let values = shown.iter().zip(own).map(|(name, own)| match own {
            Some(own) => format!("{} AS {name}", quoted(own)),
            None => format!("NULL AS {name}"),
        });
        format!(
            "SELECT {n} AS place, {} AS \"column\", {}, count(*) AS rows, \
             round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent FROM {from} GROUP BY {}",
            text(&fate.id),
            values.collect::<Vec<_>>().join(", "),
            by.join(", ")
        )
    });
    let counts: Vec<String> = counts.collect();
    let column = if fates.len() > 1 { "\"column\", " } else { "" };
    let shown = shown.join(", ");
    format!(
        "SELECT {column}{shown}, rows, percent FROM ({}) ORDER BY place, rows DESC, {shown}",
        counts.join(" UNION ALL ")
    )
}

/// A report in the making: tables of a few rows.
struct Tables<'a> {
    scope: &'a Scope,
    tables: Vec<(&'static str, Vec<RecordBatch>)>,
    report: SinkReport,
}

impl<'a> Tables<'a> {
    fn new(scope: &'a Scope, step: &Step, format: &str) -> Self {
        Self {
            scope,
            tables: Vec::new(),
            report: SinkReport::new(&step.name, "", format),
        }
    }

    async fn add(&mut self, name: &'static str, sql: &str) -> Result<()> {
        let plan = self.scope.plan(sql).await?;
        let mut state = self.scope.state.clone();
        let mut statement = Statement::new(self.scope.context.clone(), &mut state, plan);
        let rows = statement.collect().await;
        // (The first one counts: all read the same.)
        match self.tables.is_empty() {
            true => self.report.read(statement)?,
            false => {
                statement.finish()?;
            }
        }
        let rows = rows?;
        self.report.rows += rows.iter().map(|rows| rows.num_rows() as u64).sum::<u64>();
        self.tables.push((name, rows));
        Ok(())
    }

    fn write(self, path: &str) -> Result<SinkReport> {
        let writing = |error| BiotideError::io(format!("writing {path}"), error);
        let text = match self.report.format.as_str() {
            "json" => serde_json::to_string_pretty(&self.json()?)
                .map_err(|error| writing(error.into()))?,
            _ => self.markdown()?,
        };
        rejects::write(path, &text).map_err(writing)?;
        Ok(SinkReport {
            to: path.to_owned(),
            bytes: text.len() as u64,
            files: vec![path.to_owned()],
            ..self.report
        })
    }

    /// `{"counts": […], "unmapped": […]}`.
    fn json(&self) -> Result<serde_json::Value> {
        let mut document = serde_json::Map::new();
        for (name, rows) in &self.tables {
            let mut text = Vec::new();
            let mut writer = ArrayWriter::new(&mut text);
            writer.write_batches(&rows.iter().collect::<Vec<_>>())?;
            writer.finish()?;
            let rows: Vec<serde_json::Value> = match text.is_empty() {
                true => Vec::new(),
                false => serde_json::from_slice(&text)
                    .map_err(|error| BiotideError::io("writing a report", error.into()))?,
            };
            let all = document
                .entry(*name)
                .or_insert_with(|| Vec::<serde_json::Value>::new().into());
            if let serde_json::Value::Array(all) = all {
                all.extend(rows);
            }
        }
        Ok(document.into())
    }

    fn markdown(&self) -> Result<String> {
        let mut text = String::new();
        for (name, rows) in &self.tables {
            let rows = table(rows)?;
            if rows.is_empty() {
                continue;
            }
            text.push_str(match (text.is_empty(), *name) {
                (true, "counts") => "",
                (_, "counts") => "\n",
                _ => "\nThe most frequent identifiers without a mapping:\n\n",
            });
            text.push_str(&rows);
        }
        Ok(text)
    }
}

/// A table of Markdown; nothing, if it has no rows.
fn table(batches: &[RecordBatch]) -> Result<String> {
    use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
    let mut text = String::new();
    let Some(first) = batches.iter().find(|batch| batch.num_rows() > 0) else {
        return Ok(text);
    };
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let schema = first.schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    text.push_str(&line(names.collect()));
    text.push_str(&line(vec!["---".to_owned(); schema.fields().len()]));
    let options = FormatOptions::default();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter().map(|column| {
                let cell = column.value(row).to_string();
                cell.replace('|', "\\|").replace(['\n', '\r'], " ")
            });
            text.push_str(&line(cells.collect()));
        }
    }
    Ok(text)
}
