//! What is wrong with where a step writes to, as far as that is known before anything runs.

use std::path::Path;

use biotide_common::BiotideError;
use biotide_database::{DatabaseTable, DatabaseTarget, is_database};
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;

use super::super::actions::Params;
use super::super::compile::{Scope, placed};
use super::super::spec::{Pipeline, Step};
use super::cache;
use super::{RunOptions, RunState};
use crate::convert::{Output, split_ending};
use crate::error::Result;
use crate::parts::check_replaceable;
use crate::rejects::obstacle;

/// Refuses a pipeline of which a step that must succeed cannot write what it is to write. What depends on columns is
/// told by the step itself.
pub(super) async fn check_all(
    scope: &Scope,
    pipeline: &Pipeline,
    options: &RunOptions,
    state: Option<&RunState>,
) -> Result<()> {
    for step in pipeline.running().filter(|step| step.is_required) {
        let has_begun = has_begun(step, options, state);
        let checked = check(scope, step, has_begun).await;
        checked.map_err(|error| placed(step, error))?;
    }
    Ok(())
}

/// Whether a sink has written something in the run that is resumed.
pub(super) fn has_begun(step: &Step, options: &RunOptions, state: Option<&RunState>) -> bool {
    let state = state.filter(|_| options.resume);
    state.is_some_and(|state| state.has(&step.name))
}

async fn check(scope: &Scope, step: &Step, has_begun: bool) -> Result<()> {
    let params = &step.params;
    let writable = |name: &str, path: &str, format: Option<&str>| {
        let is_made_here = match format {
            Some(format) => matches!(format, "json" | "markdown"),
            None => path.to_ascii_lowercase().ends_with(".json"),
        };
        if !is_made_here {
            is_format(params, name, &output(path, format), &scope.state)?;
            // (It may be an object of a store, or a folder of parts.)
            if path.contains("://") || path.ends_with('/') {
                return Ok(());
            }
        }
        has_place(params, name, path)
    };
    match step.action.name {
        "sink" => {
            let to = params.needed("to")?;
            match is_database(to) {
                true => vacant_table(&table(params, to)?, params, has_begun).await,
                false => {
                    let (output, replaces) = file(params, to, &scope.state)?;
                    vacant_file(&output, replaces || has_begun)
                }
            }
        }
        "report" => {
            let path = params.needed("path")?;
            match params.text("format").filter(|format| *format != "auto") {
                None if path.ends_with(".md") => has_place(params, "path", path),
                format => writable("path", path, format),
            }
        }
        "validate" => match params.text("report_path") {
            Some(path) => writable("report_path", path, None),
            None => Ok(()),
        },
        "cache" => cache::check(params),
        _ => Ok(()),
    }
}

fn output(path: &str, format: Option<&str>) -> Output {
    Output {
        path: path.to_owned(),
        format: format.map(str::to_owned),
        partition_by: Vec::new(),
        compression: None,
    }
}

/// The file, or folder, that a sink writes to, not yet with its partitions; and whether it replaces what is there.
pub(super) fn file(params: &Params, to: &str, state: &SessionState) -> Result<(Output, bool)> {
    refuse(
        params,
        &["key", "transaction", "create"],
        "a table of a database, and this is a file",
    )?;
    let replaces = match params.text("mode") {
        Some("replace") => true,
        Some(mode @ ("append" | "upsert")) => {
            let problem =
                format!("{mode} is for tables of databases: a file is replaced, or a new one");
            return Err(params.error("mode", problem).into());
        }
        _ => false,
    };
    let output = Output {
        compression: compression(params, to)?,
        ..output(to, format_of(params).as_deref())
    };
    is_format(params, "to", &output, state)?;
    Ok((output, replaces))
}

/// Refuses a format that is none: where the step names it, or the path, by the parameter `name`, whose ending it is.
fn is_format(params: &Params, name: &str, output: &Output, state: &SessionState) -> Result<()> {
    let Err(error) = output.format(state) else {
        return Ok(());
    };
    let problem = match error.as_biotide() {
        Some(BiotideError::Option { value, problem, .. }) => format!("'{value}' {problem}"),
        Some(BiotideError::File { problem, .. }) => problem.clone(),
        _ => error.to_string(),
    };
    let names_it = output.format.is_some() && params.is_given("format");
    let name = if names_it { "format" } else { name };
    Err(params.error(name, problem).into())
}

/// Refuses a file that cannot be written where it is wanted.
pub(super) fn has_place(params: &Params, name: &str, path: &str) -> Result<()> {
    match obstacle(path) {
        Some(problem) => Err(params.error(name, problem).into()),
        None => Ok(()),
    }
}

/// Refuses a file that is there, and is not to be replaced.
pub(super) fn vacant_file(output: &Output, replaces: bool) -> Result<()> {
    let local = !output.path.contains("://");
    if local && !replaces && Path::new(&output.path).exists() {
        let problem = "it is there already; mode: replace replaces it";
        return Err(BiotideError::file(&output.path, problem).into());
    }
    let target = Path::new(&output.path);
    match local && target.is_dir() {
        true => check_replaceable(target),
        false => Ok(()),
    }
}

/// The table of a database that a sink writes to.
pub(super) fn table(params: &Params, to: &str) -> Result<DatabaseTarget> {
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
    } else if params.texts("key").is_empty() {
        let problem = "mode: upsert needs it: the columns that tell rows apart";
        return Err(params.error("key", problem).into());
    }
    Ok(target)
}

/// Refuses a table that is there, if nothing says what becomes of it.
pub(super) async fn vacant_table(
    target: &DatabaseTarget,
    params: &Params,
    has_begun: bool,
) -> Result<()> {
    if has_begun || matches!(params.text("mode"), Some("append" | "replace" | "upsert")) {
        return Ok(());
    }
    let exists = DatabaseTable::exists(target).await;
    if exists.map_err(DataFusionError::from)? {
        let problem = format!(
            "{target} is there already: mode: append, replace or upsert says what becomes of it"
        );
        return Err(params.error("mode", problem).into());
    }
    Ok(())
}

/// Refuses parameters that say nothing of this sink.
fn refuse(params: &Params, names: &[&str], of: &str) -> Result<()> {
    match names.iter().find(|name| params.is_given(name)) {
        Some(name) => Err(params.error(name, format!("it is of {of}")).into()),
        None => Ok(()),
    }
}

/// How the file is compressed.
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
        (Some("csv" | "tsv" | "jsonl"), other) => {
            let problem = format!("{other} is not how this format is compressed: gzip, or none");
            Err(params.error("compression", problem).into())
        }
        _ => {
            let problem = "files of this format are written as they are: leave it out, or none";
            Err(params.error("compression", problem).into())
        }
    }
}

/// The format that a step names.
pub(super) fn format_of(params: &Params) -> Option<String> {
    let named = params.text("format").filter(|format| *format != "auto");
    named.map(str::to_owned)
}
