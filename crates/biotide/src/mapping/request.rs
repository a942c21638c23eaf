//! `biotide xref`: a file, a column of it, a mapping.

use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::nearest::{did_you_mean, list, nearest};
use biotide_common::options::{BiotideOptions, XrefPolicy};
use biotide_exec::catalog::{Mappings, is_stored};
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;

use super::found;
use super::loader::{PlanLoader, plans};
use super::source::{Part, is_path, of_paths, of_query, text};
use super::tables::{Named, Tables};
use crate::context::BiotideContext;
use crate::convert::{check_inputs, split_ending};
use crate::error::Result;

/// What to cross-reference. How is said by the session's options (`xref_…`); those that say what a file looks like, or
/// which of its rows and columns are read, are of the input alone.
#[derive(Debug, Clone, Default)]
pub struct XrefRequest {
    /// A path, URL or glob.
    pub input: String,
    /// The column of identifiers, in any case.
    pub column: String,
    /// Mappings: names, or files. Several are as one.
    pub mappings: Vec<String>,
    /// Files of what is denied.
    pub negatives: Vec<String>,
    /// The prefixes of results; none: any.
    pub targets: Vec<String>,
    /// Whether to tell why: the columns `resolved`, `note` and `conflicts`.
    pub notes: bool,
    /// Where to, if it is a file.
    pub output: Option<String>,
    /// How the result is written; not said: as the name of the output ends. CSV and TSV have lists as `a|b`, a set of
    /// mappings (`.sssom.tsv`) has the results as statements.
    pub format: Option<String>,
}

/// What a result is, a column each: what is added to those of the input.
pub(crate) const ADDED: [&str; 7] = [
    "target",
    "predicate",
    "confidence",
    "hops",
    "path",
    "sources",
    "verdict",
];

/// What is added to those where it is asked for.
const NOTES: [&str; 3] = ["resolved", "note", "conflicts"];

impl XrefRequest {
    /// The query that does it, and the session to run it in, which knows the mapping. Its rows are the result: the
    /// input's columns, then `target`, `predicate`, `confidence`, `hops`, `path`, `sources` and `verdict`. One that the
    /// input has too is called `xref_…`, or `xref2_…` and so on where it has that too.
    pub async fn query(&self, context: &BiotideContext) -> Result<(BiotideContext, String)> {
        self.check(context)?;
        let input = text(&self.input);
        let schema = context
            .sql(&format!("SELECT * FROM {input}"))
            .await?
            .schema();
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let column = quoted(self.column_of(&names)?);
        let (context, mapping) = self.mapping(context).await?;
        let from = format!(
            "{input} AS p, LATERAL xref(p.{column}, {}{}) AS x",
            text(&mapping),
            self.only_targets()
        );
        let sql = match self.written_as().as_deref() {
            // (What has no predicate is no result, or a path that SSSOM's rules make nothing of.)
            Some("sssom") => {
                let statement = found::statement("x")?;
                format!("SELECT DISTINCT {statement} FROM {from} WHERE x.predicate IS NOT NULL")
            }
            format => {
                let has_lists = !matches!(format, Some("csv" | "tsv"));
                format!("SELECT p.*, {} FROM {from}", self.added(&names, has_lists))
            }
        };
        Ok((context, sql))
    }

    fn check(&self, context: &BiotideContext) -> Result<(), BiotideError> {
        if let Some(output) = self.output.as_ref().filter(|output| *output != "-") {
            let read = std::iter::once(&self.input)
                .chain(&self.mappings)
                .chain(&self.negatives);
            let read: Vec<String> = read.cloned().collect();
            check_inputs(&read, output)?;
        }
        let refused = |key: &str, value: &str, problem: &str| {
            Err(BiotideError::Option {
                key: key.to_owned(),
                value: value.to_owned(),
                problem: problem.to_owned(),
            })
        };
        if context.options().xref_policy == Some(XrefPolicy::List) {
            let problem = "has no columns for results: use explode, first, error or drop";
            return refused("policy", "list", problem);
        }
        if self.notes && self.written_as().as_deref() == Some("sssom") {
            let problem = "is not for a set of mappings, which has what was found and nothing else";
            return refused("notes", "true", problem);
        }
        Ok(())
    }

    /// The format of the result, if that is known.
    fn written_as(&self) -> Option<String> {
        let ending = || split_ending(self.output.as_deref()?).0;
        let format = self.format.clone().or_else(ending);
        format.map(|format| format.to_ascii_lowercase())
    }

