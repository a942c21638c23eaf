//! Files become datasets.

use biotide_common::options::BiotideOptions;
use datafusion::common::Column;
use datafusion::logical_expr::{LogicalPlanBuilder, col};
use datafusion::prelude::Expr;

use super::super::actions::Params;
use super::read::{Reading, list_of, read, set};
use super::scope::{column_of, once};
use super::{Made, Scope};
use crate::error::Result;

/// What is said of text files only.
const OF_TEXT: &[&str] = &[
    "encoding",
    "delimiter",
    "quote",
    "comment",
    "header",
    "skip_rows",
    "skip_empty",
    "key_columns",
    "strip_whitespace",
    "null_values",
    "all_text",
    "metadata_columns",
];

/// Of these, what is said of delimited text only: JSON Lines have names, and one way to write them.
const OF_DELIMITED: &[&str] = &["delimiter", "quote", "comment", "header", "skip_rows"];

/// `load`.
pub(super) async fn load(scope: &Scope, params: &Params) -> Result<Made> {
    let mut options = BiotideOptions::default();
    // (What no step says the session does, which knows what the pipeline says of all.)
    if params.is_given("continue_on_error") {
        let on_error = match params.boolean("continue_on_error") {
            Some(false) => "fail",
            _ => "reject",
        };
        options.set_table_text("on_error", on_error)?;
    }
    for name in [
        "encoding",
        "delimiter",
        "quote",
        "comment",
        "skip_rows",
        "skip_empty",
        "strip_whitespace",
        "header",
        "all_text",
        "metadata_columns",
    ] {
        set(&mut options, params, name, name)?;
    }
    // (The reader itself ends with the last row, so that no row behind it is judged.)
    options.max_rows = params.size("max_rows");
    // (A default is not judged of few records; what is asked for is.)
    if params.is_given("error_threshold") {
        set(&mut options, params, "error_threshold", "error_threshold")?;
    }
    for name in ["null_values", "key_columns"] {
        let list = params.texts(name);
        if !list.is_empty() {
            options
                .set_table_text(name, &list_of(&list))
                .map_err(|error| params.error(name, error))?;
        }
    }
    let reading = Reading {
        format: "file_format",
        options,
        of_text: OF_TEXT,
        of_delimited: OF_DELIMITED,
        places: None,
    };
    let plan = read(scope, params, reading).await?.rows;
    let plan = match params.texts("columns").as_slice() {
        [] => plan,
        wanted => {
            let columns = columns(&plan, params, wanted)?;
            plan.project(columns)?
        }
    };
    let plan = match params.size("max_rows") {
        Some(rows) => plan.limit(0, Some(rows))?,
        None => plan,
    };
    Ok(Made::Plan(Box::new(plan.build()?)))
}

fn columns(plan: &LogicalPlanBuilder, params: &Params, wanted: &[&str]) -> Result<Vec<Expr>> {
    let own: Vec<String> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let found = wanted.iter();
    let found = found.map(|wanted| column_of(&own, "the file", params, "columns", wanted));
    let found = found.collect::<Result<Vec<_>>>()?;
    once(params, "columns", &found)?;
    let columns = found.into_iter();
    Ok(columns
        .map(|column| col(Column::from_name(column)))
        .collect())
}
