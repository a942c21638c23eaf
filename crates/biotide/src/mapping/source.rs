//! Where statements come from: `sssom(…)`, `pairs(…)`, `columns(…)`, `idmapping(…)`, a file, a table, a query.
//!
//! Each becomes queries whose columns are those of statements.

use std::path::Path;

use biotide_common::BiotideError;
use biotide_exec::catalog::is_stored;
use biotide_formats::formats;
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{ObjectName, TableAlias, TableFactor};
use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;

use super::call::{Call, call};
use super::cells::Cells;
use super::denials::Own;
use super::globs;
use super::several::{Objects, Several};
use super::tables::{Named, Tables};
use crate::catalog::is_binary;
use crate::statement::functions::called;

/// How sources are called.
pub(crate) const SYNTAX: &str = "a mapping is made from sssom('file', negatives => 'file'), pairs('file', subject => 'column', object => \
     'column', …), columns('file', subject => 'column=prefix', objects => ['column=prefix', …], …), idmapping('file'), a file, \
     a table, or (a query)";

/// A query whose columns are those of statements, and what it reads.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) sql: String,
    /// The column of confidences of a file, which is read as text: what is none must not be as if nobody had said any.
    pub(super) with_texts: Option<String>,
    /// The file that it is of, where its columns are those of the file.
    pub(super) own: Option<Own>,
    pub(super) origin: String,
    /// What the statements say, or deny.
    pub(super) negated: bool,
    pub(super) columns: Columns,
    /// Columns of objects, of which it has several.
    pub(super) several: Option<Several>,
    /// The form that its file has by what was said of it, and no other.
    pub(super) form: Option<&'static str>,
    /// Where statements are from, and its release, as the source of them says: a text, or `column:name`.
    pub(super) stated: [Option<String>; 2],
}

/// Which columns of a query are what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Columns {
    /// By the names that they usually have.
    Usual,
    /// They have the names of statements.
    Named {
        /// How subjects are written.
        subject: Cells,
        /// How objects are.
        object: Cells,
    },
}

/// The queries of a source: of several files each has its own.
pub(super) async fn parts(
    factor: &TableFactor,
    tables: &Tables<'_>,
) -> Result<Vec<Part>, BiotideError> {
    let renames = check(factor)?;
    match factor {
        TableFactor::Table {
            name,
            args: Some(args),
            ..
        } if is_source(name) => {
            let mut source = call(called(name), args, tables)?;
            source.find_files(tables.state).await;
            source.parts()
        }
        _ if renames => Ok(vec![of_query(
            format!("SELECT * FROM {factor}"),
            &origin(factor),
        )]),
        TableFactor::Table {
            name, args: None, ..
        } => Ok(match tables.named(name)? {
            Named::Table(table) => {
                let sql = format!("SELECT * FROM {table}");
                vec![of_query(sql, &path_of(name))]
            }
            Named::Path(path) => of_paths(tables.state, &path).await,
        }),
        TableFactor::Derived { subquery, .. } => {
            Ok(vec![of_query(subquery.to_string(), "a query")])
        }
        other => {
            let origin = other.to_string();
            Ok(vec![of_query(format!("SELECT * FROM {other}"), &origin)])
        }
    }
}

/// What a table or a query is called.
fn origin(factor: &TableFactor) -> String {
    match factor {
        TableFactor::Table { name, .. } => path_of(name),
        TableFactor::Derived { .. } => "a query".to_owned(),
        other => other.to_string(),
    }
}

/// Whether a source gives its columns other names. Fails if it has a part that nothing would be made of.
fn check(factor: &TableFactor) -> Result<bool, BiotideError> {
    let refused = |problem: &str| {
        Err(BiotideError::Option {
            key: "CREATE MAPPING".to_owned(),
            value: factor.to_string(),
            problem: problem.to_owned(),
        })
    };
    let renames = |alias: &Option<TableAlias>| {
        let columns = alias.iter().flat_map(|alias| &alias.columns);
        columns.count() > 0
    };
    match factor {
        TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
        } => {
            let is_plain = with_hints.is_empty()
                && version.is_none()
                && !with_ordinality
                && partitions.is_empty()
                && json_path.is_none()
                && sample.is_none()
                && index_hints.is_empty();
            match renames(alias) {
                _ if !is_plain => refused(
                    "is more than the name of a table, a file or a function: (SELECT … FROM …) takes a part of its rows",
                ),
                true if args.is_some() && is_source(name) => refused(
                    "has other names for its columns: arguments such as subject => 'column' say which are what",
                ),
                renames => Ok(renames),
            }
        }
        TableFactor::Derived {
            lateral,
            alias,
            sample,
            ..
        } => match *lateral || sample.is_some() {
            true => refused("is more than a query in parentheses"),
            false => Ok(renames(alias)),
        },
        _ => Ok(false),
    }
}

