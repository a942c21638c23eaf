//! Names of tables.

use std::fmt;

use crate::sql;

/// A table, in its schema if one was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// The schema, or that of the search path.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
}

impl TableName {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (first, rest) = part(text)?;
        let Some(rest) = rest else {
            return Some(Self {
                schema: None,
                table: first,
            });
        };
        match part(rest)? {
            (table, None) => Some(Self {
                schema: Some(first),
                table,
            }),
            _ => None,
        }
    }

    /// Another table of the same schema.
    pub(crate) fn sibling(&self, table: impl Into<String>) -> Self {
        Self {
            schema: self.schema.clone(),
            table: table.into(),
        }
    }

    /// As SQL takes it.
    pub(crate) fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => format!(
                "{}.{}",
                sql::identifier(schema),
                sql::identifier(&self.table)
            ),
            None => sql::identifier(&self.table),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |name: &str| match name.contains(['.', '"']) {
            true => sql::identifier(name),
            false => name.to_owned(),
        };
        if let Some(schema) = &self.schema {
            write!(f, "{}.", part(schema))?;
        }
        f.write_str(&part(&self.table))
    }
}

/// The first name of `a.b`, and what follows the dot.
fn part(text: &str) -> Option<(String, Option<&str>)> {
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            let mut name = String::new();
            let mut rest = quoted;
            loop {
                let end = rest.find('"')?;
                name.push_str(&rest[..end]);
                rest = &rest[end + 1..];
                match rest.strip_prefix('"') {
                    Some(more) => {
                        name.push('"');
                        rest = more;
                    }
                    None => break,
                }
            }
            (name, rest)
        }
        None => {
            let end = text.find('.').unwrap_or(text.len());
            (text[..end].to_owned(), &text[end..])
        }
    };
    let rest = match rest.strip_prefix('.') {
        Some(rest) => Some(rest),
        None if rest.is_empty() => None,
        None => return None,
    };
    (!name.is_empty()).then_some((name, rest))
}
