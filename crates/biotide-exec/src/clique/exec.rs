//! The node of physical plans.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{DataFusionError, Result, internal_err};
use datafusion_execution::memory_pool::MemoryConsumer;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_plan::execution_plan::{EmissionType, SchedulingType};
use datafusion_physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet,
};
use datafusion_physical_plan::stream::{
    RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter,
};
use datafusion_physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, future, stream};

use super::logical::CliqueSpec;
use super::members::Cliques;
use crate::index::build::Numbered;
use crate::load::{Statements, blocking, ingest};
use crate::plan;

/// Batches of a bucket that wait to be taken.
const AHEAD: usize = 2;

/// The rows of a bucket, which a thread begins to make at once.
fn rows_of(cliques: &Arc<Cliques>, bucket: usize, batch_size: usize) -> SendableRecordBatchStream {
    let mut stream = RecordBatchReceiverStreamBuilder::new(CliqueSpec::schema(), AHEAD);
    let (batches, cliques) = (stream.tx(), Arc::clone(cliques));
    stream.spawn_blocking(move || {
        cliques.rows(bucket, batch_size, &mut |batch| {
            match batches.blocking_send(Ok(batch)) {
                Ok(()) => ControlFlow::Continue(()),
                // (Nobody wants more.)
                Err(_) => ControlFlow::Break(()),
            }
        })
    });
    stream.build()
}

/// Finds the cliques of statements.
#[derive(Debug)]
pub struct CliqueExec {
    input: Arc<dyn ExecutionPlan>,
    spec: Arc<CliqueSpec>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CliqueExec {
    /// Cliques of these statements.
    pub fn new(input: Arc<dyn ExecutionPlan>, spec: Arc<CliqueSpec>) -> Self {
        let properties = plan::properties(
            CliqueSpec::schema(),
            1,
            EmissionType::Final,
            SchedulingType::Cooperative,
        );
        Self {
            input,
            spec,
            properties,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for CliqueExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        plan::show(self.name(), &self.spec.shown(), t, f)
    }
}

impl ExecutionPlan for CliqueExec {
    fn name(&self) -> &str {
        "CliqueAssignExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
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
        match children.pop() {
            Some(input) => Ok(Arc::new(Self::new(input, Arc::clone(&self.spec)))),
            None => internal_err!("cliques have an input"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let origin: Arc<str> = self.spec.origin.as_str().into();
        let partitions = 0..self.input.output_partitioning().partition_count();
        let rows = partitions.map(|partition| {
            let rows = self.input.execute(partition, Arc::clone(&context))?;
            Ok(Statements {
                rows,
                origin: Arc::clone(&origin),
                declared: self.spec.declared.clone(),
            })
        });
        let statements: Vec<Statements> = rows.collect::<Result<_>>()?;
        let spec = Arc::clone(&self.spec);
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let spilled = MetricBuilder::new(&self.metrics).spilled_bytes(partition);
        let batch_size = context.session_config().batch_size();
        let load = async move {
            let ingest = ingest(statements, &spec.identifiers, &context).await?;
            let (_guard, threads) = (ingest.site.guard(), ingest.site.threads);
            let held = MemoryConsumer::new("CliqueAssignExec").register(context.memory_pool());
            let counted = ingest.site.spilled_counter();
            let found =
                blocking(move || Cliques::new(Numbered::new(ingest)?, &spec, &held)).await?;
            spilled.add(usize::try_from(counted()).unwrap_or(usize::MAX));
            let cliques = Arc::new(found);
            let buckets = stream::iter(0..cliques.buckets())
                .map(move |bucket| future::ready(rows_of(&cliques, bucket, batch_size)));
            // (So many are at work: the first one's rows are taken, the others' wait.)
            Ok::<_, DataFusionError>(buckets.buffered(threads).flatten())
        };
        let rows = stream::once(load).try_flatten();
        let rows = rows.inspect_ok(move |batch| metrics.record_output(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
