//! Expressions that people write in rules: SQL over the row and `value`.

use std::ops::ControlFlow;

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, plan_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, VisitMut, VisitorMut};

use crate::error::Result;

/// The columns that an expression can name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Those of the table.
    pub(super) columns: &'a [String],
    /// What they are called while the rules are at work. (Names of their own, as DataFusion takes some for
    /// ambiguous that stand both with the table's name and without.)
    pub(super) inner: &'a [String],
    /// The one that `value` stands for.
    pub(super) value: &'a str,
}

impl<'a> Row<'a> {
    /// What a column of the table is called.
    pub(super) fn inner(&self, name: &str) -> Option<&'a str> {
        self.inner
            .get(find(self.columns, name)?)
            .map(String::as_str)
    }
}

/// The place of a column: as it is written, or the only one that differs by its case.
pub(super) fn find(columns: &[String], name: &str) -> Option<usize> {
    let exact = columns.iter().position(|column| column == name);
    exact.or_else(|| {
        let lower = name.to_lowercase();
        let is_same = |&at: &usize| columns[at].to_lowercase() == lower;
        let mut same = (0..columns.len()).filter(is_same);
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
    let mut completer = Completer { row, unknown: None };
    // (What is not broken off is through.)
    let _: ControlFlow<()> = parsed.expr.visit(&mut completer);
    let planned = state.create_logical_expr_from_sql_expr(parsed, schema);
    match (planned, completer.unknown) {
        (Err(_), Some(name)) => {
            let known = row.columns.join(", ");
            Err(
                plan_datafusion_err!("there is no column \"{name}\": there are {known}, and value")
                    .into(),
            )
        }
        (planned, _) => Ok(planned?),
    }
}

/// An expression that tells of a row from this row alone; an error is that it does not.
pub(super) fn checked(sql: &str, expr: Expr) -> Result<Expr, String> {
    let looks_elsewhere = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::Placeholder(_)
                | Expr::Unnest(_)
        ))
    };
    match expr.exists(looks_elsewhere) {
        Ok(false) => Ok(expr),
        _ => Err(format!(
            "\"{sql}\" is not of one row: aggregates, windows, subqueries, unnest and placeholders belong into the \
             query around it"
        )),
    }
}

/// A column as an expression, whatever characters are in its name.
pub(super) fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

struct Completer<'a> {
    row: Row<'a>,
    /// A name that is no column.
    unknown: Option<String>,
}

impl VisitorMut for Completer<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut SqlExpr) -> ControlFlow<()> {
        let row = self.row;
        let name = match expr {
            SqlExpr::Identifier(name) if name.value.eq_ignore_ascii_case("value") => {
                Some(row.value)
            }
            SqlExpr::Identifier(name) => {
                let inner = row.inner(&name.value);
                if inner.is_none() {
                    self.unknown = Some(name.value.clone());
                }
                inner
            }
            SqlExpr::CompoundIdentifier(names) => match names.as_mut_slice() {
                [of, name] if of.value.eq_ignore_ascii_case("row") => row.inner(&name.value),
                // A field of a struct.
                [of, ..] if let Some(inner) = row.inner(&of.value) => {
                    *of = Ident::with_quote('"', inner);
                    None
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
