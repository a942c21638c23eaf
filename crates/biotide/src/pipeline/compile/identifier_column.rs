//! The columns of identifiers that `load_dataset_identifiers` reads.

use super::super::actions::Params;
use super::scope::{column_of, refused};
use super::words::{CUT, quoted, text, trimmed};
use crate::error::Result;

/// A column of identifiers.
pub(super) struct Identifier<'a> {
    pub(super) column: String,
    pub(super) namespace: Option<&'a str>,
    pub(super) is_primary: bool,
    /// What is between several of a value.
    separator: Option<&'a str>,
}

/// The columns of identifiers that a step names.
pub(super) fn wanted<'a>(params: &'a Params, own: &[String]) -> Result<Vec<Identifier<'a>>> {
    let mut wanted: Vec<Identifier<'a>> = Vec::new();
    let alone = params.text("identifier_column");
    let alone = alone.map(|column| column_of(own, "the file", params, "identifier_column", column));
    let alone = alone.transpose()?;
    for item in params.items("column_mappings") {
        let name = item.needed("column_name")?;
        let column = column_of(own, "the file", item, "column_name", name)?;
        if wanted.iter().any(|id| id.column == column) {
            return Err(refused(item, "column_name", "another mapping names it too"));
        }
        let is_composite = item.boolean("is_composite") == Some(true);
        if item.is_given("composite_separator") && !is_composite {
            let problem = "it needs is_composite: true";
            return Err(refused(item, "composite_separator", problem));
        }
        wanted.push(Identifier {
            is_primary: item.boolean("is_primary") == Some(true) || alone.as_ref() == Some(&column),
            column,
            namespace: item.text("identifier_type"),
            separator: is_composite.then(|| item.text("composite_separator").unwrap_or(",")),
        });
    }
    if let Some(column) = alone
        && !wanted.iter().any(|id| id.column == column)
    {
        let alone = Identifier {
            column,
            namespace: None,
            is_primary: true,
            separator: None,
        };
        wanted.insert(0, alone);
    }
    match wanted.is_empty() {
        false => Ok(wanted),
        true => {
            let problem = "it names no identifier_column and no column_mappings";
            Err(refused(params, "identifier_column", problem))
        }
    }
}

impl Identifier<'_> {
    /// The value as the file has it.
    pub(super) fn raw(&self) -> String {
        format!("arrow_cast({}, 'Utf8')", quoted(&self.column))
    }

    /// What is made of it: a text, or of several a list. NULL is no identifier. (In SQL with lambdas.)
    pub(super) fn value(&self, params: &Params, folds: bool) -> String {
        let strips = params.boolean("strip_whitespace") != Some(false);
        let strip = |value: String| if strips { trimmed(&value) } else { value };
        let mut value = strip(self.raw());
        if let Some(separator) = self.separator {
            let blanks = if strips { r"\s*" } else { "" };
            let cut = format!("{blanks}{}{blanks}", regex::escape(separator));
            value = format!("regexp_replace({value}, {}, '{CUT}', 'g')", text(&cut));
        }
        if let Some(prefix) = params.text("strip_prefix") {
            let start = format!("(^|{CUT}){}", regex::escape(prefix));
            value = format!(r"regexp_replace({value}, {}, '\1', 'g')", text(&start));
            // (What stood behind the prefix.)
            if strips {
                let start = format!(r"(^|{CUT})\s+");
                value = format!(r"regexp_replace({value}, {}, '\1', 'g')", text(&start));
            }
        }
        if folds && params.boolean("lowercase_ids") == Some(true) {
            value = format!("lower({value})");
        }
        match self.separator {
            None => format!("CASE WHEN {} THEN {value} END", is_something(&value)),
            Some(_) => {
                let list = format!(
                    "array_filter(string_to_array({value}, '{CUT}'), item -> {})",
                    is_something("item")
                );
                format!("CASE WHEN cardinality({list}) > 0 THEN {list} END")
            }
        }
    }

    /// Whether a value that was made is no identifier of a namespace, however it is written. Of several, whether one of
    /// them is none. (In SQL with lambdas.)
    pub(super) fn fails(&self, value: &str, namespace: &str) -> String {
        // (NULL is no identifier that is wrong.)
        let fails = |one: &str| {
            let parts = format!("id_split({one}, {namespace})");
            format!(
                "coalesce(cardinality({parts}) <> 1 OR {parts}[1]['verdict'] = 'invalid', false)"
            )
        };
        match self.separator {
            None => fails(value),
            Some(_) => format!(
                "cardinality(array_filter({value}, item -> {})) > 0",
                fails("item")
            ),
        }
    }

    /// A text that is the same for what is the same.
    pub(super) fn key(&self) -> String {
        match self.separator {
            Some(_) => format!("array_to_string({}, '{CUT}')", quoted(&self.column)),
            None => quoted(&self.column),
        }
    }
}

/// Whether a text is neither empty nor what stands for nothing, such as `NA`. (That is the same to all functions of
/// identifiers, whatever these are of.)
fn is_something(sql: &str) -> String {
    format!("dbsnp_normalize({sql})['verdict'] <> 'null'")
}
