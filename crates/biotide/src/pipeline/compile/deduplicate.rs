//! One row of those that have the same values.

use super::super::actions::Params;
use super::words::{fresh, names, numbered, quoted};
use super::{Made, Scope, written};
use crate::error::Result;

/// `deduplicate`.
pub(super) fn deduplicate(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let columns = scope.columns(&input);
    let mut by = scope.columns_of(&input, params, "columns")?;
    if by.is_empty() {
        by.clone_from(&columns);
    }
    let last = params.text("keep") == Some("last");
    let row = fresh("__row", &columns);
    let from = Numbered {
        from: numbered(&quoted(&input), &row),
        rows: vec![row],
        columns: &columns,
    };
    let order = written::order(scope, params, "order_by", last)?;
    Ok(Made::Query(from.distinct(&by, order, last, Nulls::Same)))
}

/// Whether two rows without a value have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// They have.
    Same,
    /// They have not, as for SQL's UNIQUE and the keys of joins.
    Different,
}

/// A table whose rows are numbered.
pub(super) struct Numbered<'a> {
    /// It, in SQL.
    pub(super) from: String,
    /// The columns that number its rows: by the first, then by the second, and so on.
    pub(super) rows: Vec<String>,
    /// The others.
    pub(super) columns: &'a [String],
}

impl Numbered<'_> {
    /// One row of those that have the same values in some columns, in the order of rows: the first of an order, or the
    /// last of the table if no order is left between them. (What is last by an order is first by its reverse.)
    pub(super) fn distinct(
        &self,
        by: &[String],
        order: Vec<String>,
        last: bool,
        nulls: Nulls,
    ) -> String {
        format!(
            "SELECT {} {} ORDER BY {}",
            names(self.columns),
            self.chosen(by, order, last, nulls),
            names(&self.rows)
        )
    }

    /// The same from FROM on, with the numbers, in any order.
    pub(super) fn chosen(
        &self,
        by: &[String],
        mut order: Vec<String>,
        last: bool,
        nulls: Nulls,
    ) -> String {
        let way = if last { "DESC" } else { "ASC" };
        order.extend(self.rows.iter().map(|row| format!("{} {way}", quoted(row))));
        let place = quoted(&fresh("__place", self.columns.iter().chain(&self.rows)));
        let or_null = match nulls {
            Nulls::Same => String::new(),
            Nulls::Different => format!(" OR {}", any_is_null(by)),
        };
        format!(
            "FROM (SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {}) AS {place} FROM {}) WHERE {place} = 1{or_null}",
            names(by),
            order.join(", "),
            self.from
        )
    }
}

/// That one of some columns has no value.
pub(super) fn any_is_null(columns: &[String]) -> String {
    let nulls: Vec<String> = columns
        .iter()
        .map(|column| format!("{} IS NULL", quoted(column)))
        .collect();
    nulls.join(" OR ")
}
