//! `sssom(…)`, `pairs(…)`, `columns(…)` and `idmapping(…)`: their arguments, and whether those make sense.

use std::collections::BTreeMap;
use std::path::Path;

use biotide_common::BiotideError;
use biotide_exec::catalog::is_stored;
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{FunctionArg, FunctionArgExpr, TableFunctionArgs};

use super::arguments::{Arguments, values};
use super::globs;
use super::source::{SYNTAX, places, read, split};
use super::tables::{Named, Tables};
use crate::catalog::is_binary;
use crate::statement::functions::{literals, shown};

/// A source of ours, with its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: String,
    written: String,
    pub(super) paths: Vec<String>,
    /// Those of the paths that are names of tables, with how they are written in SQL.
    pub(super) tables: BTreeMap<String, String>,
    pub(super) named: BTreeMap<String, Vec<String>>,
    /// Options of reading, as they were written.
    pub(super) options: String,
    /// What they say of types.
    pub(super) schema: Option<String>,
}

/// The arguments of a source that are not options of reading.
fn own(function: &str) -> &'static [&'static str] {
    match function {
        "sssom" => &["negatives", "source", "release"],
        "pairs" => &[
            "subject",
            "object",
            "subject_prefix",
            "object_prefix",
            "predicate",
            "confidence",
            "source",
            "release",
            "negatives",
        ],
        "columns" => &[
            "subject",
            "objects",
            "separator",
            "predicate",
            "confidence",
            "source",
            "release",
        ],
        _ => &["source", "release"],
    }
}

/// A source, as it is called.
pub(super) fn call(
    function: String,
    args: &TableFunctionArgs,
    tables: &Tables<'_>,
) -> Result<Call, BiotideError> {
    let mut names = Arguments::of(own(&function).iter().copied()).and_reading();
    let mut call = Call {
        written: format!("{function}({})", shown(args)),
        function,
        paths: Vec::new(),
        tables: BTreeMap::new(),
        named: BTreeMap::new(),
        options: String::new(),
        schema: None,
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
                let taken = names.take(&name.value);
                let name = taken
                    .map_err(|problem| call.refused(&format!("has {name}, which {problem}")))?;
                let values = values(expr).map_err(|problem| {
                    call.refused(&format!("has {name} => {expr}, which {problem}"))
                })?;
                match own(&call.function).contains(&name.as_str()) {
                    true => {
                        call.named.insert(name, values);
                    }
                    false => {
                        if name == "schema" {
                            call.schema = Some(values.join(","));
                        }
                        call.options.push_str(&format!(", {arg}"));
                    }
                }
            }
            _ => return Err(call.refused("takes a path in quotes and name => value")),
        }
    }
    if call.paths.is_empty() && !call.named.contains_key("negatives") {
        return Err(call.refused("takes a path in quotes first"));
    }
    call.find_tables(tables)?;
    call.check()?;
    Ok(call)
}

