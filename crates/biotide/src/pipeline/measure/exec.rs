//! The node of physical plans.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use biotide_common::BiotideError;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterDescription, ChildPushdownResult, FilterDescription, FilterPushdownPhase,
    FilterPushdownPropagation,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, Time,
};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SortOrderPushdownResult,
};
use futures::{Stream, StreamExt};

use super::logical::{StepInfo, StepNode};

/// What batches are counted by.
const STEP_BATCHES: &str = "step_batches";

/// From when a step is asked for a batch until it gives it, in EXPLAIN ANALYZE.
const STEP_TIME: &str = "step_time";

/// Passes the rows of a step through, and counts them.
#[derive(Debug)]
pub(crate) struct StepExec {
    input: Arc<dyn ExecutionPlan>,
    info: Arc<StepInfo>,
    /// Columns on which conditions stay above it.
    kept: Arc<BTreeSet<String>>,
    metrics: ExecutionPlanMetricsSet,
}

/// What a step has done until now, of all its partitions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) batches: u64,
    /// With what is below it.
    pub(super) seconds: f64,
}

impl StepExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, node: &StepNode) -> Self {
        Self {
            input,
            info: Arc::clone(&node.info),
            kept: Arc::new(node.kept.clone()),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self {
            input,
            info: Arc::clone(&self.info),
            kept: Arc::clone(&self.kept),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// The name of the step.
    pub(super) fn step(&self) -> &str {
        &self.info.name
    }

    pub(super) fn counts(&self) -> Counts {
        let metrics = self.metrics.clone_inner();
        let sum = |name| metrics.sum_by_name(name).map_or(0, |sum| sum.as_usize());
        Counts {
            rows: metrics.output_rows().unwrap_or(0) as u64,
            batches: sum(STEP_BATCHES) as u64,
            seconds: sum(STEP_TIME) as f64 / 1e9,
        }
    }
}

impl DisplayAs for StepExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(t, DisplayFormatType::TreeRender) {
            write!(f, "{}: ", self.name())?;
        }
        f.write_str(&self.info.name)
    }
}

impl ExecutionPlan for StepExec {
    fn name(&self) -> &str {
        "StepExec"
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
        match children.pop() {
            Some(input) => Ok(self.over(input)),
            None => internal_err!("StepExec has an input"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        Ok(Box::pin(Measured {
            input: self.input.execute(partition, context)?,
            info: Arc::clone(&self.info),
            asked: None,
            baseline: BaselineMetrics::new(&self.metrics, partition),
            batches: MetricBuilder::new(&self.metrics).counter(STEP_BATCHES, partition),
            time: MetricBuilder::new(&self.metrics).subset_time(STEP_TIME, partition),
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match input_stats {
            [of_input] => Ok(Arc::clone(of_input)),
            _ => internal_err!("StepExec has one input"),
        }
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    /// Columns that nobody asks for are left out below. What is computed stays above, where its time is its own step's.
    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExec,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let mut columns = projection.expr().iter();
        if !columns.all(|projected| projected.expr.downcast_ref::<Column>().is_some()) {
            return Ok(None);
        }
        let swapped = self.input.try_swapping_with_projection(projection)?;
        // (A projection below that cannot be one with it gives it back as it was, over this very node: taken for progress,
        // that would go on forever.)
        let is_same = |plan: &Arc<dyn ExecutionPlan>| {
            let given_back = plan.downcast_ref::<ProjectionExec>();
            given_back.is_some_and(|same| Arc::ptr_eq(same.input(), projection.input()))
        };
        let swapped = swapped.filter(|plan| !is_same(plan));
        Ok(swapped.map(|input| self.over(input)))
    }

    fn gather_filters_for_pushdown(
        &self,
        _: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _: &ConfigOptions,
    ) -> Result<FilterDescription> {
        let schema = self.input.schema();
        let fields = schema.fields().iter().enumerate();
        let free = fields.filter(|(_, field)| !self.kept.contains(field.name()));
        let free = free.map(|(at, _)| at).collect();
        let below = ChildFilterDescription::from_child_with_allowed_indices(
            &parent_filters,
            free,
            &self.input,
        )?;
        Ok(FilterDescription::new().with_child(below))
    }

    fn handle_child_pushdown_result(
        &self,
        _: FilterPushdownPhase,
        child_pushdown_result: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        Ok(FilterPushdownPropagation::if_all(child_pushdown_result))
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
    ) -> Result<SortOrderPushdownResult<Arc<dyn ExecutionPlan>>> {
        let pushed = self.input.try_pushdown_sort(order)?;
        pushed.try_map(|input| Ok(self.over(input)))
    }
}

/// The rows of one partition.
struct Measured {
    input: SendableRecordBatchStream,
    info: Arc<StepInfo>,
    /// When the batch was asked for that is waited for.
    asked: Option<Instant>,
    baseline: BaselineMetrics,
    batches: Count,
    time: Time,
}

impl Stream for Measured {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // (Readers work in tasks of their own: it is the waiting for them that costs time, not the polls.)
        let asked = *self.asked.get_or_insert_with(Instant::now);
        let next = ready!(self.input.poll_next_unpin(cx));
        self.asked = None;
        self.time.add_duration(asked.elapsed());
        Poll::Ready(match next {
            Some(Ok(batch)) => {
                // (Without the bytes: they are looked up buffer by buffer.)
                self.baseline.record_output(batch.num_rows());
                self.batches.add(1);
                Some(Ok(batch))
            }
            Some(Err(error)) => Some(Err(placed(&self.info, error))),
            None => {
                self.baseline.done();
                None
            }
        })
    }
}

impl RecordBatchStream for Measured {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

/// An error with the place of the step that it happened in, which is the first that it comes by.
fn placed(info: &StepInfo, error: DataFusionError) -> DataFusionError {
    match is_placed(&error) {
        true => error,
        false => BiotideError::at(&info.place, error).into(),
    }
}

/// Whether an error tells its place.
pub(crate) fn is_placed(error: &DataFusionError) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(BiotideError::At { .. }) = error.downcast_ref() {
            return true;
        }
        next = error.source();
    }
    false
}
