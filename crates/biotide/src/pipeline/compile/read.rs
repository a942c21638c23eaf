//! The files of a step that reads, or its table of a database.

use std::fmt::Display;
use std::io::Read;
use std::path::Path;

use biotide_common::options::BiotideOptions;
use biotide_database::{DatabaseTarget, is_database};
use biotide_formats::formats::{self, json_lines::JsonLines};
use biotide_formats::spec::FormatSpec;
use biotide_formats::table::OpenTable;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::ParquetReadOptions;

use super::super::actions::Params;
use super::super::spec::FileReader;
use super::Scope;
use super::scope::refused;
use super::words::text;
use crate::catalog::{FileReaders, is_binary};
use crate::error::Result;
use crate::resumable::FilesBeside;

/// How a step reads.
#[derive(Debug, Default)]
pub(super) struct Reading<'a> {
    /// The parameter that names the format.
    pub(super) format: &'a str,
    /// What is said of text.
    pub(super) options: BiotideOptions,
    /// The parameters that are of text files only.
    pub(super) of_text: &'a [&'a str],
    /// Of these, those that are of delimited text only.
    pub(super) of_delimited: &'a [&'a str],
    /// Of text: columns of these names tell the file of a row, its line and its offset.
    pub(super) places: Option<[&'a str; 3]>,
}

/// What was read.
pub(super) struct Loaded {
    pub(super) rows: LogicalPlanBuilder,
    /// Whether the files are text, in which rows have lines.
    pub(super) is_text: bool,
}

/// The table of a step's files.
pub(super) async fn read(scope: &Scope, params: &Params, reading: Reading<'_>) -> Result<Loaded> {
    let paths = params.texts("file_path");
    let stated = params
        .text(reading.format)
        .filter(|format| *format != "auto");
    if paths.iter().any(|path| is_database(path)) {
        let rows = database(scope, params, &reading, &paths, stated).await?;
        return Ok(Loaded {
            rows,
            is_text: false,
        });
    }
    let is_text = |path: &&str| formats::by_path(path).is_some() || !is_binary(path);
    if stated == Some("parquet") || stated.is_none() && !paths.iter().all(is_text) {
        let rows = binary(scope, params, &reading, &paths, stated).await?;
        return Ok(Loaded {
            rows,
            is_text: false,
        });
    }
    let mut options = reading.options;
    reader_options(scope, params, stated, &paths, &mut options)?;
    options.chunk_rows = Some(scope.pace.chunk_rows);
    let places = reading.places.map(|names| names.map(str::to_owned));
    if places.is_some() {
        options.metadata_columns = Some(true);
    }
    let (file_column, place_columns) = match places {
        Some([file, line, offset]) => (Some(file), Some([line, offset])),
        None => (None, None),
    };
    let table = OpenTable {
        locations: paths.iter().map(|path| (*path).to_owned()).collect(),
        format: stated.map(str::to_owned),
        options,
        file_column,
        place_columns,
        rows_of_all: true,
        ..OpenTable::default()
    };
    let table = table.open(&scope.state).await?;
    // (Only now it is certain, of a folder or a glob.)
    if table.format() == JsonLines.name() {
        let path = paths.join(", ");
        let problem = format!("it is for delimited text, and '{path}' is JSON Lines; leave it out");
        refuse_given(params, reading.of_delimited, &problem)?;
    }
    let source = provider_as_source(table);
    Ok(Loaded {
        rows: LogicalPlanBuilder::scan("loaded", source, None)?,
        is_text: true,
    })
}

/// Files of Parquet or Arrow.
async fn binary(
    scope: &Scope,
    params: &Params,
    reading: &Reading<'_>,
    paths: &[&str],
    stated: Option<&str>,
) -> Result<LogicalPlanBuilder> {
    let [path] = paths else {
        let problem = "several files to one dataset must all be text; use a glob";
        return Err(refused(params, "file_path", problem));
    };
    refuse_of_text(params, reading, path)?;
    if stated.is_none() || is_binary(path) {
        return queried(scope, path).await;
    }
    if is_no_parquet(path) {
        let problem = format!("'{path}' is no Parquet file");
        return Err(refused(params, reading.format, problem));
    }
    FilesBeside::note(&scope.state, path);
    let any_name = ParquetReadOptions {
        file_extension: "",
        ..ParquetReadOptions::default()
    };
    let frame = scope.session().read_parquet(*path, any_name).await?;
    Ok(LogicalPlanBuilder::from(frame.into_unoptimized_plan()))
}

