//! What `validate` checks, and datasets that pass through.

use super::super::actions::Params;
use super::super::spec::Step;
use super::scope::refused;
use super::words::{names, quoted, text};
use super::{Made, Scope};
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
    /// Columns whose values come once.
    Unique(Vec<String>),
    /// How many rows there are.
    Count(Option<f64>, Option<f64>),
}

/// The checks of a step, of its input.
pub(crate) fn checks(scope: &Scope, params: &Params) -> Result<Vec<Check>> {
    let input = scope.input(params, "input")?;
    let mut checks = Vec::new();
    for item in params.items("checks") {
        let severity = item.text("severity").unwrap_or("error").to_owned();
        let named = item.text("name");
        let mut found = of_item(scope, &input, item)?;
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

fn of_item(scope: &Scope, input: &str, item: &Params) -> Result<Vec<(String, What)>> {
    let own = scope.columns_of(input, item, "column")?;
    let asked = item.text("check");
    let needs = |what: &str| match own.is_empty() {
        true => Err(refused(item, "column", format!("{what} needs a column"))),
        false => Ok(own.clone()),
    };
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
    let bounds = item.list("range");
    let bound = |n: usize, name: &str| match bounds.get(n) {
        Some(tree) => tree.as_text().and_then(|text| text.parse::<f64>().ok()),
        None => item.number(name),
    };
    let (least, most) = (bound(0, "min"), bound(1, "max"));
    if asked == Some("row_count") || !item.map("row_count").is_empty() {
        let given = |name: &str| {
            let entry = item
                .map("row_count")
                .iter()
                .find(|entry| entry.key.value == name);
            entry.and_then(|entry| entry.value.as_text()?.parse::<f64>().ok())
        };
        let (least, most) = (given("min").or(least), given("max").or(most));
        if least.is_none() && most.is_none() {
            return Err(refused(item, "row_count", "it names no min and no max"));
        }
        found.push(("row count".to_owned(), What::Count(least, most)));
    } else if asked == Some("range") || !bounds.is_empty() {
        if least.is_none() && most.is_none() {
            return Err(refused(item, "range", "it has no bound"));
        }
        for column in needs("range")? {
            let cell = format!("try_cast({} AS DOUBLE)", quoted(&column));
            let mut conditions = vec![format!(
                "({} IS NULL OR {cell} IS NOT NULL)",
                quoted(&column)
            )];
            conditions.extend(least.map(|least| format!("{cell} >= {least:?}")));
            conditions.extend(most.map(|most| format!("{cell} <= {most:?}")));
            let shown =
                |bound: Option<f64>| bound.map_or("…".to_owned(), |bound| bound.to_string());
            let condition = format!("coalesce({}, true)", conditions.join(" AND "));
            found.push((
                format!("{column} is from {} to {}", shown(least), shown(most)),
                What::Rows(condition),
            ));
        }
    }
    let set = item.texts("in_set");
    if !set.is_empty() {
        for column in needs("in_set")? {
            let list: Vec<String> = set.iter().map(|value| text(value)).collect();
            let condition = format!(
                "coalesce(arrow_cast({}, 'Utf8') IN ({}), true)",
                quoted(&column),
                list.join(", ")
            );
            found.push((
                format!("{column} is one of {}", set.join(", ")),
                What::Rows(condition),
            ));
        }
    }
    if let Some(condition) = item.text("condition") {
        found.push((
            condition.to_owned(),
            What::Rows(format!("coalesce({condition}, false)")),
        ));
    }
    if found.is_empty() {
        let problem =
            "it checks nothing: not_null, unique, regex, range, in_set, row_count or condition";
        return Err(refused(item, "check", problem));
    }
    Ok(found)
}

/// The query that counts what fails of each check, in their order; and how many rows there are, first.
pub(crate) fn counting(input: &str, checks: &[Check]) -> String {
    let from = quoted(input);
    let counts: Vec<String> = checks
        .iter()
        .map(|check| match &check.what {
            What::Rows(condition) => format!("count(*) FILTER (WHERE NOT ({condition}))"),
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
pub(super) fn kept(scope: &Scope, step: &Step) -> Result<Made> {
    let params = &step.params;
    let input = scope.input(params, "input")?;
    let from = quoted(&input);
    if step.action.name != "validate" || params.text("on_fail") != Some("drop") {
        return Ok(Made::Query(format!("SELECT * FROM {from}")));
    }
    let mut conditions = Vec::new();
    let mut unique = Vec::new();
    for check in checks(scope, params)? {
        match (check.severity.as_str(), check.what) {
            ("error", What::Rows(condition)) => conditions.push(format!("({condition})")),
            ("error", What::Unique(columns)) => unique.push(columns),
            _ => {}
        }
    }
    let mut sql = match conditions.is_empty() {
        true => format!("SELECT * FROM {from}"),
        false => format!("SELECT * FROM {from} WHERE {}", conditions.join(" AND ")),
    };
    for (n, columns) in unique.iter().enumerate() {
        let name = format!("__unique_{n}");
        let query = super::rows::distinct(&name, columns, None, false);
        sql = format!("WITH {} AS ({sql}) {query}", quoted(&name));
    }
    Ok(Made::Query(sql))
}
