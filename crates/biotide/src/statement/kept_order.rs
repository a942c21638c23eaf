//! An ORDER BY below `row_number() OVER ()` stays.
//!
//! To the engine the numbers are any: it drops the sort, as nothing asks for it. But rows are numbered in the order in
//! which they come, and to the steps of a pipeline that is the order which the step before has given them.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_expr::Distribution;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::output_requirements::OutputRequirementExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions, WindowExpr,
};

/// Has the sorts below such numbers required, by a node that the engine takes out again at the end.
#[derive(Debug)]
pub(crate) struct KeptOrder;

impl PhysicalOptimizerRule for KeptOrder {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let kept = |node: Arc<dyn ExecutionPlan>| match numbers_rows(&node) {
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

/// The same node over the same rows, whose sort is required: the first below that nothing puts into another order.
fn required(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let children = node.children();
    let [child] = children.as_slice() else {
        return Ok(Transformed::no(node));
    };
    let below = match child.downcast_ref::<SortExec>() {
        Some(sort) => {
            let order = sort.expr().clone().into();
            let one = Distribution::SinglePartition;
            let node = OutputRequirementExec::new(Arc::clone(child), Some(order), one, None);
            Transformed::yes(Arc::new(node) as Arc<dyn ExecutionPlan>)
        }
        None if child.maintains_input_order() == [true] => required(Arc::clone(child))?,
        None => return Ok(Transformed::no(node)),
    };
    match below.transformed {
        true => {
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            let node = node.replace_children(vec![below.data], options)?;
            Ok(Transformed::yes(node))
        }
        false => Ok(Transformed::no(node)),
    }
}