/// A table of a database, as a query reads it.
async fn database(
    scope: &Scope,
    params: &Params,
    reading: &Reading<'_>,
    paths: &[&str],
    stated: Option<&str>,
) -> Result<LogicalPlanBuilder> {
    let [path] = paths else {
        let problem = "a table of a database is a dataset of its own: load it in a step by itself";
        return Err(refused(params, "file_path", problem));
    };
    // (It is shown without its password.)
    let target = DatabaseTarget::parse(path).map_err(|error| params.error("file_path", error))?;
    if stated.is_some() {
        let problem = format!("it is for files, and '{target}' is a table of a database");
        return Err(refused(params, reading.format, problem));
    }
    refuse_of_text(params, reading, &target)?;
    queried(scope, path).await
}

/// What a query makes of a path.
async fn queried(scope: &Scope, path: &str) -> Result<LogicalPlanBuilder> {
    let plan = scope.plan(&format!("SELECT * FROM {}", text(path))).await?;
    Ok(LogicalPlanBuilder::from(plan))
}

/// Refuses what is said of text files only, where something else is read.
fn refuse_of_text(params: &Params, reading: &Reading<'_>, read: &dyn Display) -> Result<()> {
    let problem = format!("it is for text files, and '{read}' is none; leave it out");
    refuse_given(params, reading.of_text, &problem)
}

/// Refuses parameters that say nothing of what is read. (What is switched off is as it is.)
fn refuse_given(params: &Params, names: &[&str], problem: &str) -> Result<()> {
    let asks = |name: &&&str| params.is_given(name) && params.boolean(name) != Some(false);
    match names.iter().find(asks) {
        Some(name) => Err(refused(params, name, problem)),
        None => Ok(()),
    }
}

/// What a step reads, as it may be shown: databases without their passwords.
pub(super) fn shown(paths: &[&str]) -> String {
    let shown = paths.iter().map(|path| match DatabaseTarget::parse(path) {
        Ok(target) => target.to_string(),
        // (A file.)
        Err(_) => (*path).to_owned(),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// Whether a local file begins as no Parquet file does. What cannot be looked at so is told when it is read.
fn is_no_parquet(path: &str) -> bool {
    let mut head = [0; 4];
    let mut read = || std::fs::File::open(Path::new(path))?.read_exact(&mut head);
    read().is_ok() && head != *b"PAR1"
}

/// What `streaming.file_readers` says of a format, where the step does not.
fn reader_options(
    scope: &Scope,
    params: &Params,
    stated: Option<&str>,
    paths: &[&str],
    options: &mut BiotideOptions,
) -> Result<()> {
    // (What its name tells nothing of is read as such a file is.)
    let by_name = || paths.first().and_then(|path| formats::by_path(path));
    let format = match stated {
        Some(stated) => stated,
        None => by_name().map_or("tsv", |format| format.name()),
    };
    let readers = &scope.streaming.file_readers;
    if let Some((_, reader)) = readers.iter().find(|(name, _)| name == format) {
        set_reader(reader, options, |name| !params.is_given(name))?;
    }
    Ok(())
}

/// What `streaming.file_readers` says of each format, for files that a query names.
pub(super) fn file_readers(scope: &Scope) -> Result<FileReaders> {
    let mut known = FileReaders::default();
    for (format, reader) in &scope.streaming.file_readers {
        let mut options = BiotideOptions::default();
        set_reader(reader, &mut options, |_| true)?;
        known.0.push((format.clone(), options));
    }
    Ok(known)
}

fn set_reader(
    reader: &FileReader,
    options: &mut BiotideOptions,
    is_free: impl Fn(&str) -> bool,
) -> Result<()> {
    for (name, value) in [
        ("encoding", &reader.encoding),
        ("delimiter", &reader.delimiter),
        ("quote", &reader.quote_char),
    ] {
        if let Some(value) = value.as_ref().filter(|_| is_free(name)) {
            options.set_table_text(name, value)?;
        }
    }
    Ok(())
}

/// Sets an option by a parameter that was given.
pub(super) fn set(
    options: &mut BiotideOptions,
    params: &Params,
    name: &str,
    option: &str,
) -> Result<()> {
    let Some(value) = params.tree(name).and_then(|tree| tree.as_scalar()) else {
        return Ok(());
    };
    let set = options.set_table_text(option, &value.text);
    Ok(set.map_err(|error| params.error(name, error))?)
}

/// A list as options take it.
pub(super) fn list_of(list: &[&str]) -> String {
    let item = |item: &&str| format!("\"{}\"", item.replace('"', "\"\""));
    list.iter().map(item).collect::<Vec<_>>().join(",")
}
