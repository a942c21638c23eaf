//! The node of physical plans.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{Constraints, DataFusionError, Result, internal_err};
use datafusion_common_runtime::SpawnedTask;
use datafusion_execution::memory_pool::MemoryConsumer;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::expressions::Column as InputColumn;
use datafusion_physical_expr::projection::ProjectionMapping;
use datafusion_physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion_physical_plan::execution_plan::{
    CardinalityEffect, EmissionType, SchedulingType, apply_expression_roots,
};
use datafusion_physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput, Time,
};
use datafusion_physical_plan::projection::ProjectionExec;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use parking_lot::Mutex;

use super::columns::{Column, columns};
use super::coverage::{Coverage, CoverageLog};
use super::rows::Made;
use super::spec::XrefSpec;
use super::worker::{Output, Piece, Worker};
use crate::absent;
use crate::index::Index;
use crate::plan;

/// The most rows that a task takes at a time.
const PIECE: usize = 1024;

/// Bytes of batches that a task makes before somebody takes them.
const HELD: usize = 1 << 20;

/// Cross-references an identifier of each row.
#[derive(Debug)]
pub struct XrefExec {
    input: Arc<dyn ExecutionPlan>,
    id: Arc<dyn PhysicalExpr>,
    spec: Arc<XrefSpec>,
    /// Columns of the input in the result, then those that are added, by their names.
    inputs: Vec<usize>,
    added: Vec<(Column, String)>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl XrefExec {
    /// All columns of the input, and all that there are.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        id: Arc<dyn PhysicalExpr>,
        spec: Arc<XrefSpec>,
    ) -> Result<Self> {
        let inputs = (0..input.schema().fields().len()).collect();
        let added = columns(spec.policy)
            .into_iter()
            .map(|(column, name)| (column, name.to_owned()));
        Self::with(input, id, spec, inputs, added.collect())
    }

    fn with(
        input: Arc<dyn ExecutionPlan>,
        id: Arc<dyn PhysicalExpr>,
        spec: Arc<XrefSpec>,
        inputs: Vec<usize>,
        added: Vec<(Column, String)>,
    ) -> Result<Self> {
        let own = inputs
            .iter()
            .map(|&i| Arc::clone(&input.schema().fields()[i]));
        let fields: Vec<_> = own
            .chain(added.iter().map(|(column, name)| column.field(name)))
            .collect();
        let schema = Arc::new(Schema::new_with_metadata(
            fields,
            spec.mapping.metadata(input.schema().metadata().clone()),
        ));
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            known(&input, &inputs, schema)?,
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            input.boundedness(),
        );
        Ok(Self {
            properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)),
            metrics: ExecutionPlanMetricsSet::new(),
            input,
            id,
            spec,
            inputs,
            added,
        })
    }

    /// What is asked.
    pub fn spec(&self) -> &Arc<XrefSpec> {
        &self.spec
    }
}

/// What is known of the input's columns in the result, above all in which order rows are: the engine moves a sort from
/// above to below. (Nothing is unique any more: of a row there may be several.)
fn known(
    input: &Arc<dyn ExecutionPlan>,
    inputs: &[usize],
    schema: SchemaRef,
) -> Result<EquivalenceProperties> {
    let places = ProjectionMapping::from_indices(inputs, &input.schema())?;
    let known = input.equivalence_properties().project(&places, schema);
    Ok(known.with_constraints(Constraints::default()))
}

impl DisplayAs for XrefExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.added.iter().map(|(_, name)| name.as_str()).collect();
        let (id, spec) = (&self.id, self.spec.shown());
        let shown = format!("id={id}, {spec}, columns=[{}]", names.join(", "));
        plan::show(self.name(), &shown, t, f)
    }
}

impl ExecutionPlan for XrefExec {
    fn name(&self) -> &str {
        "XrefExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    /// It works by several tasks anyway, and a partition that is dealt out loses the order of its rows.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Unknown
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots([&self.id], f)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else {
            return internal_err!("XrefExec has an input");
        };
        let (id, spec) = (Arc::clone(&self.id), Arc::clone(&self.spec));
        Ok(Arc::new(Self::with(
            input,
            id,
            spec,
            self.inputs.clone(),
            self.added.clone(),
        )?))
    }

