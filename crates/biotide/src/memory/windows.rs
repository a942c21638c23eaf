//! Window functions that look at whole partitions, one partition after the other.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt64Array, new_empty_array};
use arrow::compute::{concat, concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::utils::evaluate_partition_ranges;
use datafusion::common::{DataFusionError, Result};
use datafusion::config::ConfigOptions;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{OrderingRequirements, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::WindowAggExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};
use futures::{TryStreamExt, stream};

/// How often rows are held: as they came, and put together.
const COPIES: usize = 2;

/// Does what DataFusion's [`WindowAggExec`] does, but holds no more than the rows of a partition (`PARTITION
/// BY`) and of the small ones beside it, and reserves memory for them. A partition that does not fit ends with
/// an error.
#[derive(Debug)]
pub(crate) struct WindowByPartitionExec {
    window: WindowAggExec,
    metrics: ExecutionPlanMetricsSet,
}

impl WindowByPartitionExec {
    fn new(window: &WindowAggExec, input: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let repartitions = !window.partition_keys().is_empty();
        Ok(Self {
            window: WindowAggExec::try_new(window.window_expr().to_vec(), input, repartitions)?,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Whether there is a `PARTITION BY`.
    pub(crate) fn is_partitioned(&self) -> bool {
        self.window
            .window_expr()
            .iter()
            .all(|window| !window.partition_by().is_empty())
    }
}

impl DisplayAs for WindowByPartitionExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(t, DisplayFormatType::TreeRender) {
            write!(f, "{}, ", self.name())?;
        }
        self.window.fmt_as(t, f)
    }
}

impl ExecutionPlan for WindowByPartitionExec {
    fn name(&self) -> &str {
        "WindowByPartitionExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.window.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![self.window.input()]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        self.window.required_input_ordering()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.window.input_distribution_requirements()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.window.apply_expressions(f)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(&self.window, children.swap_remove(0))?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let name = format!("{}[{partition}]", self.name());
        let held = MemoryConsumer::new(name).register(context.memory_pool());
        let keys = self.window.partition_by_sort_keys()?;
        let input = self
            .window
            .input()
            .execute(partition, Arc::clone(&context))?;
        let work = Work {
            window: self.window.clone(),
            schema: self.window.schema(),
            batch_size: context.session_config().batch_size(),
            keys,
            rows: Vec::new(),
            held,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let state = Some((input, work));
        let chunks = stream::try_unfold(state, async |state| {
            let Some((mut input, mut work)) = state else {
                return Ok::<_, DataFusionError>(None);
            };
            loop {
                match input.try_next().await? {
                    Some(batch) => {
                        if let Some(rows) = work.add(batch)? {
                            return Ok(Some((rows, Some((input, work)))));
                        }
                    }
                    None => return Ok(Some((work.last()?, None))),
                }
            }
        });
        let schema = self.window.schema();
        let rows = chunks.try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// The work of one stream.
struct Work {
    window: WindowAggExec,
    /// The schema of the result.
    schema: SchemaRef,
    batch_size: usize,
    keys: Vec<PhysicalSortExpr>,
    /// Rows whose partition may go on.
    rows: Vec<RecordBatch>,
    held: MemoryReservation,
    metrics: BaselineMetrics,
}

impl Work {
    /// Takes rows. If a partition ends in them: the stream of all that are complete.
    fn add(&mut self, batch: RecordBatch) -> Result<Option<SendableRecordBatchStream>> {
        let bytes = get_record_batch_memory_size(&batch).saturating_mul(COPIES);
        self.held.try_grow(bytes)?;
        let Some(start) = self.boundary(&batch)? else {
            if batch.num_rows() > 0 {
                self.rows.push(batch);
            }
            return Ok(None);
        };
        let mut complete = std::mem::take(&mut self.rows);
        let goes_on = batch.slice(start, batch.num_rows() - start);
        complete.push(batch.slice(0, start));
        self.rows.push(goes_on);
        let held = self.held.take();
        self.held.try_grow(bytes)?;
        self.compute(&complete, held).map(Some)
    }

    /// The stream of what is left.
    fn last(mut self) -> Result<SendableRecordBatchStream> {
        let rows = std::mem::take(&mut self.rows);
        let held = self.held.take();
        self.compute(&rows, held)
    }

    /// Where the last partition of these rows starts, if one has ended before it.
    fn boundary(&self, batch: &RecordBatch) -> Result<Option<usize>> {
        let start = self.last_start(batch)?;
        if start > 0 || batch.num_rows() == 0 {
            return Ok((start > 0).then_some(start));
        }
        let Some(before) = self.rows.last() else {
            return Ok(None);
        };
        let both = [before.slice(before.num_rows() - 1, 1), batch.slice(0, 1)];
        let differ = self.last_start(&concat_batches(&batch.schema(), &both)?)? > 0;
        Ok(differ.then_some(0))
    }

    fn last_start(&self, batch: &RecordBatch) -> Result<usize> {
        let ranges = self.partitions(batch)?;
        Ok(ranges.last().map_or(0, |range| range.start))
    }

    fn partitions(&self, batch: &RecordBatch) -> Result<Vec<Range<usize>>> {
        let keys = self.keys.iter();
        let columns = keys.map(|key| key.evaluate_to_sort_column(batch));
        evaluate_partition_ranges(batch.num_rows(), &columns.collect::<Result<Vec<_>>>()?)
    }

    /// The rows with their window columns, by batches. The memory is theirs until they are taken.
    fn compute(
        &self,
        rows: &[RecordBatch],
        held: MemoryReservation,
    ) -> Result<SendableRecordBatchStream> {
        let timer = self.metrics.elapsed_compute().timer();
        let rows = concat_batches(&self.window.input().schema(), rows)?;
        let windows = self.window.window_expr();
        let mut results: Vec<Vec<ArrayRef>> = vec![Vec::new(); windows.len()];
        if rows.num_rows() > 0 {
            for range in self.partitions(&rows)? {
                let partition = rows.slice(range.start, range.len());
                for (result, window) in results.iter_mut().zip(windows) {
                    result.push(window.evaluate(&partition)?);
                }
            }
        }
        let mut columns = rows.columns().to_vec();
        for (result, field) in results.iter().zip(&self.schema.fields()[columns.len()..]) {
            let parts: Vec<&dyn Array> = result.iter().map(|part| &**part).collect();
            columns.push(match parts.as_slice() {
                [] => new_empty_array(field.data_type()),
                parts => concat(parts)?,
            });
        }
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        timer.done();
        self.metrics.record_output(rows.num_rows());
        let size = self.batch_size;
        let starts = (0..rows.num_rows()).step_by(size);
        let batches = starts.map(move |start| {
            // (It lives as long as the rows do.)
            let _held = &held;
            let length = size.min(rows.num_rows() - start);
            if length == rows.num_rows() {
                return Ok(rows.clone());
            }
            // A copy: who holds a slice is charged with all rows.
            let indices = (start as u64)..(start + length) as u64;
            Ok(take_record_batch(
                &rows,
                &UInt64Array::from_iter_values(indices),
            )?)
        });
        let schema = Arc::clone(&self.schema);
        let batches = stream::iter(batches);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}

/// Lets window functions hold a partition at a time.
#[derive(Debug)]
pub(crate) struct WindowsByPartition;

impl PhysicalOptimizerRule for WindowsByPartition {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let by_partition = |node: Arc<dyn ExecutionPlan>| {
            let Some(window) = node.downcast_ref::<WindowAggExec>() else {
                return Ok(Transformed::no(node));
            };
            let input = Arc::clone(window.input());
            let node = WindowByPartitionExec::new(window, input)?;
            Ok(Transformed::yes(Arc::new(node) as _))
        };
        Ok(plan.transform_up(by_partition)?.data)
    }

    fn name(&self) -> &str {
        "biotide_windows_by_partition"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