impl Call {
    pub(super) fn refused(&self, problem: &str) -> BiotideError {
        BiotideError::Option {
            key: "CREATE MAPPING".to_owned(),
            value: self.written.clone(),
            problem: format!("{problem}: {SYNTAX}"),
        }
    }

    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.named
            .get(name)
            .and_then(|values| values.first())
            .map(String::as_str)
    }

    pub(super) fn needs(&self, name: &str) -> Result<&str, BiotideError> {
        self.one(name)
            .ok_or_else(|| self.refused(&format!("needs {name} => '…'")))
    }

    /// Finds those of its paths that are tables.
    fn find_tables(&mut self, tables: &Tables<'_>) -> Result<(), BiotideError> {
        let denied = self.named.get("negatives").into_iter().flatten();
        let paths: Vec<String> = self.paths.iter().chain(denied).cloned().collect();
        if matches!(self.function.as_str(), "sssom" | "idmapping") {
            let stored = paths.iter().find(|path| is_stored(Path::new(path)));
            return match stored {
                Some(path) => Err(self.refused(&format!(
                    "names {path}, which is a stored mapping: FROM '{path}' takes it as it is"
                ))),
                None => Ok(()),
            };
        }
        for path in paths {
            let named = tables.of_text(&path)?;
            let refused = match &named {
                Named::Table(_) => Some("a table: only files are read so"),
                Named::Path(path) if is_stored(Path::new(path)) => {
                    Some("a stored mapping: only text is read so")
                }
                Named::Path(path) if is_binary(path) => Some("no text: only text is read so"),
                Named::Path(_) => None,
            };
            if let Some(refused) = refused.filter(|_| !self.options.is_empty()) {
                let options = self.options.trim_start_matches(", ");
                return Err(self.refused(&format!("has {options}, but {path} is {refused}")));
            }
            if let Named::Table(table) = named {
                self.tables.insert(path, table);
            }
        }
        Ok(())
    }

    /// Takes the files of globs and folders one by one.
    pub(super) async fn find_files(&mut self, state: &SessionState) {
        self.paths = self.files(state, &self.paths).await;
        if let Some(denied) = self.named.get("negatives") {
            let denied = self.files(state, denied).await;
            self.named.insert("negatives".to_owned(), denied);
        }
    }

    async fn files(&self, state: &SessionState, paths: &[String]) -> Vec<String> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            match self.tables.contains_key(path) {
                true => files.push(path.clone()),
                false => files.extend(globs::files(state, path).await),
            }
        }
        files
    }

    /// Whether its arguments make sense.
    fn check(&self) -> Result<(), BiotideError> {
        for (name, values) in &self.named {
            let is_list = matches!(name.as_str(), "negatives" | "objects");
            if !is_list && values.len() != 1 {
                let problem = format!("has {} values for {name}, which takes one", values.len());
                return Err(self.refused(&problem));
            }
            if values.iter().any(|value| value.trim().is_empty()) && name != "separator" {
                return Err(self.refused(&format!("has nothing for {name}")));
            }
            let is_column = matches!(name.as_str(), "subject" | "object" | "objects");
            let bad = values.iter().find(|value| {
                let (column, prefix) = split(value);
                column.is_empty() || prefix.is_some_and(|prefix| !is_prefix(prefix))
            });
            if let Some(bad) = bad.filter(|_| is_column) {
                let problem =
                    format!("has {name} => '{bad}', where 'column' or 'column=prefix' is taken");
                return Err(self.refused(&problem));
            }
        }
        for (name, prefix) in [("subject", "subject_prefix"), ("object", "object_prefix")] {
            let own = self.one(name).and_then(|column| split(column).1);
            if own.is_some() && self.one(prefix).is_some() {
                let problem = format!(
                    "has two prefixes for {name}: take {name} => 'column=prefix' or {prefix}"
                );
                return Err(self.refused(&problem));
            }
        }
        for name in ["subject_prefix", "object_prefix"] {
            if let Some(prefix) = self.one(name).filter(|prefix| !is_prefix(prefix)) {
                return Err(self.refused(&format!("has {name} => '{prefix}', which is no prefix")));
            }
        }
        if self.one("separator") == Some("") {
            return Err(self.refused("has no separator: it is at least one character"));
        }
        let confidence = self
            .one("confidence")
            .and_then(|text| text.parse::<f64>().ok());
        match confidence.filter(|confidence| !(0.0..=1.0).contains(confidence)) {
            Some(confidence) => Err(self.refused(&format!(
                "has the confidence {confidence}: it is a number from 0 to 1, or 'column:name'"
            ))),
            None => Ok(()),
        }
    }

    /// What a query is of: a table, or a file that is read with options.
    pub(super) fn from(&self, path: &str) -> String {
        match self.tables.get(path) {
            Some(table) => table.clone(),
            None => read(path, &self.options),
        }
    }

    /// The columns that tell where a row is.
    pub(super) fn places(&self, path: &str) -> &'static str {
        match self.tables.contains_key(path) {
            true => "",
            false => places(path, &self.options),
        }
    }
}

/// Whether it can stand before the colon of a CURIE.
fn is_prefix(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == ':' || c.is_whitespace())
}