/// What has the usual columns, and is not read from a file by us.
pub(super) fn of_query(sql: String, origin: &str) -> Part {
    Part {
        sql,
        with_texts: None,
        own: None,
        origin: origin.to_owned(),
        negated: false,
        columns: Columns::Usual,
        several: None,
        form: None,
        stated: [None, None],
    }
}

/// The queries of the files of a path, a glob or a folder.
pub(super) async fn of_paths(state: &SessionState, path: &str) -> Vec<Part> {
    let files = globs::files(state, path).await;
    files.iter().map(|file| of_path(file)).collect()
}

/// The query of a path.
pub(super) fn of_path(path: &str) -> Part {
    of_file(Own {
        path: path.to_owned(),
        ..Own::default()
    })
}

/// The query of a file that has the usual columns, or of a stored mapping.
fn of_file(file: Own) -> Part {
    let path = file.path.clone();
    if is_stored(Path::new(&path)) {
        let sql = format!("SELECT * FROM mapping_edges({})", text(&path));
        return of_query(sql, &path);
    }
    let sql = file.query();
    Part {
        with_texts: as_text(&file.options, "confidence"),
        own: Some(file),
        ..of_query(sql, &path)
    }
}

/// Whether a name is that of a file: a bare word is a table's.
pub(super) fn is_path(name: &str) -> bool {
    name.contains(['.', '/', '\\', '*'])
}

/// The path or the name that a table's name is.
pub(super) fn path_of(name: &ObjectName) -> String {
    match name.0.as_slice() {
        [part] => match part.as_ident() {
            Some(ident) if ident.quote_style.is_some() => ident.value.clone(),
            _ => name.to_string(),
        },
        _ => name.to_string(),
    }
}

fn is_source(name: &ObjectName) -> bool {
    matches!(
        called(name).as_str(),
        "sssom" | "pairs" | "columns" | "idmapping"
    )
}

impl Call {
    fn parts(&self) -> Result<Vec<Part>, BiotideError> {
        match self.function.as_str() {
            "sssom" => self.sssom(),
            "pairs" => self.pairs(),
            "columns" => self.columns(),
            _ => self.idmapping(),
        }
    }

    fn sssom(&self) -> Result<Vec<Part>, BiotideError> {
        let stated = ["source", "release"].map(|name| self.one(name).map(str::to_owned));
        let denied = self.named.get("negatives").into_iter().flatten();
        let said = self.paths.iter().map(|path| (path, false));
        let all = said.chain(denied.map(|path| (path, true)));
        let part = |(path, negated): (&String, bool)| Part {
            negated,
            stated: stated.clone(),
            ..of_file(self.file(path, Some("sssom")))
        };
        Ok(all.map(part).collect())
    }

    /// Two columns, each of CURIEs or of one namespace.
    fn pairs(&self) -> Result<Vec<Part>, BiotideError> {
        let denied = self.named.get("negatives").into_iter().flatten();
        let all = self
            .paths
            .iter()
            .map(|path| (path, false))
            .chain(denied.map(|path| (path, true)));
        let usual_columns = !self.named.keys().any(|name| name != "negatives");
        let column = |name: &str, prefix: &str, default: &'static str| {
            let (column, own) = split(self.one(name).unwrap_or(default));
            (quoted(column), Cells::of(own.or(self.one(prefix))))
        };
        let (subject, subjects) = column("subject", "subject_prefix", "subject_id");
        let (object, objects) = column("object", "object_prefix", "object_id");
        let others = self.others();
        let others: String = others
            .iter()
            .map(|(name, value)| format!(", {value} AS {name}"))
            .collect();
        let query = |path: &str| {
            let (from, places) = (self.from(path), self.places(path));
            format!("SELECT {subject} AS subject, {object} AS object{others}{places} FROM {from}")
        };
        let part = |(path, negated): (&String, bool)| match (usual_columns, self.tables.get(path)) {
            (true, None) => Part {
                negated,
                ..of_file(self.file(path, None))
            },
            (true, Some(table)) => Part {
                negated,
                ..of_query(format!("SELECT * FROM {table}"), path)
            },
            (false, _) => Part {
                sql: query(path),
                with_texts: self.with_texts(),
                own: None,
                origin: path.clone(),
                negated,
                columns: Columns::Named {
                    subject: subjects.clone(),
                    object: objects.clone(),
                },
                several: None,
                form: None,
                stated: [None, None],
            },
        };
        Ok(all.map(part).collect())
    }

    /// One column of identifiers, and others with those that each maps to, in lists.
    fn columns(&self) -> Result<Vec<Part>, BiotideError> {
        let (subject, prefix) = split(self.needs("subject")?);
        let (subject, subjects) = (quoted(subject), Cells::of(prefix));
        let objects = self
            .named
            .get("objects")
            .filter(|objects| !objects.is_empty());
        let objects =
            objects.ok_or_else(|| self.refused("needs objects => ['column=prefix', …]"))?;
        let objects = objects.iter().map(|object| {
            let (column, prefix) = split(object);
            Objects {
                cells: quoted(column),
                prefix: prefix.map(str::to_owned),
                predicate: None,
            }
        });
        let several = Several {
            columns: objects.collect(),
            separator: self.one("separator").unwrap_or("|").to_owned(),
        };
        let others = self.others();
        let part = |path: &String| Part {
            sql: several.query(&self.from(path), self.places(path), &subject, &others),
            with_texts: self.with_texts(),
            own: None,
            origin: path.clone(),
            negated: false,
            columns: Columns::Named {
                subject: subjects.clone(),
                object: Cells::default(),
            },
            several: Some(several.clone()),
            form: None,
            stated: [None, None],
        };
        Ok(self.paths.iter().map(part).collect())
    }

    /// What statements have in common, or a column says of each.
    pub(super) fn others(&self) -> Vec<(&'static str, String)> {
        let mut others = Vec::new();
        for name in STATEMENT {
            let Some(value) = self.one(name) else {
                continue;
            };
            others.push((
                name,
                match (name, value.split_once("column:")) {
                    (_, Some(("", column))) => quoted(column),
                    ("confidence", _) if value.parse::<f64>().is_err() => quoted(value),
                    ("confidence", _) => value.to_owned(),
                    _ => text(value),
                },
            ));
        }
        others
    }
}

