//! Aggregates whose value depends on the order of their rows.
//!
//! A group has its rows in the order of the input as long as all groups fit into memory. What has been spilled is merged
//! in any order. So those that are given no order are given that of the rows' numbers. DISTINCT has its values in an
//! order that differs from run to run, and the engine takes one order for it: that of the values.
//!
//! All others are left as they are. A sum of fractions may differ in its last digit too, but the engine lets no order be
//! said for it, and it would cost that each group holds its rows.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, Query, VisitMut, VisitorMut, visit_expressions,
};

use super::Scope;
use super::subqueries::parsed;
use super::words::quoted;
use crate::error::{Error, Result};

/// The aggregates. (The engine does not tell which they are: all that say nothing of it, such as count and median, are
/// `HardRequirement` to it.)
const ORDERED: [&str; 6] = [
    "any_value",
    "array_agg",
    "first_value",
    "last_value",
    "nth_value",
    "string_agg",
];

/// Gives the aggregates of a step an order that have none. `row`: the column of the rows' numbers; `may_mix`: whether the
/// rows may come in another order by themselves.
pub(super) fn in_order(
    scope: &Scope,
    made: &mut [(&str, String)],
    row: &str,
    may_mix: bool,
) -> Result<()> {
    let trees = made.iter().map(|(_, sql)| parsed(scope, sql));
    let mut trees = trees.collect::<Result<Vec<Expr>>>()?;
    let is_sorted = has_call(&trees, has_order);
    // (The engine may sort the rows of all for one.)
    let may_mix = may_mix || is_sorted || has_call(&trees, is_distinct);
    for (tree, (_, sql)) in trees.iter_mut().zip(made) {
        let mut orderer = Orderer {
            scope,
            row: may_mix.then(|| quoted(row)),
            is_sorted,
            depth: 0,
            has_changed: false,
        };
        if let ControlFlow::Break(error) = tree.visit(&mut orderer) {
            return Err(error);
        }
        if orderer.has_changed {
            *sql = tree.to_string();
        }
    }
    Ok(())
}

/// Whether a call has such arguments.
fn has_call(trees: &[Expr], is_such: fn(&FunctionArgumentList) -> bool) -> bool {
    let breaks = |expr: &Expr| match expr {
        Expr::Function(Function {
            args: FunctionArguments::List(list),
            ..
        }) if is_such(list) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    trees
        .iter()
        .any(|tree| visit_expressions(tree, breaks).is_break())
}

fn has_order(list: &FunctionArgumentList) -> bool {
    let is_order =
        |clause: &FunctionArgumentClause| matches!(clause, FunctionArgumentClause::OrderBy(_));
    list.clauses.iter().any(is_order)
}

fn is_distinct(list: &FunctionArgumentList) -> bool {
    list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
}

struct Orderer<'a> {
    scope: &'a Scope,
    /// The column of the rows' numbers, as SQL.
    row: Option<String>,
    /// Whether a call of the step says its order. The engine sorts the rows once, and refuses a second order; but
    /// `array_agg` sorts by itself.
    is_sorted: bool,
    /// How many queries deep this looks: rows of others have no numbers.
    depth: usize,
    has_changed: bool,
}

