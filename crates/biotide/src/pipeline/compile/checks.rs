//! What `validate` checks, and datasets that pass through.

use biotide_common::BiotideError;

use super::super::actions::Params;
use super::super::spec::Step;
use super::bounds::Bounds;
use super::cell::{Cell, type_of};
use super::deduplicate::{Nulls, Numbered};
use super::scope::refused;
use super::subqueries::{self, Subqueries};
use super::words::{fresh, names, numbered, quoted, text};
use super::{Made, Scope, planned, written};
use crate::error::Result;

/// One check of a step.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) severity: String,
    pub(crate) what: What,
}

/// What is checked.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A condition of SQL that must hold for every row.
    Rows(String),
    /// The same of one with a subquery, which can be planned after WHERE alone.
    Sought(String),
    /// Columns whose values come once.
    Unique(Vec<String>),
    /// How many rows there are.
    Count(Bounds),
}

/// The checks of a step, of its input.
pub(crate) async fn checks(scope: &Scope, step: &Step) -> Result<Vec<Check>> {
    let params = &step.params;
    let input = scope.input(params, "input")?;
    let mut checks = Vec::new();
    for item in params.items("checks") {
        let severity = item.text("severity").unwrap_or("error").to_owned();
        let named = item.text("name");
        let mut found = of_item(scope, &input, item)?;
        if let Some(condition) = condition(scope, item)? {
            // (What is counted is part of a larger expression, in which the engine would convert it.)
            let rows = subqueries::kept(scope, &input, &condition, false);
            let fits = match scope.plan(&rows).await {
                Ok(plan) => planned::check(scope, &plan),
                Err(error) => Err(error),
            };
            fits.map_err(|error| {
                let place = format!("{}, step {}", item.place("condition"), step.name);
                BiotideError::at(place, error.into_datafusion())
            })?;
        }
        let several = found.len() > 1;
        for (default, what) in found.drain(..) {
            let name = match (named, several) {
                (Some(name), false) => name.to_owned(),
                (Some(name), true) => format!("{name}: {default}"),
                (None, _) => default,
            };
            checks.push(Check {
                name,
                severity: severity.clone(),
                what,
            });
        }
    }
    Ok(checks)
}

/// The condition of a check.
fn condition(scope: &Scope, item: &Params) -> Result<Option<String>> {
    let place = item.place("condition");
    let sql = |text| written::expression(scope, place, "condition", text);
    item.text("condition").map(sql).transpose()
}

fn of_item(scope: &Scope, input: &str, item: &Params) -> Result<Vec<(String, What)>> {
    let own = scope.columns_of(input, item, "column")?;
    let asked = item.text("check");
    let needs = |what: &str| match own.is_empty() {
        true => Err(refused(item, "column", format!("{what} needs a column"))),
        false => Ok(own.clone()),
    };
    if let Some(name) =
        asked.filter(|name| ["not_null", "unique"].contains(name) && item.is_given(name))
    {
        let problem = format!("check: {name} is of column; say the columns once");
        return Err(refused(item, name, problem));
    }
    let mut found = Vec::new();
    let not_null = match asked {
        Some("not_null") => needs("not_null")?,
        _ => scope.columns_of(input, item, "not_null")?,
    };
    for column in not_null {
        let what = What::Rows(format!("{} IS NOT NULL", quoted(&column)));
        found.push((format!("{column} is not null"), what));
    }
    let unique = match asked {
        Some("unique") => needs("unique")?,
        _ => scope.columns_of(input, item, "unique")?,
    };
    if !unique.is_empty() {
        found.push((
            format!("{} is unique", unique.join(", ")),
            What::Unique(unique),
        ));
    }
    if let Some(pattern) = item.text("regex") {
        if let Err(error) = regex::Regex::new(pattern) {
            return Err(refused(item, "regex", error));
        }
        for column in needs("regex")? {
            let whole = text(&format!("^(?:{pattern})$"));
            let condition = format!(
                "coalesce(regexp_like(arrow_cast({}, 'Utf8'), {whole}), true)",
                quoted(&column)
            );
            found.push((format!("{column} matches {pattern}"), What::Rows(condition)));
        }
    } else if asked == Some("regex") {
        return Err(refused(item, "regex", "it names no regular expression"));
    }
    let counts = asked == Some("row_count") || item.is_given("row_count");
    if counts {
        let bounds = Bounds::of_row_count(item)?;
        let name = format!("row count is from {}", bounds.shown());
        found.push((name, What::Count(bounds)));
    }
    let has_bounds = item.is_given("min") || item.is_given("max");
    if asked == Some("range") || item.is_given("range") || has_bounds && !counts {
        let bounds = Bounds::of_range(item)?;
        for column in needs("range")? {
            let name = format!("{column} is from {}", bounds.shown());
            let data_type = type_of(scope, input, &column);
            let cell = Cell::new(&column, &data_type, true);
            found.push((name, What::Rows(within(&cell, bounds))));
        }
    }
    let set = item.texts("in_set");
    if !set.is_empty() {
        for column in needs("in_set")? {
            let data_type = type_of(scope, input, &column);
            let is_one = Cell::new(&column, &data_type, true).is_one_of(&set);
            let condition = format!("coalesce({is_one}, true)");
            found.push((
                format!("{column} is one of {}", set.join(", ")),
                What::Rows(condition),
            ));
        }
    } else if asked == Some("in_set") {
        return Err(refused(item, "in_set", "it names no values"));
    }
    if let Some(sql) = condition(scope, item)? {
        let name = item.text("condition").unwrap_or(&sql).to_owned();
        let holds = match Subqueries::of(scope, &sql)?.any {
            true => What::Sought(sql),
            false => What::Rows(format!("coalesce({sql}, false)")),
        };
        found.push((name, holds));
    } else if asked == Some("condition") {
        return Err(refused(item, "condition", "it says none"));
    }
    if found.is_empty() {
        let problem =
            "it checks nothing: not_null, unique, regex, range, in_set, row_count or condition";
        return Err(refused(item, "check", problem));
    }
    let of_column = ["regex", "range", "in_set"];
    let is_used = of_column
        .into_iter()
        .chain(["not_null", "unique"])
        .any(|name| asked == Some(name))
        || of_column.into_iter().any(|name| item.is_given(name))
        || has_bounds && !counts;
    if item.is_given("column") && !is_used {
        let problem =
            "nothing here is of it: regex, range and in_set are, and check: not_null or unique";
        return Err(refused(item, "column", problem));
    }
    Ok(found)
}

