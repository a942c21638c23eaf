//! Expressions that people write in rules: SQL over the row and `value`.

use std::ops::ControlFlow;

use datafusion::common::{Column, DFSchema};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, VisitMut, VisitorMut};

use crate::error::Result;

/// The columns that an expression can name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Those of the table.
    pub(super) columns: &'a [String],
    /// The one that `value` stands for.
    pub(super) value: &'a str,
}

/// The column of a name: as it is written, or the only one that differs by its case.
pub(super) fn find<'c>(columns: &'c [String], name: &str) -> Option<&'c String> {
    let exact = columns.iter().find(|column| *column == name);
    exact.or_else(|| {
        let lower = name.to_lowercase();
        let mut same = columns
            .iter()
            .filter(|column| column.to_lowercase() == lower);
        let first = same.next()?;
        same.next().is_none().then_some(first)
    })
}

/// An expression of SQL over the row. `row.value` is a column that happens to be called so.
pub(super) fn parse(
    sql: &str,
    row: Row<'_>,
    schema: &DFSchema,
    state: &SessionState,
) -> Result<Expr> {
    let dialect = state.config_options().sql_parser.dialect;
    let mut parsed = state.sql_to_expr_with_alias(sql, &dialect)?;
    // (What is not broken off is through.)
    let _: ControlFlow<()> = parsed.expr.visit(&mut Completer(row));
    Ok(state.create_logical_expr_from_sql_expr(parsed, schema)?)
}

/// A column as an expression, whatever characters are in its name.
pub(super) fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

struct Completer<'a>(Row<'a>);

impl VisitorMut for Completer<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut SqlExpr) -> ControlFlow<()> {
        let Row { columns, value } = self.0;
        let name = match expr {
            SqlExpr::Identifier(name) if name.value.eq_ignore_ascii_case("value") => Some(value),
            SqlExpr::Identifier(name) => find(columns, &name.value).map(String::as_str),
            SqlExpr::CompoundIdentifier(names) => match names.as_slice() {
                [row, name] if row.value.eq_ignore_ascii_case("row") => {
                    find(columns, &name.value).map(String::as_str)
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(name) = name {
            *expr = SqlExpr::Identifier(Ident::with_quote('"', name));
        }
        ControlFlow::Continue(())
    }
}
