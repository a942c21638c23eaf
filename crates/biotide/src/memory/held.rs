//! Inputs that an operator holds and nobody counts.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::WindowAggExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::TryStreamExt;

/// How often the rows are held: as they came, and put together.
const COPIES: usize = 2;

/// Passes rows on to an operator that holds all of them, and reserves memory for them until that operator is
/// done. So what does not fit ends with an error, instead of with the process.
#[derive(Debug)]
pub(crate) struct HeldExec {
    input: Arc<dyn ExecutionPlan>,
    /// Whose they are.
    holder: &'static str,
}

impl DisplayAs for HeldExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldExec: by={}", self.holder)
    }
}

impl ExecutionPlan for HeldExec {
    fn name(&self) -> &str {
        "HeldExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.swap_remove(0);
        let holder = self.holder;
        Ok(Arc::new(Self { input, holder }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let name = format!("{}[{partition}]", self.holder);
        let held = MemoryConsumer::new(name).register(context.memory_pool());
        let input = self.input.execute(partition, context)?;
        let schema = input.schema();
        let rows = input.and_then(move |batch| {
            let bytes = get_record_batch_memory_size(&batch).saturating_mul(COPIES);
            std::future::ready(held.try_grow(bytes).map(|()| batch))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// Counts what window functions hold that look at whole partitions.
#[derive(Debug)]
pub(crate) struct CountHeld;

impl PhysicalOptimizerRule for CountHeld {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let counted = |node: Arc<dyn ExecutionPlan>| {
            let Some(window) = node.downcast_ref::<WindowAggExec>() else {
                return Ok(Transformed::no(node));
            };
            let input = Arc::clone(window.input());
            if input.downcast_ref::<HeldExec>().is_some() {
                return Ok(Transformed::no(node));
            }
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            let held = HeldExec {
                input,
                holder: "WindowAggExec",
            };
            Ok(Transformed::yes(
                node.replace_children(vec![Arc::new(held)], options)?,
            ))
        };
        Ok(plan.transform_up(counted)?.data)
    }

    fn name(&self) -> &str {
        "biotide_count_held"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