/// That a cell is a number within bounds, or has no value.
fn within(cell: &Cell<'_>, bounds: Bounds) -> String {
    let mut conditions = vec![format!(
        "({} IS NULL OR {} IS NOT NULL)",
        cell.sql(),
        cell.as_double()
    )];
    conditions.extend(bounds.least.map(|least| cell.is_beside(">=", least)));
    conditions.extend(bounds.most.map(|most| cell.is_beside("<=", most)));
    format!("coalesce({}, true)", conditions.join(" AND "))
}

/// The query that counts what fails of each check, in their order; and how many rows there are, first.
pub(crate) fn counting(input: &str, checks: &[Check]) -> String {
    let from = quoted(input);
    let counts: Vec<String> = checks
        .iter()
        .map(|check| match &check.what {
            What::Rows(condition) => format!("count(*) FILTER (WHERE NOT ({condition}))"),
            What::Sought(condition) => {
                format!("count(*) - (SELECT count(*) FROM {from} WHERE {condition})")
            }
            What::Unique(columns) => {
                let has: Vec<String> = columns
                    .iter()
                    .map(|column| format!("{} IS NOT NULL", quoted(column)))
                    .collect();
                format!(
                    "(SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {from} WHERE {} GROUP BY {}))",
                    has.join(" AND "),
                    names(columns)
                )
            }
            What::Count(..) => "0".to_owned(),
        })
        .enumerate()
        .map(|(n, sql)| format!("arrow_cast({sql}, 'Int64') AS c{n}"))
        .collect();
    let counts = counts.join(", ");
    format!("SELECT count(*) AS total, {counts} FROM {from}")
}

/// `validate`, `cache`: the dataset, without rows that fail if those are to be dropped.
pub(super) async fn kept(scope: &Scope, step: &Step) -> Result<Made> {
    let params = &step.params;
    let input = scope.input(params, "input")?;
    let from = quoted(&input);
    let all = Made::Query(format!("SELECT * FROM {from}"));
    if step.action.name != "validate" {
        return Ok(all);
    }
    // (What is wrong with a check is wrong too where no row is dropped.)
    let checks = checks(scope, step).await?;
    planned::check(scope, &scope.plan(&counting(&input, &checks)).await?)?;
    if params.text("on_fail") != Some("drop") {
        return Ok(all);
    }
    let mut conditions = Vec::new();
    let mut has_subquery = false;
    let mut unique = Vec::new();
    for check in checks {
        match (check.severity.as_str(), check.what) {
            ("error", What::Rows(condition)) => conditions.push(format!("({condition})")),
            ("error", What::Sought(condition)) => {
                has_subquery = true;
                conditions.push(format!("({condition})"));
            }
            ("error", What::Unique(columns)) => unique.push(columns),
            _ => {}
        }
    }
    let mut sql = match conditions.is_empty() {
        true => format!("SELECT * FROM {from}"),
        false => subqueries::kept(scope, &input, &conditions.join(" AND "), has_subquery),
    };
    let columns = scope.columns(&input);
    let row = fresh("__row", &columns);
    for by in &unique {
        let rows = Numbered {
            from: numbered(&format!("({sql})"), &row),
            rows: vec![row.clone()],
            columns: &columns,
        };
        sql = rows.distinct(by, Vec::new(), false, Nulls::Different);
    }
    Ok(Made::Query(sql))
}
