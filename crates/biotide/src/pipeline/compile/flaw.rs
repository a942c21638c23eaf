//! What is wrong with rows, as SQL; and the rows with which nothing is.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::Expr;

use super::super::sift::{Flawed, SiftNode};
use super::words::text;
use crate::error::Result;

/// What may be wrong with a row.
pub(super) struct Flaw<'a> {
    /// Its code.
    pub(super) reason: &'a str,
    /// The column it is in.
    pub(super) column: &'a str,
    /// In words.
    pub(super) message: &'a str,
    /// The value, as SQL.
    pub(super) raw: &'a str,
    /// Where the row stands, as SQL: its file, line and offset.
    pub(super) place: Option<[&'a str; 3]>,
}

impl Flaw<'_> {
    /// As SQL.
    pub(super) fn sql(&self) -> String {
        let string = |sql: &str| format!("arrow_cast({sql}, 'Utf8')");
        let place = self.place.map_or_else(String::new, |[file, line, offset]| {
            format!(
                ", 'source', {}, 'line', arrow_cast({line}, 'Int64'), 'offset', arrow_cast({offset}, 'Int64')",
                string(file)
            )
        });
        format!(
            "named_struct('reason', {}, 'column', {}, 'message', {}, 'raw', {}{place})",
            string(&text(self.reason)),
            string(&text(self.column)),
            string(&text(self.message)),
            string(self.raw),
        )
    }
}

/// The rows of a plan with which nothing is wrong, without the column that says so.
pub(super) fn sifted(plan: LogicalPlan, flaw: &str, flawed: Flawed) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let kept = schema.iter().filter(|(_, field)| field.name() != flaw);
    let kept = kept.map(|(qualifier, field)| Expr::Column(Column::from((qualifier, field))));
    let sifted = SiftNode::over(plan, flaw.to_owned(), flawed);
    let rows = LogicalPlanBuilder::from(sifted).project(kept)?;
    Ok(rows.build()?)
}
