//! Where statements come from: `sssom(…)`, `pairs(…)`, `columns(…)`, `idmapping(…)`, a file, a table, a query.
//!
//! Each becomes queries whose columns are those of statements.

use std::collections::BTreeMap;
use std::path::Path;

use biotide_common::BiotideError;
use biotide_exec::catalog::is_stored;
use biotide_formats::formats;
use datafusion::sql::sqlparser::ast::{
    FunctionArg, FunctionArgExpr, ObjectName, TableFactor, TableFunctionArgs,
};
use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;

use crate::catalog::is_binary;
use crate::statement::functions::{called, literals, shown};

/// How sources are called.
pub(crate) const SYNTAX: &str = "a mapping is made from sssom('file', negatives => 'file'), pairs('file', subject => 'column', object => \
     'column', …), columns('file', subject => 'column=prefix', objects => ['column=prefix', …], …), idmapping('file'), a file, \
     a table, or (a query)";

/// A query whose columns are those of statements, and what it reads.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) sql: String,
    /// The same with confidences as they are written, for files that have them: what is none must not be as if nobody
    /// had said any.
    pub(super) with_texts: Option<String>,
    pub(super) origin: String,
    /// What the statements say, or deny.
    pub(super) negated: bool,
    pub(super) columns: Columns,
    /// Where statements are from, and its release, as the source of them says: a text, or `column:name`.
    pub(super) stated: [Option<String>; 2],
}

/// Which columns of a query are what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Columns {
    /// By the names that they usually have.
    Usual,
    /// They have the names of statements.
    Named,
}

/// A source of ours, with its arguments.
#[derive(Debug)]
pub(super) struct Call {
    function: String,
    written: String,
    pub(super) paths: Vec<String>,
    named: BTreeMap<String, Vec<String>>,
    /// Options of reading, as they were written.
    pub(super) options: String,
}

/// Arguments that are not options of reading.
const OWN: [&str; 12] = [
    "negatives",
    "subject",
    "object",
    "objects",
    "subject_prefix",
    "object_prefix",
    "predicate",
    "confidence",
    "source",
    "release",
    "separator",
    "metadata",
];

/// The queries of a source.
pub(super) fn parts(factor: &TableFactor) -> Result<Vec<Part>, BiotideError> {
    match factor {
        TableFactor::Table {
            name,
            args: Some(args),
            ..
        } if is_source(name) => call(called(name), args)?.parts(),
        TableFactor::Table {
            name, args: None, ..
        } => Ok(vec![of_path(&path_of(name))]),
        TableFactor::Derived { subquery, .. } => Ok(vec![Part {
            sql: subquery.to_string(),
            with_texts: None,
            origin: "a query".to_owned(),
            negated: false,
            columns: Columns::Usual,
            stated: [None, None],
        }]),
        other => Ok(vec![Part {
            sql: format!("SELECT * FROM {other}"),
            with_texts: None,
            origin: other.to_string(),
            negated: false,
            columns: Columns::Usual,
            stated: [None, None],
        }]),
    }
}

/// The query of a path, or of the name of a table.
pub(super) fn of_path(path: &str) -> Part {
    usual(path, "", false)
}

/// The query of what has the usual columns: a file, which is read with options, a stored mapping, or a table by its name.
fn usual(path: &str, options: &str, negated: bool) -> Part {
    let is_file = path.contains(['.', '/', '\\', '*']);
    let from = match is_file {
        true if is_stored(Path::new(path)) => format!("mapping_edges({})", text(path)),
        true => read(path, options),
        false => path.to_owned(),
    };
    let query = |from: &str| format!("SELECT * FROM {from}");
    let is_read = is_file && from.starts_with("read_");
    let texts = as_texts(options, "confidence").filter(|_| is_read);
    Part {
        sql: query(&from),
        with_texts: texts.map(|options| query(&read(path, &options))),
        origin: path.to_owned(),
        negated,
        columns: Columns::Usual,
        stated: [None, None],
    }
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

fn call(function: String, args: &TableFunctionArgs) -> Result<Call, BiotideError> {
    let mut call = Call {
        written: format!("{function}({})", shown(args)),
        function,
        paths: Vec::new(),
        named: BTreeMap::new(),
        options: String::new(),
    };
    for arg in &args.args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => match literals(expr) {
                Some(paths) => call.paths.extend(paths),
                None => return Err(call.refused("takes a path in quotes first")),
            },
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                ..
            } => {
                let name = name.value.to_ascii_lowercase();
                match OWN.contains(&name.as_str()) {
                    true => {
                        let Some(values) = literals(expr) else {
                            return Err(call.refused(&format!("takes a literal for {name}")));
                        };
                        call.named.insert(name, values);
                    }
                    false => call.options.push_str(&format!(", {arg}")),
                }
            }
            _ => return Err(call.refused("takes a path in quotes and name => value")),
        }
    }
    match call.paths.is_empty() && !call.named.contains_key("negatives") {
        true => Err(call.refused("takes a path in quotes first")),
        false => Ok(call),
    }
}

