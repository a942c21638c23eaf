//! Rows chosen, columns made.

use datafusion::logical_expr::LogicalPlan;

use super::super::actions::Params;
use super::super::spec::Entry;
use super::scope::refused;
use super::words::{fresh, names, numbered, quoted};
use super::{Made, Scope, written};
use crate::error::Result;
use crate::normalize::Rules;
use crate::resumable::FilesBeside;

/// `filter`.
pub(super) fn filter(scope: &Scope, params: &Params) -> Result<Made> {
    let from = quoted(&scope.input(params, "input")?);
    let condition = params.needed("condition")?;
    let condition = written::expression(scope, params.place("condition"), "condition", condition)?;
    Ok(Made::Query(format!(
        "SELECT * FROM {from} WHERE {condition}"
    )))
}

/// `select`, `derive`.
pub(super) fn derive(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let made = expressions(scope, params.map("columns"))?;
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

/// Names of columns, and what they are in SQL.
fn expressions<'a>(scope: &Scope, entries: &'a [Entry]) -> Result<Vec<(&'a str, String)>> {
    let expression = |entry: &'a Entry| -> Result<(&'a str, String)> {
        let (name, tree) = (entry.key.value.as_str(), &entry.value);
        let sql = tree
            .as_text()
            .map_or_else(|| tree.to_string(), str::to_owned);
        Ok((name, written::expression(scope, &tree.place, name, &sql)?))
    };
    entries.iter().map(expression).collect()
}

/// `aggregate`: groups come as their first rows do.
pub(super) fn aggregate(scope: &Scope, params: &Params) -> Result<Made> {
    let input = scope.input(params, "input")?;
    let by = scope.columns_of(&input, params, "group_by")?;
    let made = expressions(scope, params.map("aggregates"))?;
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
    for (name, sql) in made {
        columns.push(format!("{sql} AS {}", quoted(name)));
        taken.push(name.to_owned());
    }
    let row = fresh("__row", &taken);
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