    /// The input's name of the column.
    fn column_of<'a>(&self, names: &[&'a str]) -> Result<&'a str, BiotideError> {
        find(names, &self.column).ok_or_else(|| {
            let hint = match nearest(&self.column, names.iter().copied()) {
                Some(near) => format!("did you mean '{near}'? There are"),
                None => "there are".to_owned(),
            };
            let problem = format!(
                "there is no column \"{}\": {hint} {}",
                self.column,
                list(names.iter().copied())
            );
            BiotideError::file(&self.input, problem)
        })
    }

    fn only_targets(&self) -> String {
        let targets: Vec<String> = self.targets.iter().map(|target| text(target)).collect();
        match targets.as_slice() {
            [] => String::new(),
            targets => format!(", targets => [{}]", targets.join(", ")),
        }
    }

    /// What is selected besides the input's own columns.
    fn added(&self, own: &[&str], has_lists: bool) -> String {
        let notes: &[&str] = if self.notes { &NOTES } else { &[] };
        let added = ADDED.iter().chain(notes).map(|name| {
            let value = match *name {
                "path" | "sources" if !has_lists => format!("array_to_string(x.{name}, '|')"),
                // (Most rows have none.)
                "conflicts" if !has_lists => {
                    "nullif(array_to_string(x.conflicts, '|'), '')".to_owned()
                }
                name => format!("x.{name}"),
            };
            format!("{value} AS {}", alias(name, own))
        });
        added.collect::<Vec<_>>().join(", ")
    }

    /// The name of the mapping, and a session that knows it. It is named like its files, is read when it is needed, and
    /// nobody else's session has it.
    async fn mapping(&self, context: &BiotideContext) -> Result<(BiotideContext, String)> {
        if self.mappings.is_empty() {
            return Err(missing(context, "").into());
        }
        if let ([one], []) = (self.mappings.as_slice(), self.negatives.as_slice())
            && is_made(context, one)
        {
            return Ok((context.clone(), one.clone()));
        }
        let name = self.mappings.join(", ");
        let plain = context.with_options(forget_the_input);
        let state = plain.session().state();
        let parts = self.parts(&plain, &state).await?;
        let plans = plans(&plain, &state, parts).await?;
        let loader = PlanLoader::new(state, plans, plain.identifiers()?)?;
        let known = Mappings::default();
        for mapping in context.mappings().all() {
            known.insert(mapping);
        }
        known.insert(Arc::new(loader.mapping(&name)));
        Ok((with_mappings(context, known), name))
    }

    /// What the mapping is made of: statements, and denials.
    async fn parts(
        &self,
        context: &BiotideContext,
        state: &SessionState,
    ) -> Result<Vec<Part>, BiotideError> {
        let known = context.mappings().all();
        let known = known.iter().map(|mapping| mapping.name().to_owned());
        let tables = Tables {
            state,
            mappings: known.collect(),
        };
        let mut parts = Vec::new();
        for name in &self.mappings {
            if context.mappings().get(name).is_some() {
                parts.push(of_table(&format!("mapping_edges({})", text(name)), name));
                continue;
            }
            let said = of_name(name, &tables).await;
            parts.extend(said.map_err(|error| match is_path(name) {
                true => error,
                false => missing(context, name),
            })?);
        }
        for name in &self.negatives {
            let denied = of_name(name, &tables).await?;
            parts.extend(denied.into_iter().map(|part| Part {
                negated: true,
                ..part
            }));
        }
        Ok(parts)
    }
}

/// Whether a mapping is there, and need not be read from text.
fn is_made(context: &BiotideContext, name: &str) -> bool {
    let path = Path::new(name);
    context.mappings().get(name).is_some() || path.is_file() && is_stored(path)
}

/// The statements of a table, or of files.
async fn of_name(name: &str, tables: &Tables<'_>) -> Result<Vec<Part>, BiotideError> {
    Ok(match tables.of_text(name)? {
        Named::Table(table) => vec![of_table(&table, name)],
        Named::Path(path) => of_paths(tables.state, &path).await,
    })
}

fn of_table(table: &str, origin: &str) -> Part {
    of_query(format!("SELECT * FROM {table}"), origin)
}

/// There is neither a mapping of this name nor a file. (Who asks for one may have no SQL to make it with.)
fn missing(context: &BiotideContext, name: &str) -> BiotideError {
    let known = context.mappings().all();
    let hint = match known.is_empty() {
        true => "there is no such file".to_owned(),
        false => did_you_mean(name, known.iter().map(|mapping| mapping.name())),
    };
    BiotideError::Option {
        key: "mapping".to_owned(),
        value: name.to_owned(),
        problem: format!("is neither the name of a mapping nor a file: {hint}"),
    }
}

/// The same session, with other mappings.
fn with_mappings(context: &BiotideContext, mappings: Mappings) -> BiotideContext {
    let mut state = context.session().state();
    state.config_mut().set_extension(Arc::new(mappings));
    let session = SessionContext::new_with_state(state);
    context.with_session(session, Arc::clone(&context.meter))
}

/// Unsets what is said of the input: what its text looks like, and what of it is read.
fn forget_the_input(options: &mut BiotideOptions) {
    *options = BiotideOptions {
        delimiter: None,
        quote: None,
        escape: None,
        comment: None,
        header: None,
        header_rows: None,
        skip_rows: None,
        skip_footer: None,
        table: None,
        max_rows: None,
        columns: None,
        column_names: None,
        column_aliases: None,
        strict_schema: None,
        flatten: None,
        null_values: None,
        strip_whitespace: None,
        skip_empty: None,
        key_columns: None,
        decimal: None,
        thousands: None,
        date_format: None,
        schema: None,
        all_text: None,
        infer: None,
        metadata_columns: None,
        compression: None,
        encoding: None,
        ..std::mem::take(options)
    };
}

/// The name of an added column: its own, if the input has no such column.
fn alias(name: &str, taken: &[&str]) -> String {
    let again = (2..).map(|n| format!("xref{n}_{name}"));
    let mut names = [name.to_owned(), format!("xref_{name}")]
        .into_iter()
        .chain(again);
    let is_free = |alias: &String| !taken.iter().any(|own| own.eq_ignore_ascii_case(alias));
    names.find(is_free).unwrap_or_default()
}

fn find<'a>(names: &[&'a str], wanted: &str) -> Option<&'a str> {
    let exact = names.iter().find(|name| **name == wanted);
    let mut like = names
        .iter()
        .filter(|name| name.to_lowercase() == wanted.to_lowercase());
    match (exact, like.next(), like.next()) {
        (Some(exact), ..) => Some(exact),
        (None, Some(one), None) => Some(one),
        _ => None,
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
