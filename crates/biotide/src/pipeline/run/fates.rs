//! What became of identifiers, as a report.

use biotide_common::BiotideError;
use biotide_exec::xref::XrefNode;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::ArrayWriter;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::super::compile::{Scope, quoted, text};
use super::super::spec::Step;
use super::report::SinkReport;
use super::sinks::{of_file, write_plan};
use crate::error::Result;
use crate::mapping::lateral::node;
use crate::statement::Statement;

/// Of each column of identifiers, how many of those without a mapping are named.
const NAMED: usize = 20;

/// The dataset that is reported on; an error, if nothing is known of what became of identifiers in it.
pub(super) fn reported(scope: &Scope, step: &Step) -> Result<String> {
    let params = &step.params;
    let input = scope.input(params, "input")?;
    scope.columns_of(&input, params, "columns")?;
    let mut columns = scope.columns(&input).into_iter();
    if !columns.any(|column| column == "verdict") {
        let problem =
            format!("{input} has no column verdict: it is the output of no cross_reference");
        return Err(params.error("input", problem).into());
    }
    Ok(input)
}

/// What became of identifiers: counts of a dataset's verdicts, hops and predicates; and, but for tables, the most
/// frequent identifiers that have no mapping.
pub(super) async fn report(scope: &Scope, step: &Step) -> Result<SinkReport> {
    let params = &step.params;
    let input = reported(scope, step)?;
    let path = params.needed("path")?;
    let columns = scope.columns(&input);
    let is_there = |wanted: &str| columns.iter().any(|column| column == wanted);
    let by = ["verdict", "hops", "predicate"].into_iter();
    let by = by.filter(|name| is_there(name)).collect::<Vec<_>>();
    let by = by.join(", ");
    let from = quoted(&input);
    let counts = format!(
        "SELECT {by}, count(*) AS rows, round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent FROM {from} \
         GROUP BY {by} ORDER BY rows DESC, {by}"
    );
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
    let mut ids = scope.columns_of(&input, params, "columns")?;
    if ids.is_empty() {
        ids = scope
            .dataset(&input)
            .map_or_else(Vec::new, cross_referenced);
        ids.retain(|id| is_there(id));
    }
    for id in &ids {
        let (cell, named) = (quoted(id), text(id));
        let sql = format!(
            "SELECT {named} AS \"column\", arrow_cast({cell}, 'Utf8') AS identifier, verdict, count(*) AS rows \
             FROM {from} WHERE verdict IN ('unmapped', 'invalid', 'withdrawn') AND {cell} IS NOT NULL GROUP BY 2, 3 \
             ORDER BY rows DESC, identifier, verdict LIMIT {NAMED}"
        );
        tables.add("unmapped", &sql).await?;
    }
    tables.write(path)
}

/// The columns that a plan cross-references.
fn cross_referenced(plan: &LogicalPlan) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // (The closure cannot fail.)
    let _ = plan.apply_with_subqueries(|plan| {
        let node: Option<&XrefNode> = match plan {
            LogicalPlan::Extension(extension) => node(extension),
            _ => None,
        };
        if let Some(XrefNode {
            id: Expr::Column(column),
            ..
        }) = node
            && !found.contains(&column.name)
        {
            found.push(column.name.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
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
        std::fs::write(path, &text).map_err(writing)?;
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
