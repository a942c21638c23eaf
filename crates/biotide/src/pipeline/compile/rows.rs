//! Rows chosen, columns made.

use datafusion::logical_expr::LogicalPlan;

use super::super::actions::Params;
use super::scope::refused;
use super::words::{names, quoted, text};
use super::{Made, Scope};
use crate::error::Result;
use crate::normalize::Rules;
use crate::resumable::FilesBeside;

/// `filter`.
pub(super) fn filter(scope: &Scope, params: &Params) -> Result<Made> {
    let from = quoted(&scope.input(params, "input")?);
    let condition = params.needed("condition")?;
    Ok(Made::Query(format!(
        "SELECT * FROM {from} WHERE {condition}"
    )))
}

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
    let cell = quoted(&column);
    let operator = item.needed("operator")?;
    let values = item.texts("value");
    let exact = item.boolean("case_sensitive") != Some(false);
    let folded = |text: String| match exact {
        true => text,
        false => format!("lower({text})"),
    };
    let as_text = folded(format!("arrow_cast({cell}, 'Utf8')"));
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
        false => {
            let list: Vec<String> = values.iter().map(|value| folded(text(value))).collect();
            Ok(list.join(", "))
        }
    };
    let compare = |sign: &str| -> Result<String> {
        let value = one()?;
        // (Numbers are compared as numbers, whatever the column was read as.)
        Ok(match value.parse::<f64>() {
            Ok(_) => format!("try_cast({cell} AS DOUBLE) {sign} {value}"),
            Err(_) => format!("{as_text} {sign} {}", folded(text(value))),
        })
    };
    Ok(match operator {
        "equals" => format!("{as_text} = {}", folded(text(one()?))),
        "not_equals" => format!("{as_text} <> {}", folded(text(one()?))),
        "greater_than" => compare(">")?,
        "less_than" => compare("<")?,
        "greater_equal" => compare(">=")?,
        "less_equal" => compare("<=")?,
        "contains" => format!("strpos({as_text}, {}) > 0", folded(text(one()?))),
        "not_contains" => format!("strpos({as_text}, {}) = 0", folded(text(one()?))),
        "in_list" => format!("{as_text} IN ({})", list()?),
        "not_in_list" => format!("{as_text} NOT IN ({})", list()?),
        "regex" => {
            let flags = if exact { "" } else { ", 'i'" };
            format!(
                "regexp_like(arrow_cast({cell}, 'Utf8'), {}{flags})",
                text(one()?)
            )
        }
        "is_null" => format!("{cell} IS NULL"),
        _ => format!("{cell} IS NOT NULL"),
    })
}

/// `select`, `derive`.
pub(super) fn derive(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let made: Vec<(&str, String)> = params
        .map("columns")
        .iter()
        .map(|entry| (entry.key.value.as_str(), scalar(&entry.value)))
        .collect();
    let mut columns = Vec::new();
    let own = scope.columns(&input);
    if params.boolean("keep_others") == Some(true) {
        for column in &own {
            let anew = made.iter().find(|(name, _)| name == column);
            columns.push(match anew {
                Some((name, sql)) => format!("{sql} AS {}", quoted(name)),
                None => quoted(column),
            });
        }
        let new = made
            .iter()
            .filter(|(name, _)| !own.iter().any(|own| own == name));
        columns.extend(new.map(|(name, sql)| format!("{sql} AS {}", quoted(name))));
    } else {
        columns.extend(
            made.iter()
                .map(|(name, sql)| format!("{sql} AS {}", quoted(name))),
        );
    }
    if columns.is_empty() {
        return Err(refused(params, "columns", "it makes no column"));
    }
    let from = quoted(&input);
    Ok(Made::Query(format!(
        "SELECT {} FROM {from}",
        columns.join(", ")
    )))
}

fn scalar(tree: &super::super::spec::Tree) -> String {
    tree.as_text()
        .map_or_else(|| tree.to_string(), str::to_owned)
}

/// `aggregate`.
pub(super) fn aggregate(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let by = scope.columns_of(&input, params, "group_by")?;
    let mut columns: Vec<String> = by.iter().map(|name| quoted(name)).collect();
    for entry in params.map("aggregates") {
        columns.push(format!(
            "{} AS {}",
            scalar(&entry.value),
            quoted(&entry.key.value)
        ));
    }
    let group = match by.is_empty() {
        true => String::new(),
        false => format!(" GROUP BY {}", names(&by)),
    };
    let from = quoted(&input);
    Ok(Made::Query(format!(
        "SELECT {} FROM {from}{group}",
        columns.join(", ")
    )))
}

/// `deduplicate`.
pub(super) fn deduplicate(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let mut by = scope.columns_of(&input, params, "columns")?;
    if by.is_empty() {
        by = scope.columns(&input);
    }
    let order = params.text("order_by");
    let last = params.text("keep") == Some("last");
    Ok(Made::Query(distinct(&input, &by, order, last)))
}

/// One row of those that have the same values in some columns: the first of an order, or the last one.
pub(super) fn distinct(input: &str, by: &[String], order: Option<&str>, last: bool) -> String {
    let from = quoted(input);
    // Numbered first, as the order of the input is known there only; at the end the rows are in it again.
    let (order, way) = match (order, last) {
        (Some(order), false) => (format!("{order}, __row"), ""),
        (Some(order), true) => (order.to_owned(), " DESC"),
        (None, false) => ("__row".to_owned(), ""),
        (None, true) => ("__row".to_owned(), " DESC"),
    };
    format!(
        "SELECT * EXCEPT (__row, __place) FROM (SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {order}{way}) \
         AS __place FROM (SELECT *, row_number() OVER () AS __row FROM {from})) WHERE __place = 1 ORDER BY __row",
        names(by)
    )
}

/// `normalize`.
pub(super) fn normalize(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let mut rules = match params.tree("rules") {
        Some(tree) if tree.as_map().is_some() => Rules::parse(&tree.written(), &tree.place.file)?,
        _ => {
            let file = params.needed("rules")?;
            FilesBeside::note(&scope.state, file);
            Rules::open(file)?
        }
    };
    match params.text("unmapped") {
        Some("keep") => rules.keep_unmapped(true),
        Some("drop") => rules.keep_unmapped(false),
        _ => {}
    }
    let plan = scope.dataset(&input).cloned().unwrap_or_else(|| {
        LogicalPlan::EmptyRelation(datafusion::logical_expr::EmptyRelation {
            produce_one_row: false,
            schema: std::sync::Arc::new(datafusion::common::DFSchema::empty()),
        })
    });
    let plan = datafusion::logical_expr::LogicalPlanBuilder::from(plan)
        .alias("row")?
        .build()?;
    Ok(Made::Plan(Box::new(rules.apply(plan, &scope.state)?)))
}
