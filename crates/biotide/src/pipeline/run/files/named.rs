//! What the texts of a step name: datasets, mappings and files.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, TableFactor, Visit, Visitor, visit_expressions};
use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::pipeline::spec::{Node, Tree};

/// Every text of a tree.
pub(super) fn texts<'a>(tree: &'a Tree, found: &mut Vec<&'a str>) {
    match &tree.node {
        Node::Null => {}
        Node::Scalar(scalar) => found.push(&scalar.text),
        Node::List(items) => items.iter().for_each(|item| texts(item, found)),
        Node::Map(entries) => {
            let values = entries.iter().map(|entry| &entry.value);
            values.for_each(|value| texts(value, found));
        }
    }
}

/// Whether a text is a name, or has it as a word.
pub(super) fn has_word(text: &str, name: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    text == name || words.any(|word| word.eq_ignore_ascii_case(name))
}

/// What a query, or an expression with queries in it, may read: tables by their names, and what functions that make
/// tables are given. Nothing, if the text is no SQL.
pub(super) fn tables_of(text: &str, dialect: &dyn Dialect) -> Vec<String> {
    // (Most texts are none, and no table is named without it.)
    match text.to_ascii_lowercase().contains("from") {
        true => found(&[text, &format!("SELECT {text}")], dialect),
        false => Vec::new(),
    }
}

/// The same of the sources of a mapping, as they stand behind FROM.
pub(super) fn tables_of_sources(text: &str, dialect: &dyn Dialect) -> Vec<String> {
    found(&[&format!("SELECT * FROM {text}")], dialect)
}

/// The tables of the first text that is SQL.
fn found(texts: &[&str], dialect: &dyn Dialect) -> Vec<String> {
    let mut parsed = texts
        .iter()
        .filter_map(|text| Parser::parse_sql(dialect, text).ok());
    let mut tables = Tables::default();
    // (It is broken off by nothing.)
    let _ = parsed.next().unwrap_or_default().visit(&mut tables);
    tables.named
}

#[derive(Default)]
struct Tables {
    named: Vec<String>,
}

impl Tables {
    /// Texts and bare names among arguments.
    fn add_arguments(&mut self, arguments: &impl Visit) {
        let named = &mut self.named;
        let _ = visit_expressions(arguments, |expr: &Expr| {
            match expr {
                Expr::Value(value) => named.extend(value.clone().into_string()),
                Expr::Identifier(name) => named.push(name.value.clone()),
                _ => {}
            }
            ControlFlow::<()>::Continue(())
        });
    }
}

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
        match table {
            TableFactor::Table {
                args: Some(args), ..
            } => self.add_arguments(args),
            TableFactor::Table { name, .. } => {
                if let [part] = name.0.as_slice()
                    && let Some(word) = part.as_ident()
                {
                    self.named.push(word.value.clone());
                }
            }
            TableFactor::Function { args, .. } => self.add_arguments(args),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;

    use super::*;

    #[test]
    fn tables_are_found_wherever_they_are_read() {
        for (text, expected) in [
            (
                "SELECT 'x.csv' AS s FROM a JOIN 'b.csv' ON true",
                &["a", "b.csv"][..],
            ),
            (
                "WITH c AS (SELECT * FROM 'd.csv') SELECT * FROM c",
                &["c", "d.csv"],
            ),
            (
                "SELECT * FROM read_tsv('e.tsv', delimiter => '|')",
                &["e.tsv"],
            ),
            (
                "SELECT * FROM a, LATERAL xref(a.id, mapping => m)",
                &["a", "m"],
            ),
            ("id IN (SELECT id FROM few) AND x > 1", &["few"]),
            ("the rows of a table", &[]),
            ("", &[]),
        ] {
            let found = tables_of(text, &GenericDialect {});
            for name in expected {
                assert!(found.iter().any(|found| found == name), "{text}: {found:?}");
            }
            assert!(!found.iter().any(|found| found == "x.csv"), "{found:?}");
            assert_eq!(found.is_empty(), expected.is_empty(), "{text}");
        }
        let source = "pairs('map.tsv', subject => 'a'), sssom('b.sssom.tsv')";
        let found = tables_of_sources(source, &GenericDialect {});
        for name in ["map.tsv", "b.sssom.tsv"] {
            assert!(found.iter().any(|found| found == name), "{found:?}");
        }
    }
}
