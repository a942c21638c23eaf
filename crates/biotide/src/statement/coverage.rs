//! `id_coverage('file', 'column', 'namespace')`: what of a column are identifiers of a namespace. The call is
//! replaced by the query that answers it, so that it is planned, spills and reads as any other.

use std::ops::ControlFlow;

use biotide_common::BiotideError;
use biotide_formats::formats;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, Query, SetExpr, Statement as Ast, TableAlias,
    TableFactor, TableFunctionArgs, Value, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::functions::{called, shown};
use super::names::visit;
use crate::error::Result;

/// How it is called.
pub(crate) const SYNTAX: &str =
    "id_coverage('path-or-glob', 'column', 'namespace', option => value, …)";

/// Replaces the calls of a statement.
pub(super) fn resolve(statement: &mut Statement) -> Result<()> {
    Calls {
        name: "id_coverage",
        query,
    }
    .replace(statement)
}

/// Calls in `FROM` that stand for queries.
pub(crate) struct Calls {
    pub(crate) name: &'static str,
    /// The query of a call; an error is what is wrong with it.
    pub(crate) query: fn(&TableFunctionArgs) -> Result<Query, String>,
}

impl Calls {
    /// Replaces those of a statement.
    pub(crate) fn replace(mut self, statement: &mut Statement) -> Result<()> {
        visit(statement, &mut self)
    }
}

impl VisitorMut for Calls {
    type Break = BiotideError;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<BiotideError> {
        let TableFactor::Table {
            name,
            alias,
            args: Some(args),
            ..
        } = factor
        else {
            return ControlFlow::Continue(());
        };
        if called(name) != self.name {
            return ControlFlow::Continue(());
        }
        match (self.query)(args) {
            Ok(query) => {
                *factor = derived(query, alias.take(), self.name);
                ControlFlow::Continue(())
            }
            Err(problem) => ControlFlow::Break(BiotideError::Option {
                key: format!("{}(…)", self.name),
                value: shown(args),
                problem,
            }),
        }
    }
}

/// The query of a call; an error is what is wrong with it.
fn query(args: &TableFunctionArgs) -> Result<Query, String> {
    let wanted = || format!("is not what it takes: {SYNTAX}");
    let mut given = Vec::new();
    let mut options = String::new();
    for arg in &args.args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => given.push(expr),
            named @ FunctionArg::Named { .. } => options.push_str(&format!(", {named}")),
            _ => return Err(wanted()),
        }
    }
    let [files, column, namespace] = given.as_slice() else {
        return Err(wanted());
    };
    let column = column_name(column).ok_or_else(wanted)?;
    let namespace = text_of(namespace).ok_or_else(wanted)?.replace('\'', "''");
    let cells = cells(files, &column, &options).ok_or_else(wanted)?;
    // (The query that the call is in may have tables of its own with such names.)
    let [lists, parts, counts, ranks] =
        ["lists", "parts", "counts", "ranks"].map(|name| format!("\"{name} of id_coverage\""));
    let sql = format!(
        "WITH {lists} AS (SELECT cell, id_split(cell, '{namespace}') AS ids FROM ({cells}) AS cells),
         {parts} AS (SELECT unnest(CASE WHEN cardinality(ids) > 0 THEN ids ELSE make_array(named_struct(
             'raw', cell, 'id', arrow_cast(NULL, 'Utf8'), 'verdict', arrow_cast('null', 'Utf8'),
             'confidence', arrow_cast(NULL, 'Float64'), 'note', arrow_cast(NULL, 'Utf8'),
             'group', arrow_cast(NULL, 'Utf8'))) END) AS part FROM {lists}),
         {counts} AS (SELECT part['verdict'] AS verdict, part['note'] AS note, part['raw'] AS raw, count(*) AS n
             FROM {parts} GROUP BY 1, 2, 3),
         {ranks} AS (SELECT verdict, note, raw, n,
             row_number() OVER (PARTITION BY verdict, note ORDER BY n DESC, raw) AS place FROM {counts})
         SELECT coalesce(prefix_normalize('{namespace}'), '{namespace}') AS namespace, verdict, note, sum(n) AS n,
             round(100.0 * sum(n) / sum(sum(n)) OVER (), 2) AS percent, count(*) AS distinct_values,
             string_agg(concat(raw, ' (', n, ')'), ', ' ORDER BY place) FILTER (WHERE place <= 5) AS commonest
         FROM {ranks} GROUP BY verdict, note"
    );
    query_of(&sql).ok_or_else(wanted)?
}

/// A query of the cells of a column, of a file or of several, one below the other.
fn cells(files: &Expr, column: &str, options: &str) -> Option<String> {
    let files = match files {
        Expr::Array(array) => array.elem.as_slice(),
        file => std::slice::from_ref(file),
    };
    let cells = files.iter().map(|file| {
        // A table by its name, a file by its path; options need the format's function.
        let from = match options.is_empty() {
            true => file.to_string(),
            false => {
                let path = text_of(file)?;
                let format = formats::by_path(&path).map_or("tsv", |format| format.name());
                format!("read_{format}({file}{options})")
            }
        };
        Some(format!(
            "SELECT arrow_cast({column}, 'Utf8') AS cell FROM {from}"
        ))
    });
    let cells = cells.collect::<Option<Vec<_>>>()?;
    (!cells.is_empty()).then(|| cells.join(" UNION ALL "))
}

/// A query in the place of a call, with a name.
fn derived(query: Query, alias: Option<TableAlias>, name: &str) -> TableFactor {
    let alias = alias.unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::new(name),
        columns: Vec::new(),
        at: None,
    });
    TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias: Some(alias),
        sample: None,
    }
}

/// A text in quotes, or a name.
pub(crate) fn text_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        Expr::Identifier(name) => Some(name.value.clone()),
        _ => None,
    }
}

/// A column in SQL. A bare name is found in any case, as everywhere.
pub(crate) fn column_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.to_string()),
        quoted => Some(format!("\"{}\"", text_of(quoted)?.replace('"', "\"\""))),
    }
}

/// The query that a text is; an error is the parser's.
pub(crate) fn query_of(sql: &str) -> Option<Result<Query, String>> {
    let parser = Parser::new(&GenericDialect {}).try_with_sql(sql);
    let statement = parser.and_then(|mut parser| parser.parse_statement());
    match statement {
        Ok(Ast::Query(query)) if matches!(*query.body, SetExpr::Select(_)) => Some(Ok(*query)),
        Ok(_) => None,
        Err(error) => Some(Err(error.to_string())),
    }
}
