//! The node of physical plans.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{DataFusionError, Result};
use datafusion_execution::memory_pool::MemoryConsumer;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_plan::execution_plan::{EmissionType, SchedulingType};
use datafusion_physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, Time,
};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt, TryStreamExt, stream};

use super::rows::Statements;
use super::spec::{ChainSpec, Which};
use crate::absent;
use crate::load::blocking;
use crate::plan;

/// Nodes of a task.
const NODES: u32 = 1024;

/// Batches that a task makes before somebody takes them.
const BATCHES: usize = 4;

/// Hands out the statements of a mapping.
#[derive(Debug)]
pub struct ChainExec {
    spec: Arc<ChainSpec>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ChainExec {
    /// These statements.
    pub fn new(spec: Arc<ChainSpec>) -> Self {
        // (Of several partitions the rows would come as their threads are scheduled.)
        let properties = plan::properties(
            spec.schema(),
            1,
            EmissionType::Incremental,
            SchedulingType::Cooperative,
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
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let time = metrics.elapsed_compute().clone();
        let batch_size = context.session_config().batch_size();
        let threads = plan::threads(&context);
        let load = async move {
            let index = spec.mapping.index(&context).await?;
            if let Which::Inferred { walk, subjects, .. } = &spec.which {
                let name = spec.mapping.name();
                absent::warn(&index, name, "targets", &walk.targets);
                absent::warn(&index, name, "subjects", subjects);
            }
            let held = MemoryConsumer::new("ChainInferExec").register(context.memory_pool());
            let nodes = index.nodes();
            let ranges = (0..nodes)
                .step_by(NODES as usize)
                .map(move |from| from..from.saturating_add(NODES).min(nodes));
            let begun = stream::iter(ranges).map(move |nodes| {
                let statements = Statements::new(&index, &spec, held.new_empty());
                let task = Task {
                    statements,
                    nodes,
                    batch_size,
                    time: time.clone(),
                };
                blocking(move || task.work())
            });
            // (In the order of nodes, whichever task was first.)
            let batches = begun.buffered(threads.max(1)).map_ok(all).try_flatten();
            Ok::<_, DataFusionError>(batches)
        };
        let rows = stream::once(load).try_flatten();
        let rows = rows.inspect_ok(move |batch| metrics.record_output(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Makes rows of some nodes.
struct Task {
    statements: Statements,
    nodes: Range<u32>,
    batch_size: usize,
    time: Time,
}

/// What a task has made, and itself if there is more: it waits until that was taken.
type Done = (Vec<RecordBatch>, Option<Task>);

impl Task {
    /// Makes a few batches, so that no more than those wait for their turn.
    fn work(mut self) -> Result<Done> {
        let time = self.time.clone();
        let _timer = time.timer();
        let mut batches = Vec::new();
        while batches.len() < BATCHES {
            let is_more = loop {
                let is_more = self.statements.add(&mut self.nodes, self.batch_size)?;
                if !is_more || self.statements.rows() >= self.batch_size {
                    break is_more;
                }
            };
            if self.statements.rows() > 0 {
                batches.push(self.statements.finish()?);
            }
            if !is_more {
                return Ok((batches, None));
            }
        }
        Ok((batches, Some(self)))
    }
}

/// The batches that a task has made, and those that it makes still.
fn all((batches, task): Done) -> impl Stream<Item = Result<RecordBatch>> {
    let later = stream::try_unfold(task, |task| async move {
        let Some(task) = task else {
            return Ok::<_, DataFusionError>(None);
        };
        let (batches, task) = blocking(move || task.work()).await?;
        Ok(Some((each(batches), task)))
    });
    each(batches).chain(later.try_flatten())
}

fn each(batches: Vec<RecordBatch>) -> impl Stream<Item = Result<RecordBatch>> {
    stream::iter(batches.into_iter().map(Ok))
}
