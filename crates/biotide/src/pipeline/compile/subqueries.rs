//! Subqueries in the SQL of a step.
//!
//! The engine makes joins of them, which give their rows as they find them. So the rows that are asked with one are
//! numbered before, and sorted by that. Those of other SQL, [windows](super::windows) aside, stay in their order by
//! themselves, and what they are asked goes down to what reads them.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Visit, Visitor};

use super::super::spec::Place;
use super::Scope;
use super::words::{fresh, names, numbered, quoted};
use crate::error::Result;

/// What an expression asks queries of its own.
#[derive(Debug, Default)]
pub(super) struct Subqueries {
    /// Whether there is one.
    pub(super) any: bool,
    /// What is asked of all rows of one, `IN (SELECT …)` or EXISTS: the engine can plan it as a condition alone.
    test: Option<String>,
    /// How many queries deep this looks.
    depth: usize,
}

impl Subqueries {
    /// Those of an expression.
    pub(super) fn of(scope: &Scope, sql: &str) -> Result<Self> {
        let mut found = Self::default();
        // (It is broken off by nothing.)
        let _ = parsed(scope, sql)?.visit(&mut found);
        Ok(found)
    }

    /// Refuses what cannot become a column, and tells whether there is any.
    pub(super) fn of_column(scope: &Scope, place: &Place, key: &str, sql: &str) -> Result<bool> {
        let found = Self::of(scope, sql)?;
        match found.test {
            None => Ok(found.any),
            Some(test) => Err(place
                .error(format!(
                    "{key}: '{test}' can be the condition of a filter, and no part of a column; use it in a step filter, \
                     join, or derive a column (SELECT count(*) FROM … WHERE …) > 0"
                ))
                .into()),
        }
    }
}

impl Visitor for Subqueries {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.any = true;
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        // (What a subquery asks itself is mostly after its own WHERE.)
        if self.depth == 0 && self.test.is_none() && is_test(expr) {
            self.test = Some(expr.to_string());
        }
        ControlFlow::Continue(())
    }
}

fn is_test(expr: &Expr) -> bool {
    match expr {
        Expr::InSubquery { .. } | Expr::Exists { .. } => true,
        Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => {
            matches!(**right, Expr::Subquery(_))
        }
        _ => false,
    }
}

/// An expression that was read before: see [`super::written::expression`].
pub(super) fn parsed(scope: &Scope, sql: &str) -> Result<Expr> {
    let dialect = scope.state.config_options().sql_parser.dialect;
    Ok(scope.state.sql_to_expr(sql, &dialect)?)
}

/// The rows of a dataset that a condition holds for, in their order.
pub(super) fn kept(scope: &Scope, input: &str, condition: &str, has_subquery: bool) -> String {
    if !has_subquery {
        return format!("SELECT * FROM {} WHERE {condition}", quoted(input));
    }
    let columns = scope.columns(input);
    let row = fresh("__row", &columns);
    let condition = format!(" WHERE {condition}");
    selected(input, &row, &names(&columns), &columns, &condition)
}

/// What is selected of a dataset, in the order of its rows. `row`: what their numbers are called; `shown`: what the
/// columns are.
pub(super) fn selected(
    input: &str,
    row: &str,
    columns: &str,
    shown: &[String],
    condition: &str,
) -> String {
    let input = quoted(input);
    // (It keeps its name: subqueries say by it what is of this row.)
    let from = format!("{} AS {input}{condition}", numbered(&input, row));
    let (row, place) = (quoted(row), quoted(&fresh("__place", shown)));
    // (The engine drops an ORDER BY in a query over this one, where a step numbers its rows anew; not what a window needs
    // that is asked for something.)
    format!(
        "SELECT {} FROM (SELECT *, row_number() OVER (ORDER BY {row}) AS {place} FROM (SELECT {columns}, {row} FROM {from})) WHERE {place} > 0",
        names(shown)
    )
}