impl Call {
    fn refused(&self, problem: &str) -> BiotideError {
        BiotideError::Option {
            key: "CREATE MAPPING".to_owned(),
            value: self.written.clone(),
            problem: format!("{problem}: {SYNTAX}"),
        }
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.named
            .get(name)
            .and_then(|values| values.first())
            .map(String::as_str)
    }

    fn needs(&self, name: &str) -> Result<&str, BiotideError> {
        self.one(name)
            .ok_or_else(|| self.refused(&format!("needs {name} => '…'")))
    }

    pub(super) fn refuse_others(&self, known: &[&str]) -> Result<(), BiotideError> {
        let other = self
            .named
            .keys()
            .find(|name| !known.contains(&name.as_str()));
        match other {
            Some(name) => {
                let problem = format!("takes no {name}, but {}", known.join(", "));
                Err(self.refused(&problem))
            }
            None => Ok(()),
        }
    }

    fn parts(&self) -> Result<Vec<Part>, BiotideError> {
        match self.function.as_str() {
            "sssom" => self.sssom(),
            "pairs" => self.pairs(),
            "columns" => self.columns(),
            _ => self.idmapping(),
        }
    }

    fn sssom(&self) -> Result<Vec<Part>, BiotideError> {
        self.refuse_others(&["negatives", "metadata", "source", "release"])?;
        let stated = ["source", "release"].map(|name| self.one(name).map(str::to_owned));
        let denied = self.named.get("negatives").into_iter().flatten();
        let said = self.paths.iter().map(|path| (path, false));
        let all = said.chain(denied.map(|path| (path, true)));
        let query =
            |path: &str, options: &str| format!("SELECT * FROM {}", read_sssom(path, options));
        let part = |(path, negated): (&String, bool)| Part {
            sql: query(path, &self.options),
            with_texts: as_texts(&self.options, "confidence").map(|options| query(path, &options)),
            origin: path.clone(),
            negated,
            columns: Columns::Usual,
            stated: stated.clone(),
        };
        Ok(all.map(part).collect())
    }

    /// Two columns, each of CURIEs or of one namespace.
    fn pairs(&self) -> Result<Vec<Part>, BiotideError> {
        let known = ["subject", "object", "subject_prefix", "object_prefix"];
        self.refuse_others(&[&known[..], &STATEMENT, &["negatives"]].concat())?;
        let denied = self.named.get("negatives").into_iter().flatten();
        let all = self
            .paths
            .iter()
            .map(|path| (path, false))
            .chain(denied.map(|path| (path, true)));
        let usual_columns = !self.named.keys().any(|name| name != "negatives");
        let column = |name: &str, prefix: &str, default: &str| {
            let (column, own) = split(self.one(name).unwrap_or(default));
            curie(&quoted(column), own.or(self.one(prefix)))
        };
        let subject = column("subject", "subject_prefix", "subject_id");
        let object = column("object", "object_prefix", "object_id");
        let others = self.others();
        let others: String = others
            .iter()
            .map(|(name, value)| format!(", {value} AS {name}"))
            .collect();
        let query = |path: &str, options: &str| {
            let (from, places) = (read(path, options), places(path));
            format!("SELECT {subject} AS subject, {object} AS object{others}{places} FROM {from}")
        };
        let part = |(path, negated): (&String, bool)| match usual_columns {
            true => usual(path, &self.options, negated),
            false => Part {
                sql: query(path, &self.options),
                with_texts: self.with_texts().map(|options| query(path, &options)),
                origin: path.clone(),
                negated,
                columns: Columns::Named,
                stated: [None, None],
            },
        };
        Ok(all.map(part).collect())
    }