impl Call {
    /// A file with the columns that it has.
    fn file(&self, path: &str, format: Option<&'static str>) -> Own {
        Own {
            path: path.to_owned(),
            format,
            options: self.options.clone(),
            schema: self.schema.clone(),
        }
    }

    /// The column of confidences, where it is to be read as text.
    fn with_texts(&self) -> Option<String> {
        let column = self.one("confidence")?;
        let column = column.strip_prefix("column:").unwrap_or(column);
        let is_column = column.parse::<f64>().is_err();
        is_column.then(|| as_text(&self.options, column)).flatten()
    }
}

/// A column of confidences that is to be read as text; `None` where options say how its numbers are to be read.
fn as_text(options: &str, column: &str) -> Option<String> {
    const OWN: [&str; 5] = ["schema", "all_text", "on_bad_value", "decimal", "thousands"];
    let said = options.to_ascii_lowercase();
    let is_said = |own: &&str| said.contains(&format!(", {own} "));
    // (Such a name cannot be written in a schema.)
    let is_odd = column.contains(['"', ',', ':']);
    (!is_odd && !OWN.iter().any(is_said)).then(|| column.to_owned())
}

/// What is said of statements.
const STATEMENT: [&str; 4] = ["predicate", "confidence", "source", "release"];

pub(super) const EXACT: &str = "skos:exactMatch";

/// The columns that tell where a row is.
pub(super) const PLACES: &str = ", _line, _offset";

/// `column=prefix`.
pub(super) fn split(column: &str) -> (&str, Option<&str>) {
    match column.rsplit_once('=') {
        Some((column, prefix)) => (column, Some(prefix)),
        None => (column, None),
    }
}

/// A text in SQL.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A column in SQL. One without quotes is found in any case.
fn quoted(column: &str) -> String {
    let is_word = column
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_')
        && column.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_keyword = ALL_KEYWORDS.contains(&column.to_ascii_uppercase().as_str());
    match is_word && !is_keyword {
        true => column.to_owned(),
        false => format!("\"{}\"", column.replace('"', "\"\"")),
    }
}

/// A file in SQL, read by its ending, with the places of rows.
pub(super) fn read(path: &str, options: &str) -> String {
    let lower = path.to_ascii_lowercase();
    match formats::by_path(path) {
        Some(format) => read_as(format.name(), path, options),
        None if lower.contains(".sssom.") && !is_binary(path) => read_as("sssom", path, options),
        // (Options of reading are of text.)
        None if !options.is_empty() && !is_binary(path) => read_as("tsv", path, options),
        None => text(path),
    }
}

pub(super) fn read_as(format: &str, path: &str, options: &str) -> String {
    format!(
        "read_{format}({}, metadata_columns => true{options})",
        text(path)
    )
}

/// The columns that tell where a row of a file is.
pub(super) fn places(path: &str, options: &str) -> &'static str {
    match read(path, options).starts_with("read_") {
        true => PLACES,
        false => "",
    }
}
