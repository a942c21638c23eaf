//! Which statements keep the order of their input.

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan};

use biotide_exec::concat::ConcatNode;
use biotide_formats::table::BiotideTable;
use biotide_stream::ProcessorNode;

use crate::mapping::lateral::node as xref;
use crate::mapping::told::ToldNode;
use crate::pipeline::measure::StepNode;
use crate::pipeline::sift::SiftNode;

/// Scan, filter, projection and limit over files that can be read in order: then a single ordered scan,
/// decoded in parallel, costs nothing, and `LIMIT 10` means the first ten.
pub(crate) fn keeps_order(plan: &LogicalPlan) -> bool {
    keeps(plan, &|plan| is_source(plan, false))
}

/// The same of rows that are written somewhere: from any file, they come in its order each time.
pub(super) fn comes_in_order(plan: &LogicalPlan) -> bool {
    keeps(plan, &|plan| is_source(plan, true))
}

/// Whether what is written has an order that the engine would lose by sharing out rows among threads: that of a file, or of
/// a sort further down. (Rows that a sort holds for equal may come in another order the next time.)
pub(crate) fn keeps_order_when_written(plan: &LogicalPlan) -> bool {
    let is_sort = |plan: &LogicalPlan| matches!(plan, LogicalPlan::Sort(_));
    comes_in_order(plan) || !is_sort(without_names(plan)) && keeps(plan, &is_sort)
}

/// What is copied keeps its order from any file; what is only looked at may come from a binary file in
/// any order, and faster.
fn is_source(plan: &LogicalPlan, copied: bool) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => source_as_provider(&scan.source).is_ok_and(|table| {
            let table = &*table as &dyn TableProvider;
            table.downcast_ref::<BiotideTable>().is_some()
                || copied && table.downcast_ref::<ListingTable>().is_some()
        }),
        // (In the order in which they are written.)
        LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => true,
        _ => false,
    }
}

/// Whether the rows of a plan are in the order in which they come from such nodes.
fn keeps(plan: &LogicalPlan, is_source: &dyn Fn(&LogicalPlan) -> bool) -> bool {
    let keeps_order = |plan: &LogicalPlan| keeps(plan, is_source);
    match plan {
        plan if is_source(plan) => true,
        LogicalPlan::Filter(filter) => plain(&filter.predicate) && keeps_order(&filter.input),
        LogicalPlan::Projection(projection) => {
            projection.expr.iter().all(plain) && keeps_order(&projection.input)
        }
        LogicalPlan::Limit(limit) => keeps_order(&limit.input),
        LogicalPlan::Unnest(unnest) => keeps_order(&unnest.input),
        // Rows that are numbered as they come.
        LogicalPlan::Window(window) => {
            window.window_expr.iter().all(numbers_rows) && keeps_order(&window.input)
        }
        LogicalPlan::SubqueryAlias(alias) => keeps_order(&alias.input),
        LogicalPlan::Extension(extension) => {
            node_keeps_order(extension) && extension.node.inputs().into_iter().all(keeps_order)
        }
        LogicalPlan::Copy(copy) => keeps_order_when_written(&copy.input),
        LogicalPlan::Explain(explain) => keeps_order(&explain.plan),
        LogicalPlan::Analyze(analyze) => keeps_order(&analyze.input),
        _ => false,
    }
}

/// What is below names alone: of steps, of tables, of columns. Rows that are sorted there come sorted.
fn without_names(plan: &LogicalPlan) -> &LogicalPlan {
    let is_column = |expr: &Expr| matches!(expr, Expr::Column(_));
    match plan {
        LogicalPlan::Extension(_) => {
            StepNode::of_plan(plan).map_or(plan, |step| without_names(&step.input))
        }
        LogicalPlan::SubqueryAlias(alias) => without_names(&alias.input),
        LogicalPlan::Projection(projection) if projection.expr.iter().all(is_column) => {
            without_names(&projection.input)
        }
        _ => plan,
    }
}

/// Whether what a plan gives depends on the order in which rows are read: it numbers them, reads one table after the
/// other, or ends with one of them. Then they are read in order too, whatever becomes of it later.
pub(crate) fn needs_order(plan: &LogicalPlan) -> bool {
    let needs = plan.exists(|plan| {
        Ok(match plan {
            LogicalPlan::Window(window) => window.window_expr.iter().any(numbers_rows),
            LogicalPlan::Extension(extension) => {
                // (The first row that fails ends it.)
                is_concat(extension) || SiftNode::of(extension).is_some_and(SiftNode::may_end)
            }
            _ => false,
        })
    });
    needs.unwrap_or(false)
}

fn is_concat(extension: &Extension) -> bool {
    (*extension.node).as_any().is::<ConcatNode>()
}

/// Whether a node gives the rows of its input in their order.
fn node_keeps_order(extension: &Extension) -> bool {
    let node = (*extension.node).as_any();
    if let Some(processors) = node.downcast_ref::<ProcessorNode>() {
        return processors.options().ordered;
    }
    StepNode::of(extension).is_some()
        || ToldNode::of(extension).is_some()
        || SiftNode::of(extension).is_some()
        || is_concat(extension)
        || xref(extension).is_some_and(|xref| plain(&xref.id))
}

/// `row_number() OVER ()`.
fn numbers_rows(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => numbers_rows(&alias.expr),
        Expr::WindowFunction(window) => {
            let params = &window.params;
            window.fun.name() == "row_number"
                && params.partition_by.is_empty()
                && params.order_by.is_empty()
        }
        _ => false,
    }
}

/// Without a query inside.
pub(super) fn plain(expr: &Expr) -> bool {
    let mut plain = true;
    let visited = expr.apply(|expr| {
        let query = matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::OuterReferenceColumn(..)
        );
        plain &= !query;
        Ok(if query {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    visited.is_ok() && plain
}
