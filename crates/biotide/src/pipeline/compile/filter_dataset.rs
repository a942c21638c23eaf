//! `filter_dataset`: conditions without SQL.

use regex::Regex;

use super::super::actions::Params;
use super::super::spec::Value;
use super::cell::{Cell, type_of};
use super::scope::refused;
use super::words::{quoted, text};
use super::{Made, Scope};
use crate::error::Result;

/// `filter_dataset`.
pub(super) fn filter_dataset(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let mut conditions = Vec::new();
    for item in params.items("conditions") {
        conditions.push(condition(scope, &input, item)?);
    }
    let and = match params.text("logic") {
        Some("OR") => " OR ",
        _ => " AND ",
    };
    // (What cannot be said of a NULL does not hold.)
    let all = format!("coalesce({}, false)", conditions.join(and));
    let not = if params.text("mode") == Some("remove") {
        "NOT "
    } else {
        ""
    };
    let from = quoted(&input);
    Ok(Made::Query(format!(
        "SELECT * FROM {from} WHERE {not}{all}"
    )))
}

fn condition(scope: &Scope, input: &str, item: &Params) -> Result<String> {
    let column = scope.column(input, item, "column", item.needed("column")?)?;
    let operator = item.needed("operator")?;
    let data_type = type_of(scope, input, &column);
    let exact = item.boolean("case_sensitive") != Some(false);
    let cell = Cell::new(&column, &data_type, exact);
    let values = item.texts("value");
    if matches!(operator, "is_null" | "is_not_null") && item.is_given("value") {
        let problem = format!("{operator} is of the cell alone; leave it out");
        return Err(refused(item, "value", problem));
    }
    let one = || match values.as_slice() {
        [one] => Ok(*one),
        _ => Err(refused(
            item,
            "value",
            format!("{operator} needs one value"),
        )),
    };
    let list = || match values.is_empty() {
        true => Err(refused(item, "value", format!("{operator} needs values"))),
        false => Ok(cell.is_one_of(&values)),
    };
    let compare = |sign: &str| -> Result<String> {
        let value = one()?;
        let scalar = item.tree("value").and_then(|tree| match tree.as_list() {
            Some(items) => items.first()?.as_scalar(),
            None => tree.as_scalar(),
        });
        let is_number = scalar
            .is_some_and(|scalar| matches!(scalar.value, Value::Integer(_) | Value::Number(_)));
        cell.is(sign, value, is_number).ok_or_else(|| {
            let problem =
                format!("{operator}: {column} is {data_type}, and '{value}' is no value of that");
            refused(item, "value", problem)
        })
    };
    Ok(match operator {
        "equals" => cell.is_one_of(&[one()?]),
        "not_equals" => format!("NOT {}", cell.is_one_of(&[one()?])),
        "greater_than" => compare(">")?,
        "less_than" => compare("<")?,
        "greater_equal" => compare(">=")?,
        "less_equal" => compare("<=")?,
        "contains" => format!("strpos({}, {}) > 0", cell.as_text(), cell.text(one()?)),
        "not_contains" => format!("strpos({}, {}) = 0", cell.as_text(), cell.text(one()?)),
        "in_list" => list()?,
        "not_in_list" => format!("NOT {}", list()?),
        "regex" => {
            let pattern = one()?;
            if let Err(error) = Regex::new(pattern) {
                return Err(refused(item, "value", error));
            }
            let flags = if exact { "" } else { ", 'i'" };
            format!(
                "regexp_like(arrow_cast({}, 'Utf8'), {}{flags})",
                cell.sql(),
                text(pattern)
            )
        }
        "is_null" => format!("{} IS NULL", cell.sql()),
        _ => format!("{} IS NOT NULL", cell.sql()),
    })
}
