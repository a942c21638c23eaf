//! What became of identifiers, as a report.

use biotide_common::BiotideError;
use datafusion::arrow::array::RecordBatch;

use super::super::compile::Scope;
use super::super::spec::Step;
use super::report::SinkReport;
use super::sinks::{of_file, write_plan};
use crate::error::Result;
use crate::statement::Statement;

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
        rows: rows.iter().map(|batch| batch.num_rows() as u64).sum(),
        bytes: text.len() as u64,
        files: vec![path.to_owned()],
        rejected: scan.rejected,
        memory,
        scan,
        ..SinkReport::new(&step.name, path, "markdown")
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
