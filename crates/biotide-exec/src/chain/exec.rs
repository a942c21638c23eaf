//! The node of physical plans.

use std::fmt;
use std::sync::Arc;

use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{DataFusionError, Result};
use datafusion_execution::memory_pool::MemoryConsumer;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_plan::execution_plan::{EmissionType, SchedulingType};
use datafusion_physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{TryStreamExt, stream};

use super::rows::Statements;
use super::spec::{ChainSpec, Which};
use crate::plan;

/// Hands out the statements of a mapping.
#[derive(Debug)]
pub struct ChainExec {
    spec: Arc<ChainSpec>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ChainExec {
    /// These statements, in so many partitions.
    pub fn new(spec: Arc<ChainSpec>, partitions: usize) -> Self {
        let properties = plan::properties(
            spec.schema(),
            partitions.max(1),
            EmissionType::Incremental,
            SchedulingType::NonCooperative,
        );
        Self {
            spec,
            properties,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for ChainExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        plan::show(self.name(), &self.spec.shown(), t, f)
    }
}

impl ExecutionPlan for ChainExec {
    fn name(&self) -> &str {
        match self.spec.which {
            Which::Asserted { .. } => "MappingEdgesExec",
            Which::Inferred { .. } => "ChainInferExec",
        }
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let spec = Arc::clone(&self.spec);
        let partitions = self.properties.output_partitioning().partition_count() as u64;
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batch_size = context.session_config().batch_size();
        let load = async move {
            let index = spec.mapping.index(&context).await?;
            let held = MemoryConsumer::new("ChainInferExec").register(context.memory_pool());
            let nodes = u64::from(index.nodes());
            let cut = |partition: u64| (nodes * partition / partitions) as u32;
            let range = cut(partition as u64)..cut(partition as u64 + 1);
            let state = (Statements::new(&index, &spec, held), range, metrics);
            Ok::<_, DataFusionError>(stream::try_unfold(
                state,
                move |(mut statements, mut range, metrics)| async move {
                    loop {
                        let timer = metrics.elapsed_compute().timer();
                        let is_more = statements.add(&mut range, batch_size)?;
                        timer.done();
                        if !is_more || statements.rows() >= batch_size {
                            break;
                        }
                        // (Where few nodes have rows, others must have their turn all the same.)
                        tokio::task::yield_now().await;
                    }
                    if statements.rows() == 0 {
                        return Ok(None);
                    }
                    let batch = statements.finish()?;
                    metrics.record_output(batch.num_rows());
                    Ok(Some((batch, (statements, range, metrics))))
                },
            ))
        };
        let rows = stream::once(load).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