impl VisitorMut for Orderer<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let ordered = match expr {
            Expr::Function(call) if self.depth == 0 => self.ordered(call),
            _ => None,
        };
        let Some(sql) = ordered else {
            return ControlFlow::Continue(());
        };
        match parsed(self.scope, &sql) {
            Ok(ordered) => {
                *expr = ordered;
                self.has_changed = true;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Orderer<'_> {
    /// A call with an order, as SQL; nothing if it has one, or needs none.
    fn ordered(&self, call: &Function) -> Option<String> {
        let name = self.called(call)?;
        let FunctionArguments::List(list) = &call.args else {
            return None;
        };
        if call.over.is_some() || !call.within_group.is_empty() || !is_plain(list) {
            return None;
        }
        let (value, others) = list.args.split_first()?;
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = value else {
            return None;
        };
        let value = value.to_string();
        let filter = call.filter.as_ref();
        let parts = Parts {
            others,
            clauses: &list.clauses,
            after: filter.map_or_else(String::new, |filter| format!(" FILTER (WHERE {filter})")),
            nulls: call
                .null_treatment
                .as_ref()
                .map_or_else(String::new, |nulls| format!(" {nulls}")),
        };
        if is_distinct(list) {
            return parts.distinct(name, &value);
        }
        let row = self.row.as_deref()?;
        Some(match (name, self.is_sorted) {
            ("any_value", _) if list.clauses.is_empty() && parts.nulls.is_empty() => {
                let first = parts.call("first_value", &value, row);
                format!("{first} IGNORE NULLS")
            }
            ("any_value", _) => return None,
            ("string_agg", true) => parts.joined(&value, "", row)?,
            ("nth_value", true) => {
                let list = parts.list(&value, row);
                format!("array_element({list}, {})", parts.second()?)
            }
            // (An element of array_agg is nth_value, if it is not hidden.)
            ("array_agg", true) => format!("coalesce({})", parts.list(&value, row)),
            _ => parts.call(name, &value, row),
        })
    }

    /// Which of them a call is of.
    fn called(&self, call: &Function) -> Option<&'static str> {
        let [part] = call.name.0.as_slice() else {
            return None;
        };
        let called = part.as_ident()?.value.to_lowercase();
        let function = self.scope.state.aggregate_functions().get(&called)?;
        let own = function.name();
        ORDERED.into_iter().find(|name| *name == own)
    }
}

/// Whether no clause is among the arguments but what becomes of NULLs.
fn is_plain(list: &FunctionArgumentList) -> bool {
    let is_of_nulls = |clause: &FunctionArgumentClause| {
        matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(_))
    };
    list.clauses.iter().all(is_of_nulls)
}

/// What a call says besides its value.
struct Parts<'a> {
    others: &'a [FunctionArg],
    clauses: &'a [FunctionArgumentClause],
    /// What follows the arguments.
    after: String,
    nulls: String,
}

impl Parts<'_> {
    /// The same call in an order.
    fn call(&self, name: &str, value: &str, order: &str) -> String {
        let others: Vec<String> = self.others.iter().map(|arg| format!(", {arg}")).collect();
        self.with(name, &format!("{value}{}", others.concat()), order)
    }

    /// All values in an order.
    fn list(&self, value: &str, order: &str) -> String {
        self.with("array_agg", value, order)
    }

    fn with(&self, name: &str, arguments: &str, order: &str) -> String {
        let clauses: Vec<String> = self.clauses.iter().map(|one| format!(" {one}")).collect();
        let (clauses, after, nulls) = (clauses.concat(), &self.after, &self.nulls);
        format!("{name}({arguments}{clauses} ORDER BY {order}){after}{nulls}")
    }

    /// What string_agg is, of a list. `kind`: DISTINCT, or nothing.
    fn joined(&self, value: &str, kind: &str, order: &str) -> Option<String> {
        let list = self.list(&format!("{kind}{}", as_text(value)), order);
        let between = self.second()?;
        // (It is NULL where no value is; and takes NULL for nothing between them.)
        let text = format!("array_to_string({list}, coalesce({between}, ''))");
        let after = &self.after;
        Some(format!(
            "CASE WHEN count({value}){after} > 0 THEN arrow_cast({text}, 'LargeUtf8') END"
        ))
    }

    /// Values that are not the same, by themselves.
    fn distinct(&self, name: &str, value: &str) -> Option<String> {
        match name {
            "array_agg" => {
                let list = self.list(&format!("DISTINCT {value}"), value);
                Some(format!("coalesce({list})"))
            }
            "string_agg" => self.joined(value, "DISTINCT ", &as_text(value)),
            _ => None,
        }
    }

    /// The second of two arguments.
    fn second(&self) -> Option<String> {
        match self.others {
            [one] => Some(one.to_string()),
            _ => None,
        }
    }
}

/// The text that string_agg makes of a value.
fn as_text(value: &str) -> String {
    format!("CAST({value} AS VARCHAR)")
}
