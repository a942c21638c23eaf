//! Rows chosen, columns made.

use biotide_common::BiotideError;
use datafusion::logical_expr::LogicalPlan;

use super::super::actions::Params;
use super::super::spec::{Entry, Step};
use super::scope::refused;
use super::subqueries::{Subqueries, kept, selected};
use super::words::{fresh, names, numbered, quoted};
use super::{Made, Scope, aggregates, planned, windows, written};
use crate::error::{Error, Result};
use crate::normalize::Rules;
use crate::resumable::FilesBeside;

/// `filter`.
pub(super) fn filter(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let condition = params.needed("condition")?;
    let condition = written::expression(scope, params.place("condition"), "condition", condition)?;
    if let Some(window) = windows::calls(scope, &condition)?.first() {
        let problem = format!(
            "'{window}' looks at other rows, which a condition cannot; derive a column of it, and ask for that"
        );
        return Err(refused(params, "condition", problem));
    }
    let has_subquery = Subqueries::of(scope, &condition)?.any;
    Ok(Made::Query(kept(scope, &input, &condition, has_subquery)))
}

/// `select`, `derive`.
pub(super) fn derive(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let entries = params.map("columns");
    let (mut made, may_mix) = expressions(scope, entries)?;
    let own = scope.columns(&input);
    let names = entries.iter().map(|entry| &entry.key.value);
    let row = fresh("__row", own.iter().chain(names));
    if may_mix {
        windows::in_order(scope, &mut made, &quoted(&row))?;
    }
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
    if !may_mix {
        let from = quoted(&input);
        return Ok(Made::Query(format!("SELECT {columns} FROM {from}")));
    }
    let names: Vec<String> = shown.iter().map(|(name, _)| (*name).to_owned()).collect();
    Ok(Made::Query(selected(&input, &row, &columns, &names, "")))
}

/// Names of columns, and what they are in SQL; and whether rows may come in another order for that.
fn expressions<'a>(scope: &Scope, entries: &'a [Entry]) -> Result<(Vec<(&'a str, String)>, bool)> {
    let mut may_mix = false;
    let column = |entry: &'a Entry| -> Result<(&'a str, String)> {
        let (name, sql) = (entry.key.value.as_str(), expression(scope, entry)?);
        may_mix |= Subqueries::of_column(scope, &entry.value.place, name, &sql)?;
        may_mix |= windows::may_mix(scope, &sql)?;
        Ok((name, sql))
    };
    let made = entries.iter().map(column).collect::<Result<Vec<_>>>()?;
    Ok((made, may_mix))
}

/// What a column is, in SQL.
fn expression(scope: &Scope, entry: &Entry) -> Result<String> {
    let tree = &entry.value;
    let sql = tree
        .as_text()
        .map_or_else(|| tree.to_string(), str::to_owned);
    written::expression(scope, &tree.place, &entry.key.value, &sql)
}

/// `aggregate`: groups come as their first rows do.
pub(super) fn aggregate(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let by = scope.columns_of(&input, params, "group_by")?;
    let (mut made, may_mix) = expressions(scope, params.map("aggregates"))?;
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
    // (A group is where its first row is.)
    windows::in_order(scope, &mut made, &format!("min({})", quoted(&row)))?;
    // (One group of all rows takes them as they come, and is never spilled; an order of its own would be held in memory
    // besides.)
    let may_mix = may_mix || !by.is_empty();
    aggregates::in_order(scope, &mut made, &row, may_mix)?;
    for (name, sql) in made {
        columns.push(format!("{sql} AS {}", quoted(name)));
    }
    // (Where all rows become one they are numbered too, as what is asked of them may depend on their order.)
    let from = numbered(&quoted(&input), &row);
    let order = match by.is_empty() {
        true => String::new(),
        false => format!(" ORDER BY min({})", quoted(&row)),
    };
    Ok(Made::Query(format!(
        "SELECT {} FROM {from}{}{order}",
        columns.join(", "),
        grouped(&by)
    )))
}

/// What makes one row of those with the same values in some columns: of all, where there are none.
fn grouped(by: &[String]) -> String {
    match by.is_empty() {
        // (Else they stay many where nothing is an aggregate.)
        true => " HAVING count(*) >= 0".to_owned(),
        false => format!(" GROUP BY {}", names(by)),
    }
}

/// What the engine refuses of a step, told of the first of its columns that it refuses by itself.
pub(super) async fn told_of_column(scope: &Scope, step: &Step, error: Error) -> Error {
    match one_by_one(scope, step).await {
        Ok(()) => error,
        Err(of_column) => of_column,
    }
}

/// Plans each of the columns that a step makes, as far as the first that is refused.
async fn one_by_one(scope: &Scope, step: &Step) -> Result<()> {
    let params = &step.params;
    let (key, has_groups) = match step.action.name {
        "select" | "derive" => ("columns", false),
        "aggregate" => ("aggregates", true),
        _ => return Ok(()),
    };
    let input = scope.input(params, "input")?;
    let group = match has_groups {
        true => grouped(&scope.columns_of(&input, params, "group_by")?),
        false => String::new(),
    };
    for entry in params.map(key) {
        let sql = expression(scope, entry)?;
        let sql = format!("SELECT {sql} FROM {}{group}", quoted(&input));
        let fits = match scope.plan(&sql).await {
            Ok(plan) => planned::check(scope, &plan),
            Err(error) => Err(error),
        };
        fits.map_err(|error| {
            let (place, column) = (&entry.value.place, &entry.key.value);
            let place = format!("{place}, step {}: {key}: {column}", step.name);
            BiotideError::at(place, error.into_datafusion())
        })?;
    }
    Ok(())
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
