//! `biotide xref`: a file, a column of it, a mapping.

use biotide_common::BiotideError;
use biotide_common::nearest::{list, nearest};
use biotide_common::options::XrefPolicy;

use crate::context::BiotideContext;
use crate::convert::check_inputs;
use crate::error::Result;

/// What to cross-reference. How is said by the session's options (`xref_…`).
#[derive(Debug, Clone, Default)]
pub struct XrefRequest {
    /// A path, URL or glob.
    pub input: String,
    /// The column of identifiers, in any case.
    pub column: String,
    /// A mapping: its name, or a file.
    pub mapping: String,
    /// Files of what is denied.
    pub negatives: Vec<String>,
    /// The prefixes of results; none: any.
    pub targets: Vec<String>,
    /// Where to: text formats have lists as `a|b`.
    pub output: Option<String>,
}

/// The mapping of a request that has denials.
const OWN: &str = "xref";

impl XrefRequest {
    /// The statements that do it; the last one's rows are the result: the input's columns, then `target`,
    /// `predicate`, `confidence`, `hops`, `path`, `sources` and `verdict`. One that the input has too is called
    /// `xref_…`, or `xref2_…` and so on where it has that too.
    pub async fn statements(&self, context: &BiotideContext) -> Result<Vec<String>> {
        if let Some(output) = self.output.as_ref().filter(|output| *output != "-") {
            let inputs = [&self.input, &self.mapping]
                .into_iter()
                .chain(&self.negatives);
            check_inputs(&inputs.cloned().collect::<Vec<_>>(), output)?;
        }
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
        let column = find(&names, &self.column).ok_or_else(|| {
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
        })?;
        if context.options().xref_policy == Some(XrefPolicy::List) {
            return Err(BiotideError::Option {
                key: "policy".to_owned(),
                value: "list".to_owned(),
                problem: "has no columns for results: use explode, first, error or drop".to_owned(),
            }
            .into());
        }
        let mut statements = Vec::new();
        let mapping = match self.negatives.as_slice() {
            [] => self.mapping.as_str(),
            negatives => {
                let negatives: Vec<String> = negatives.iter().map(|file| text(file)).collect();
                let (mapping, negatives) = (text(&self.mapping), negatives.join(", "));
                let from = match context.mappings().get(&self.mapping) {
                    Some(_) => format!(
                        "(SELECT * FROM mapping_edges({mapping})), pairs(negatives => [{negatives}])"
                    ),
                    None => format!("pairs({mapping}, negatives => [{negatives}])"),
                };
                statements.push(format!("CREATE OR REPLACE MAPPING {OWN} FROM {from}"));
                OWN
            }
        };
        let targets: Vec<String> = self.targets.iter().map(|target| text(target)).collect();
        let targets = match targets.as_slice() {
            [] => String::new(),
            targets => format!(", targets => [{}]", targets.join(", ")),
        };
        let lists_are_texts = self.output.as_deref().is_some_and(is_delimited);
        let added = [
            "target",
            "predicate",
            "confidence",
            "hops",
            "path",
            "sources",
            "verdict",
        ]
        .map(|name| {
            let alias = alias(name, &names);
            match (name, lists_are_texts) {
                ("path" | "sources", true) => format!("array_to_string(x.{name}, '|') AS {alias}"),
                _ => format!("x.{name} AS {alias}"),
            }
        });
        statements.push(format!(
            "SELECT p.*, {} FROM {input} AS p, LATERAL xref(p.{}, {}{targets}) AS x",
            added.join(", "),
            quoted(column),
            text(mapping),
        ));
        Ok(statements)
    }
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

/// Whether a file's format has no lists.
fn is_delimited(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let bare = lower.strip_suffix(".gz").unwrap_or(&lower);
    [".csv", ".tsv", ".tab", ".txt"]
        .iter()
        .any(|end| bare.ends_with(end))
        || path == "-"
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

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
