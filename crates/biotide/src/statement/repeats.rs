//! Which statements choose the same rows each time.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use super::order::{comes_in_order, plain};
use crate::normalize::RAISE;
use crate::pipeline::measure::StepNode;

/// Whether a plan gives the same rows in the same order each time, so that writing them can be resumed.
pub(crate) fn repeats_in_order(plan: &LogicalPlan) -> bool {
    comes_in_order(plan) && repeats(plan)
}

/// Whether a plan chooses the same rows each time it runs over the same files: nothing that decides about rows is random,
/// or depends on the time of day. Values that are only shown may be.
pub(crate) fn repeats(plan: &LogicalPlan) -> bool {
    match plan {
        // (Of a projection with nothing above it each row is one row, whatever its values.)
        LogicalPlan::Projection(projection) => {
            projection.expr.iter().all(plain) && repeats(&projection.input)
        }
        LogicalPlan::SubqueryAlias(alias) => repeats(&alias.input),
        LogicalPlan::Extension(extension) if StepNode::of(extension).is_some() => {
            extension.node.inputs().into_iter().all(repeats)
        }
        other => is_stable(other),
    }
}

fn is_stable(plan: &LogicalPlan) -> bool {
    let mut stable = true;
    let visited = plan.apply_with_subqueries(|plan| {
        plan.apply_expressions(|expr| {
            expr.apply(|expr| {
                stable &= !changes(expr);
                Ok(match stable {
                    true => TreeNodeRecursion::Continue,
                    false => TreeNodeRecursion::Stop,
                })
            })
        })
    });
    visited.is_ok() && stable
}

/// Of what is the same in one statement only, what is of the time of day. (Others depend on tables, as identifiers do.)
const OF_TIME: [&str; 5] = [
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "today",
];

/// Whether a call may give something else the next time.
fn changes(expr: &Expr) -> bool {
    let (name, volatility) = match expr {
        Expr::ScalarFunction(call) => (call.func.name(), call.func.signature().volatility),
        Expr::AggregateFunction(call) => (call.func.name(), call.func.signature().volatility),
        _ => return false,
    };
    match volatility {
        Volatility::Immutable => false,
        Volatility::Stable => OF_TIME.contains(&name),
        // (That one is not to be worked out before the rows are there.)
        Volatility::Volatile => name != RAISE,
    }
}