    /// One column of identifiers, and others with those that each maps to, in lists.
    fn columns(&self) -> Result<Vec<Part>, BiotideError> {
        self.refuse_others(&[&["subject", "objects", "separator"][..], &STATEMENT].concat())?;
        let (subject, prefix) = split(self.needs("subject")?);
        let subject = curie(&quoted(subject), prefix);
        let objects = self
            .named
            .get("objects")
            .filter(|objects| !objects.is_empty());
        let objects =
            objects.ok_or_else(|| self.refused("needs objects => ['column=prefix', …]"))?;
        let separator = self.one("separator").unwrap_or("|");
        let others = self.others();
        let mut parts = Vec::new();
        for path in &self.paths {
            for object in objects {
                let (column, prefix) = split(object);
                let query = |options: &str| {
                    unnested(
                        &read(path, options),
                        places(path),
                        &subject,
                        column,
                        prefix,
                        separator,
                        &others,
                    )
                };
                parts.push(Part {
                    sql: query(&self.options),
                    with_texts: self.with_texts().map(|options| query(&options)),
                    origin: path.clone(),
                    negated: false,
                    columns: Columns::Named,
                    stated: [None, None],
                });
            }
        }
        Ok(parts)
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
    /// The options of reading with which the column of confidences is text; `None` if there is no such column.
    fn with_texts(&self) -> Option<String> {
        let column = self.one("confidence")?;
        let column = column.strip_prefix("column:").unwrap_or(column);
        let is_column = column.parse::<f64>().is_err();
        is_column.then(|| as_texts(&self.options, column)).flatten()
    }
}

/// The same options of reading, but a column is text; `None` where they say how its numbers are to be read.
fn as_texts(options: &str, column: &str) -> Option<String> {
    const OWN: [&str; 5] = ["schema", "all_text", "on_bad_value", "decimal", "thousands"];
    let said = options.to_ascii_lowercase();
    let is_said = |own: &&str| said.contains(&format!(", {own} "));
    // (Such a name cannot be written in a schema.)
    let is_odd = column.contains(['"', ',', ':']);
    (!is_odd && !OWN.iter().any(is_said)).then(|| {
        format!(
            "{options}, schema => {}",
            text(&format!("\"{column}\":text"))
        )
    })
}

/// What is said of statements.
const STATEMENT: [&str; 4] = ["predicate", "confidence", "source", "release"];

pub(super) const EXACT: &str = "skos:exactMatch";

/// The columns that tell where a row is.
pub(super) const PLACES: &str = ", _line, _offset";

/// A query of one column of lists.
pub(super) fn unnested(
    from: &str,
    places: &str,
    subject: &str,
    column: &str,
    prefix: Option<&str>,
    separator: &str,
    others: &[(&str, String)],
) -> String {
    let column = quoted(column);
    let inner: String = others
        .iter()
        .map(|(name, value)| format!(", {value} AS {name}"))
        .collect();
    let outer: String = others.iter().map(|(name, _)| format!(", {name}")).collect();
    let object = curie("object", prefix);
    format!(
        "SELECT subject, {object} AS object{outer}{places} FROM (SELECT {subject} AS subject, \
         trim(unnest(string_to_array(CAST({column} AS VARCHAR), {}))) AS object{inner}{places} FROM {from} \
         WHERE {column} IS NOT NULL) WHERE object <> ''",
        text(separator)
    )
}

/// `column=prefix`.
fn split(column: &str) -> (&str, Option<&str>) {
    match column.rsplit_once('=') {
        Some((column, prefix)) => (column, Some(prefix)),
        None => (column, None),
    }
}

/// An identifier with its prefix.
fn curie(column: &str, prefix: Option<&str>) -> String {
    match prefix {
        Some(prefix) => format!(
            "{} || CAST({column} AS VARCHAR)",
            text(&format!("{prefix}:"))
        ),
        None => column.to_owned(),
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
fn read(path: &str, options: &str) -> String {
    let lower = path.to_ascii_lowercase();
    match formats::by_path(path) {
        Some(format) => read_as(format.name(), path, options),
        None if lower.contains(".sssom.") && !is_binary(path) => read_sssom(path, options),
        None => text(path),
    }
}

pub(super) fn read_as(format: &str, path: &str, options: &str) -> String {
    format!(
        "read_{format}({}, metadata_columns => true{options})",
        text(path)
    )
}

fn read_sssom(path: &str, options: &str) -> String {
    read_as("sssom", path, options)
}

/// The columns that tell where a row of a file is.
fn places(path: &str) -> &'static str {
    match formats::by_path(path) {
        Some(_) => PLACES,
        None => "",
    }
}
