//! Files become datasets.

use biotide_common::options::BiotideOptions;
use biotide_formats::formats;
use biotide_formats::table::OpenTable;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlanBuilder, col};
use datafusion::prelude::Expr;

use super::super::actions::Params;
use super::words::{quoted, text};
use super::{Made, Scope, scope};
use crate::catalog::is_binary;
use crate::error::Result;

/// `load`.
pub(super) async fn load(scope: &Scope, params: &Params) -> Result<Made> {
    let mut options = BiotideOptions::default();
    let error_handling = &scope.streaming.error_handling;
    let goes_on = match params.is_given("continue_on_error") {
        true => params.boolean("continue_on_error"),
        false => error_handling
            .continue_on_error
            .or(params.boolean("continue_on_error")),
    };
    let on_error = if goes_on == Some(false) {
        "fail"
    } else {
        "reject"
    };
    options.set_table_text("on_error", on_error)?;
    for name in [
        "encoding",
        "delimiter",
        "quote",
        "comment",
        "skip_rows",
        "skip_empty",
        "strip_whitespace",
        "error_threshold",
        "header",
        "all_text",
        "metadata_columns",
    ] {
        set(&mut options, params, name, name)?;
    }
    for name in ["null_values", "key_columns"] {
        let list = params.texts(name);
        if !list.is_empty() {
            options
                .set_table_text(name, &list_of(&list))
                .map_err(|error| params.error(name, error))?;
        }
    }
    let plan = read(scope, params, "file_format", options).await?;
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

/// `load_dataset_identifiers`.
pub(super) async fn identifiers(scope: &Scope, params: &Params) -> Result<Made> {
    let mut options = BiotideOptions::default();
    options.set_table_text("metadata_columns", "true")?;
    options.set_table_text("skip_empty", "true")?;
    for (name, option) in [
        ("encoding", "encoding"),
        ("delimiter", "delimiter"),
        ("skip_header_rows", "skip_rows"),
        ("strip_whitespace", "strip_whitespace"),
    ] {
        set(&mut options, params, name, option)?;
    }
    let plan = read(scope, params, "file_type", options).await?.build()?;
    let file: Vec<&str> = params.texts("file_path");
    let key = "biotide_loaded";
    let own: Vec<String> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .filter(|name| name != "_line" && name != "_offset")
        .collect();
    let mut wanted: Vec<(String, Option<String>, bool, Option<String>)> = Vec::new();
    if let Some(column) = params.text("identifier_column") {
        wanted.push((
            column_of(&own, params, "identifier_column", column)?,
            None,
            true,
            None,
        ));
    }
    for item in params.items("column_mappings") {
        let column = column_of(&own, item, "column_name", item.needed("column_name")?)?;
        let separator = item.boolean("is_composite") == Some(true);
        wanted.push((
            column,
            item.text("identifier_type").map(str::to_owned),
            item.boolean("is_primary") == Some(true),
            separator.then(|| item.text("composite_separator").unwrap_or(",").to_owned()),
        ));
    }
    if wanted.is_empty() {
        let problem = "it names no identifier_column and no column_mappings";
        return Err(params.error("identifier_column", problem).into());
    }
    let kept: Vec<String> = match params.texts("metadata_columns").as_slice() {
        [] => own.clone(),
        some => {
            let mut kept: Vec<String> = wanted.iter().map(|(column, ..)| column.clone()).collect();
            for name in some {
                kept.push(column_of(&own, params, "metadata_columns", name)?);
            }
            kept
        }
    };
    let (mut columns, mut conditions, mut primary) = (Vec::new(), Vec::new(), Vec::new());
    for column in &kept {
        let name = quoted(column);
        let Some((_, namespace, is_primary, separator)) =
            wanted.iter().find(|(own, ..)| own == column)
        else {
            columns.push(name);
            continue;
        };
        let mut value = format!("nullif(btrim(arrow_cast({name}, 'Utf8')), '')");
        if let Some(prefix) = params.text("strip_prefix") {
            columns.push(format!(
                "{name} AS {}",
                quoted(&format!("{column}_original"))
            ));
            let prefix = text(prefix);
            value = format!(
                "CASE WHEN starts_with({value}, {prefix}) THEN substr({value}, length({prefix}) + 1) ELSE {value} END"
            );
        }
        if params.boolean("lowercase_ids") == Some(true) {
            value = format!("lower({value})");
        }
        if let Some(separator) = separator {
            value = format!("string_to_array({value}, {})", text(separator));
        }
        if *is_primary {
            primary.push(name.clone());
            if params.boolean("drop_empty_ids") != Some(false) {
                conditions.push(format!("{value} IS NOT NULL"));
            }
        }
        if let (Some(namespace), None, Some(true)) =
            (namespace, separator, params.boolean("validate_format"))
        {
            conditions.push(format!(
                "({value} IS NULL OR id_is_valid({}, {value}))",
                text(namespace)
            ));
        }
        columns.push(format!("{value} AS {name}"));
    }
    if let Some(column) = params.text("filter_column") {
        let column = quoted(&column_of(&own, params, "filter_column", column)?);
        let any: Vec<String> = params
            .texts("filter_values")
            .into_iter()
            .map(|pattern| {
                format!(
                    "regexp_like(arrow_cast({column}, 'Utf8'), {})",
                    text(pattern)
                )
            })
            .collect();
        if any.is_empty() {
            return Err(params
                .error("filter_values", "filter_column needs some")
                .into());
        }
        let any = format!("coalesce({}, false)", any.join(" OR "));
        conditions.push(match params.text("filter_mode") {
            Some("exclude") => format!("NOT {any}"),
            _ => any,
        });
    }
    columns.push("_line AS _row_number".to_owned());
    columns.push(format!("{} AS _source_file", text(&file.join(", "))));
    let condition = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let from = quoted(key);
    let mut sql = format!("SELECT {} FROM {from}{condition}", columns.join(", "));
    if params.boolean("unique_only") == Some(true) && !primary.is_empty() {
        let by = primary.join(", ");
        sql = format!(
            "SELECT * EXCEPT (__place) FROM (SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY _row_number) \
             AS __place FROM ({sql})) WHERE __place = 1"
        );
    }
    let view = datafusion::catalog::view::ViewTable::new(plan, None);
    let session = scope.session();
    session.register_table(key, std::sync::Arc::new(view))?;
    let planned = scope.plan(&sql).await;
    session.deregister_table(key)?;
    Ok(Made::Plan(Box::new(planned?)))
}

/// The table of a step's files.
async fn read(
    scope: &Scope,
    params: &Params,
    format: &str,
    options: BiotideOptions,
) -> Result<LogicalPlanBuilder> {
    let paths = params.texts("file_path");
    let format = params.text(format).filter(|format| *format != "auto");
    let is_text = |path: &&str| formats::by_path(path).is_some() || !is_binary(path);
    if format == Some("parquet") || format.is_none() && !paths.iter().all(is_text) {
        let [path] = paths.as_slice() else {
            let problem = "several files to one dataset must all be text; use a glob";
            return Err(params.error("file_path", problem).into());
        };
        let plan = scope.plan(&format!("SELECT * FROM {}", text(path))).await?;
        return Ok(LogicalPlanBuilder::from(plan));
    }
    let mut options = options;
    reader_options(
        scope,
        params,
        format.or_else(|| ending(&paths)),
        &mut options,
    )?;
    streaming_options(scope, &mut options)?;
    let table = OpenTable {
        locations: paths.iter().map(|path| (*path).to_owned()).collect(),
        format: format.map(str::to_owned),
        options,
        ..OpenTable::default()
    };
    let table = table.open(&scope.state).await?;
    let source = provider_as_source(table);
    Ok(LogicalPlanBuilder::scan("loaded", source, None)?)
}

/// What `streaming:` says of reading.
fn streaming_options(scope: &Scope, options: &mut BiotideOptions) -> Result<()> {
    let streaming = &scope.streaming;
    let most = streaming.error_handling.max_errors_per_chunk;
    let mut set = |name: &str, value: Option<String>| match value {
        Some(value) => options.set_table_text(name, &value),
        None => Ok(()),
    };
    set("chunk_rows", Some(scope.pace.chunk_rows.to_string()))?;
    set("max_errors_per_chunk", most.map(|most| most.to_string()))?;
    for (name, value) in [
        ("max_concurrent_chunks", streaming.max_concurrent_chunks),
        ("backpressure_threshold", streaming.backpressure_threshold),
    ] {
        set(name, value.map(|value| value.to_string()))?;
    }
    Ok(())
}

/// What `streaming.file_readers` says of a format, where the step does not.
fn reader_options(
    scope: &Scope,
    params: &Params,
    format: Option<&str>,
    options: &mut BiotideOptions,
) -> Result<()> {
    let Some((_, reader)) = scope
        .streaming
        .file_readers
        .iter()
        .find(|(name, _)| Some(name.as_str()) == format)
    else {
        return Ok(());
    };
    for (name, value) in [
        ("encoding", &reader.encoding),
        ("delimiter", &reader.delimiter),
        ("quote", &reader.quote_char),
    ] {
        let given = params.is_given(name);
        if let (false, Some(value)) = (given, value) {
            options.set_table_text(name, value)?;
        }
    }
    Ok(())
}

fn ending<'a>(paths: &[&'a str]) -> Option<&'a str> {
    let path = paths.first()?;
    let bare = path.strip_suffix(".gz").unwrap_or(path);
    bare.rsplit_once('.').map(|(_, ending)| ending)
}

/// Sets an option by a parameter that was given.
fn set(options: &mut BiotideOptions, params: &Params, name: &str, option: &str) -> Result<()> {
    let Some(value) = params.tree(name).and_then(|tree| tree.as_scalar()) else {
        return Ok(());
    };
    let set = options.set_table_text(option, &value.text);
    Ok(set.map_err(|error| params.error(name, error))?)
}

/// A list as options take it.
fn list_of(list: &[&str]) -> String {
    let item = |item: &&str| format!("\"{}\"", item.replace('"', "\"\""));
    list.iter().map(item).collect::<Vec<_>>().join(",")
}

fn column_of(own: &[String], params: &Params, name: &str, wanted: &str) -> Result<String> {
    scope::column_of(own, "the file", params, name, wanted)
}

fn columns(plan: &LogicalPlanBuilder, params: &Params, wanted: &[&str]) -> Result<Vec<Expr>> {
    let own: Vec<String> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mut found = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let column = column_of(&own, params, "columns", wanted)?;
        found.push(col(Column::from_name(column)));
    }
    Ok(found)
}
