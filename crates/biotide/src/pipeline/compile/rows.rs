//! Rows chosen, columns made.

use datafusion::logical_expr::LogicalPlan;

use super::super::actions::Params;
use super::super::spec::Entry;
use super::aggregates::in_order;
use super::scope::refused;
use super::subqueries::{Subqueries, kept, selected};
use super::words::{fresh, names, numbered, quoted};
use super::{Made, Scope, written};
use crate::error::Result;
use crate::normalize::Rules;
use crate::resumable::FilesBeside;

/// `filter`.
pub(super) fn filter(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let condition = params.needed("condition")?;
    let condition = written::expression(scope, params.place("condition"), "condition", condition)?;
    let has_subquery = Subqueries::of(scope, &condition)?.any;
    Ok(Made::Query(kept(scope, &input, &condition, has_subquery)))
}

/// `select`, `derive`.
pub(super) fn derive(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let (made, has_subquery) = expressions(scope, params.map("columns"))?;
    let own = scope.columns(&input);
    let mut shown: Vec<(&str, String)> = Vec::new();
    if params.boolean("keep_others") == Some(true) {
        for column in &own {
            let anew = made.iter().find(|(name, _)| name == column);
            let sql = anew.map_or_else(|| quoted(column), |(_, sql)| sql.clone());
            shown.push((column.as_str(), sql));
        }
    }
    let new = made
        .iter()
        .filter(|(made, _)| !shown.iter().any(|(name, _)| name == made));
    let new: Vec<(&str, String)> = new.cloned().collect();
    shown.extend(new);
    if shown.is_empty() {
        return Err(refused(params, "columns", "it makes no column"));
    }
    let columns: Vec<String> = shown
        .iter()
        .map(|(name, sql)| match quoted(name) {
            own if own == *sql => own,
            name => format!("{sql} AS {name}"),
        })
        .collect();
    let columns = columns.join(", ");
    if !has_subquery {
        let from = quoted(&input);
        return Ok(Made::Query(format!("SELECT {columns} FROM {from}")));
    }
    let names: Vec<String> = shown.iter().map(|(name, _)| (*name).to_owned()).collect();
    let row = fresh("__row", own.iter().chain(&names));
    Ok(Made::Query(selected(&input, &row, &columns, &names, "")))
}

/// Names of columns, and what they are in SQL; and whether that has subqueries.
fn expressions<'a>(scope: &Scope, entries: &'a [Entry]) -> Result<(Vec<(&'a str, String)>, bool)> {
    let mut has_subquery = false;
    let expression = |entry: &'a Entry| -> Result<(&'a str, String)> {
        let (name, tree) = (entry.key.value.as_str(), &entry.value);
        let sql = tree
            .as_text()
            .map_or_else(|| tree.to_string(), str::to_owned);
        let sql = written::expression(scope, &tree.place, name, &sql)?;
        has_subquery |= Subqueries::of_column(scope, &tree.place, name, &sql)?;
        Ok((name, sql))
    };
    let made = entries.iter().map(expression).collect::<Result<Vec<_>>>()?;
    Ok((made, has_subquery))
}

/// `aggregate`: groups come as their first rows do.
pub(super) fn aggregate(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let by = scope.columns_of(&input, params, "group_by")?;
    let (mut made, has_subquery) = expressions(scope, params.map("aggregates"))?;
    let mut columns: Vec<String> = by.iter().map(|name| quoted(name)).collect();
    let mut taken = scope.columns(&input);
    for entry in params.map("aggregates") {
        let name = &entry.key.value;
        if by.contains(name) {
            let problem = format!("{name} is a column of group_by already; call it otherwise");
            return Err(entry
                .key
                .place
                .error(format!("aggregates: {problem}"))
                .into());
        }
    }
    taken.extend(made.iter().map(|(name, _)| (*name).to_owned()));
    let row = fresh("__row", &taken);
    // (One group of all rows takes them as they come, and is never spilled; an order of its own would be held in memory
    // besides.)
    let may_mix = !by.is_empty() || has_subquery;
    in_order(scope, &mut made, &row, may_mix)?;
    for (name, sql) in made {
        columns.push(format!("{sql} AS {}", quoted(name)));
    }
    // (Where all rows become one they are numbered too, as what is asked of them may depend on their order.)
    let from = numbered(&quoted(&input), &row);
    let group = match by.is_empty() {
        true => String::new(),
        false => format!(" GROUP BY {} ORDER BY min({})", names(&by), quoted(&row)),
    };
    Ok(Made::Query(format!(
        "SELECT {} FROM {from}{group}",
        columns.join(", ")
    )))
}

/// `normalize`.
pub(super) fn normalize(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let mut rules = match params.tree("rules") {
        Some(tree) if tree.as_map().is_some() => Rules::parse(&tree.written(), &tree.place.file)?,
        _ => {
            let file = params.needed("rules")?;
            FilesBeside::note(&scope.state, file);
            Rules::open(file).map_err(|error| refused(params, "rules", error))?
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
