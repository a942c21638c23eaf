//! An ORDER BY stays that is below `row_number() OVER ()`, lists that become rows, tables one below the other, or
//! processors.
//!
//! To the engine the numbers are any: it drops the sort, as nothing asks for it. But rows are numbered in the order in
//! which they come, and to the steps of a pipeline that is the order which the step before has given them. The others
//! hand rows on in the order in which they come, but do not say so: the engine would move sorts from above to below.

use std::sync::Arc;

use biotide_exec::concat::ConcatExec;
use biotide_stream::ProcessorExec;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_expr::Distribution;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::output_requirements::OutputRequirementExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions, WindowExpr,
};

/// Has the sorts below such nodes required, by a node that the engine takes out again at the end.
#[derive(Debug)]
pub(crate) struct KeptOrder;

impl PhysicalOptimizerRule for KeptOrder {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let kept = |node: Arc<dyn ExecutionPlan>| match needs_order(&node) {
            true => required(node),
            false => Ok(Transformed::no(node)),
        };
        Ok(plan.transform_up(kept)?.data)
    }

    fn name(&self) -> &str {
        "biotide_kept_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether it matters to a node in which order rows come, which the engine does not know.
fn needs_order(node: &Arc<dyn ExecutionPlan>) -> bool {
    let processors = node.downcast_ref::<ProcessorExec>();
    numbers_rows(node)
        || node.is::<UnnestExec>()
        || node.is::<ConcatExec>()
        || processors.is_some_and(|processors| processors.options().ordered)
}

/// Whether a node numbers rows as they come.
fn numbers_rows(node: &Arc<dyn ExecutionPlan>) -> bool {
    let windows: &[Arc<dyn WindowExpr>] = match (
        node.downcast_ref::<BoundedWindowAggExec>(),
        node.downcast_ref::<WindowAggExec>(),
    ) {
        (Some(node), _) => node.window_expr(),
        (_, Some(node)) => node.window_expr(),
        _ => return false,
    };
    let numbers = |window: &Arc<dyn WindowExpr>| {
        let is_any = window.partition_by().is_empty() && window.order_by().is_empty();
        is_any && window.name().starts_with("row_number()")
    };
    windows.iter().any(numbers)
}

/// The same node over the same rows, whose sorts are required: of each input the first that nothing puts into another
/// order.
fn required(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let children = node.children().into_iter().cloned().map(sorted);
    let children: Vec<_> = children.collect::<Result<_>>()?;
    if !children.iter().any(|child| child.transformed) {
        return Ok(Transformed::no(node));
    }
    let children = children.into_iter().map(|child| child.data).collect();
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    let node = node.replace_children(children, options)?;
    Ok(Transformed::yes(node))
}

/// The same rows, whose sort is required, if there is one.
fn sorted(rows: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(sort) = rows.downcast_ref::<SortExec>() {
        let order = sort.expr().clone().into();
        let one = Distribution::SinglePartition;
        let node = OutputRequirementExec::new(Arc::clone(&rows), Some(order), one, None);
        let node: Arc<dyn ExecutionPlan> = Arc::new(node);
        return Ok(Transformed::yes(node));
    }
    match rows.maintains_input_order() == [true] {
        true => required(rows),
        false => Ok(Transformed::no(rows)),
    }
}