    /// What nobody asks for is not computed.
    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExec,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (mut inputs, mut added) = (Vec::new(), Vec::new());
        for projected in projection.expr() {
            let Some(column) = projected.expr.downcast_ref::<InputColumn>() else {
                return Ok(None);
            };
            let place = column.index();
            match self.inputs.get(place) {
                Some(&input) => {
                    // (The input's columns come first, under their own names.)
                    let name = self.input.schema().field(input).name().clone();
                    if !added.is_empty() || name != projected.alias {
                        return Ok(None);
                    }
                    inputs.push(input);
                }
                None => {
                    let Some((column, _)) = self.added.get(place - self.inputs.len()) else {
                        return Ok(None);
                    };
                    added.push((*column, projected.alias.clone()));
                }
            }
        }
        if inputs.len() == self.inputs.len() && added.len() == self.added.len() {
            return Ok(None);
        }
        let (input, id) = (Arc::clone(&self.input), Arc::clone(&self.id));
        let node = Self::with(input, id, Arc::clone(&self.spec), inputs, added)?;
        let same = node.schema().fields() == projection.schema().fields();
        Ok(same.then(|| Arc::new(node) as _))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let schema = self.schema();
        let batch_size = context.session_config().batch_size();
        let threads = context
            .session_config()
            .get_extension::<biotide_common::session::QueryLog>()
            .map_or(1, |log| log.threads);
        let partitions = self.properties.output_partitioning().partition_count();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let shared = Shared {
            spec: Arc::clone(&self.spec),
            id: Arc::clone(&self.id),
            output: Output {
                schema: Arc::clone(&schema),
                inputs: self.inputs.clone(),
                columns: self.added.iter().map(|(column, _)| *column).collect(),
                batch_size,
            },
            context,
            workers: Mutex::default(),
            piece: (batch_size / 8).clamp(64, PIECE),
            tasks: threads.div_ceil(partitions),
            is_first: partition == 0,
            time: metrics.elapsed_compute().clone(),
        };
        let inputs = MetricBuilder::new(&self.metrics).counter("input_rows", partition);
        let counted = input.inspect_ok(move |batch| inputs.add(batch.num_rows()));
        let rows = shared.run(counted.boxed(), metrics);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// What the tasks of a partition share.
struct Shared {
    spec: Arc<XrefSpec>,
    id: Arc<dyn PhysicalExpr>,
    output: Output,
    context: Arc<TaskContext>,
    /// Those that have nothing to do.
    workers: Mutex<Vec<Worker>>,
    /// Rows of a piece.
    piece: usize,
    /// Pieces at a time.
    tasks: usize,
    /// Of the partitions: it says what is to be said once.
    is_first: bool,
    /// What tasks have taken.
    time: Time,
}

type Batches = stream::BoxStream<'static, Result<RecordBatch>>;

impl Shared {
    /// Says of which prefixes that were asked for the mapping has nothing.
    fn warn(&self, index: &Index) {
        let (spec, name) = (&self.spec, self.spec.mapping.name());
        absent::warn(index, name, "targets", &spec.walk.targets);
        absent::warn(index, name, "namespace", spec.namespace.as_slice());
    }

