//! The node of physical plans.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{Result, internal_err};
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::{
    Distribution, EquivalenceProperties, OrderingRequirements, PhysicalExpr,
};
use datafusion_physical_plan::execution_plan::{CardinalityEffect, EmissionType};
use datafusion_physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet,
};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, Partitioning, PlanProperties,
};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};

use super::{Processor, ProcessorOptions};
use crate::errors::{Stage, StreamError};
use crate::log::RunLog;
use crate::options::Recovery;
use crate::stream::Stream;

/// Runs processors over rows, chunk by chunk.
#[derive(Debug)]
pub struct ProcessorExec {
    input: Arc<dyn ExecutionPlan>,
    processors: Vec<Arc<dyn Processor>>,
    options: ProcessorOptions,
    log: Arc<RunLog>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// The columns that processors make of these, one after another.
pub(super) fn output_schema(
    processors: &[Arc<dyn Processor>],
    input: SchemaRef,
) -> Result<SchemaRef> {
    processors.iter().try_fold(input, |schema, processor| {
        processor
            .output_schema(&schema)
            .map_err(|error| StreamError::outside(processor.name(), error).into())
    })
}

/// What plans show.
pub(super) fn shown(processors: &[Arc<dyn Processor>], options: &ProcessorOptions) -> String {
    let names: Vec<&str> = processors.iter().map(|it| it.name()).collect();
    format!(
        "processors=[{}], chunking={:?}, max_concurrent_chunks={}, backpressure_threshold={}, ordered={}",
        names.join(", "),
        options.chunking,
        options.max_concurrent_chunks,
        options.backpressure_threshold,
        options.ordered
    )
}

impl ProcessorExec {
    /// Runs `processors`, one after another on each chunk.
    ///
    /// `log` gathers what they do. It is of one run: a plan that is run twice counts twice.
    ///
    /// # Errors
    ///
    /// Options out of their ranges, or columns that a processor cannot work on.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        processors: Vec<Arc<dyn Processor>>,
        options: ProcessorOptions,
        log: Arc<RunLog>,
    ) -> Result<Self> {
        options.validate()?;
        let schema = output_schema(&processors, input.schema())?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            input.properties().boundedness,
        );
        Ok(Self {
            input,
            processors,
            options,
            log,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// What is run.
    pub fn processors(&self) -> &[Arc<dyn Processor>] {
        &self.processors
    }

    /// How it is run.
    pub fn options(&self) -> &ProcessorOptions {
        &self.options
    }

    /// What the run does, while it runs and afterwards.
    pub fn log(&self) -> &Arc<RunLog> {
        &self.log
    }

    fn stream(&self, input: SendableRecordBatchStream, context: &TaskContext) -> Stream {
        let options = &self.options;
        let mut stream = Stream::from_datafusion("input", input)
            .with_log(&self.log)
            .chunk(options.chunking.clone())
            .isolate(options.isolation)
            .parallel(options.max_concurrent_chunks)
            .backpressure(options.backpressure_threshold)
            .memory_pool(context.memory_pool());
        if !options.ordered {
            stream = stream.unordered();
        }
        for processor in &self.processors {
            stream = stream.process(Arc::clone(processor));
            if let Some(breaker) = &options.breaker {
                stream = stream.breaker(Arc::clone(breaker), processor.name());
            }
        }
        stream = stream.retry(options.retry.clone());
        if let Some(limit) = options.timeout {
            stream = stream.timeout(limit);
        }
        if options.continue_on_error {
            // (Rows that cannot be read are no errors of processors: without them a table would be cut short unsaid.)
            stream = stream.catch(|error| match error.stage() {
                Stage::Processing => Recovery::Skip,
                Stage::Source => Recovery::Stop,
            });
        }
        if let Some(threshold) = options.error_threshold {
            stream = stream.error_threshold(threshold);
        }
        // Other columns than promised are no matter of rows: they end the statement.
        stream.expect_schema(self.schema())
    }
}

impl DisplayAs for ProcessorExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(t, DisplayFormatType::TreeRender) {
            write!(f, "{}: ", self.name())?;
        }
        f.write_str(&shown(&self.processors, &self.options))
    }
}

impl ExecutionPlan for ProcessorExec {
    fn name(&self) -> &str {
        "ProcessorExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// Rows that are sorted come sorted, where their order matters. (That it is maintained is not said: the engine
    /// would move a sort from above to below, where values are others.)
    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let order = self.input.output_ordering();
        let order = order.filter(|_| self.options.ordered);
        vec![order.cloned().map(OrderingRequirements::from)]
    }

    /// Processors begin and end once, and work on several chunks at a time anyway.
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Unknown
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
        let Some(input) = children.pop() else {
            return internal_err!("ProcessorExec has an input");
        };
        Ok(Arc::new(Self::try_new(
            input,
            self.processors.clone(),
            self.options.clone(),
            Arc::clone(&self.log),
        )?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("ProcessorExec has one partition, not {}", partition + 1);
        }
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let batches = self.stream(input, &context).into_batches();
        let recorder = Recorder::new(&self.metrics, partition, Arc::clone(&self.log));
        let rows = recorded(batches, recorder);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Brings what the log counts into the metrics of the plan.
struct Recorder {
    log: Arc<RunLog>,
    baseline: BaselineMetrics,
    chunks: Count,
    errors: Count,
    retries: Count,
    pressure: Count,
    told: [usize; 4],
}

impl Recorder {
    fn new(metrics: &ExecutionPlanMetricsSet, partition: usize, log: Arc<RunLog>) -> Self {
        let counter = |name| MetricBuilder::new(metrics).counter(name, partition);
        let mut recorder = Self {
            baseline: BaselineMetrics::new(metrics, partition),
            chunks: counter("chunks"),
            errors: counter("errors"),
            retries: counter("retries"),
            pressure: counter("backpressure_events"),
            told: [0; 4],
            log,
        };
        // (A run before this one has told its own.)
        recorder.told = recorder.now();
        recorder
    }

    fn now(&self) -> [usize; 4] {
        let count = self.log.counts();
        count.map(|count| usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn tell(&mut self) {
        let now = self.now();
        let counters = [&self.chunks, &self.errors, &self.retries, &self.pressure];
        for ((counter, now), told) in counters.into_iter().zip(now).zip(self.told) {
            counter.add(now.saturating_sub(told));
        }
        self.told = now;
    }
}

fn recorded(
    mut batches: BoxStream<'static, Result<RecordBatch, StreamError>>,
    mut recorder: Recorder,
) -> BoxStream<'static, Result<RecordBatch>> {
    let polled = stream::poll_fn(move |cx| {
        let timer = recorder.baseline.elapsed_compute().timer();
        let polled = batches.poll_next_unpin(cx);
        drop(timer);
        if polled.is_ready() {
            recorder.tell();
        }
        let polled = polled.map(|next| next.map(|batch| batch.map_err(StreamError::into_plan)));
        recorder.baseline.record_poll(polled)
    });
    polled.boxed()
}