    /// The rows, in the order of the input.
    fn run(self, input: Batches, metrics: BaselineMetrics) -> Batches {
        let load = async move {
            let index = self.spec.mapping.index(&self.context).await?;
            let coverage = self.context.session_config().get_extension::<CoverageLog>();
            if self.is_first {
                self.warn(&index);
            }
            let (is_counted, known) = (coverage.is_some(), Arc::clone(&index));
            let (tasks, piece) = (self.tasks, self.piece);
            let shared = Arc::new(self);
            let pieces = input
                .map_ok(move |batch| {
                    let starts = (0..batch.num_rows()).step_by(piece);
                    let cut: Vec<_> = starts
                        .map(|start| batch.slice(start, piece.min(batch.num_rows() - start)))
                        .collect();
                    stream::iter(cut.into_iter().map(Ok::<_, DataFusionError>))
                })
                .try_flatten();
            let worked = pieces.map(move |piece| {
                let (shared, index) = (Arc::clone(&shared), Arc::clone(&index));
                spawned(move || Task::new(shared, &index, piece?, is_counted)?.work())
            });
            // (In the order of the rows, whoever was first.)
            let count = move |counts| {
                if let Some(coverage) = &coverage {
                    coverage.add(counts, &known.vocabulary);
                }
            };
            let batches = worked
                .buffered(tasks.max(1))
                .map_ok(move |done| all(done, count.clone()))
                .try_flatten();
            Ok::<_, DataFusionError>(batches)
        };
        let rows = stream::once(load).try_flatten();
        let recorded = rows.inspect_ok(move |batch: &RecordBatch| {
            batch.record_output(&metrics);
        });
        recorded.boxed()
    }
}

/// Cross-references a piece.
struct Task {
    shared: Arc<Shared>,
    worker: Worker,
    piece: Piece,
}

/// The batches that a task has made.
struct Done {
    made: Vec<Made>,
    then: Then,
}

/// What is left of a task.
enum Then {
    /// It waits until its batches were taken.
    Goes(Box<Task>),
    /// It has ended, and this became of its identifiers.
    Ended(Coverage),
}

impl Task {
    fn new(
        shared: Arc<Shared>,
        index: &Arc<Index>,
        piece: RecordBatch,
        is_counted: bool,
    ) -> Result<Self> {
        let time = shared.time.clone();
        let _timer = time.timer();
        let worker = shared.workers.lock().pop();
        let mut worker = worker.unwrap_or_else(|| {
            let held = MemoryConsumer::new("XrefExec").register(shared.context.memory_pool());
            Worker::new(&shared.spec, index, &shared.output, held, is_counted)
        });
        let ids = shared.id.evaluate(&piece)?.into_array(piece.num_rows())?;
        let piece = worker.begin(piece, ids)?;
        Ok(Self {
            shared,
            worker,
            piece,
        })
    }

    /// Makes a few batches, so that no more than those wait for their turn.
    fn work(mut self) -> Result<Done> {
        let time = self.shared.time.clone();
        let _timer = time.timer();
        let (mut made, mut bytes) = (Vec::new(), 0);
        while bytes < HELD {
            let Some(next) = self.worker.next(&mut self.piece)? else {
                let then = Then::Ended(self.worker.coverage());
                self.shared.workers.lock().push(self.worker);
                return Ok(Done { made, then });
            };
            bytes += next.held.size();
            made.push(next);
        }
        let then = Then::Goes(Box::new(self));
        Ok(Done { made, then })
    }
}

/// Does the work of a task beside others.
fn spawned(
    work: impl FnOnce() -> Result<Done> + Send + 'static,
) -> impl Future<Output = Result<Done>> {
    let task = SpawnedTask::spawn(async move { work() });
    async {
        match task.await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(DataFusionError::External(Box::new(error))),
        }
    }
}

/// The batches that a task has made, and those that it makes still.
fn all(done: Done, count: impl Fn(Coverage)) -> impl Stream<Item = Result<RecordBatch>> {
    let next = move |Done { made, then }: Done| {
        let task = match then {
            Then::Goes(task) => Some(task),
            Then::Ended(counts) => {
                count(counts);
                None
            }
        };
        (each(made), task)
    };
    let (batches, task) = next(done);
    let later = stream::try_unfold((task, next), |(task, next)| async move {
        let Some(task) = task else {
            return Ok::<_, DataFusionError>(None);
        };
        let done = spawned(move || task.work()).await?;
        let (batches, task) = next(done);
        Ok(Some((batches, (task, next))))
    });
    batches.chain(later.try_flatten())
}

fn each(made: Vec<Made>) -> impl Stream<Item = Result<RecordBatch>> {
    stream::iter(made.into_iter().map(|made| Ok(made.batch)))
}
