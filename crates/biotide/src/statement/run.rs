//! A planned statement: its runs, and what is told of them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use biotide_common::identifiers::SessionIdentifiers;
use biotide_common::reject::RejectRecord;
use biotide_common::scan::ScanReport;
use biotide_common::session::QueryLog;
use biotide_exec::xref::{CoverageLog, CoverageRow};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{TryStreamExt, stream};
use serde::Serialize;

use super::explained::with_row;
use super::{exported, order};
use crate::context::BiotideContext;
use crate::convert::{ConvertReport, Output};
use crate::error::{Error, Result};
use crate::memory::MemoryReport;
use crate::memory::policy::batch_size_of;
use crate::monitor::Monitor;
use crate::rejects::counted_once;
use crate::staged::RemoteObject;

/// A statement that was planned. It can be run more than once; every run reads its files anew.
pub struct Statement {
    pub(super) context: BiotideContext,
    pub(super) state: SessionState,
    pub(super) plan: LogicalPlan,
    pub(super) log: Arc<QueryLog>,
    /// What became of identifiers that were cross-referenced.
    coverage: Option<Arc<CoverageLog>>,
    pub(super) monitor: Monitor,
    started: bool,
    published: bool,
    /// Whether a `COPY` to a folder may replace what is there.
    pub(super) replace_folder: bool,
}

/// What became of identifiers that were cross-referenced.
#[derive(Debug, Clone, Serialize)]
pub struct XrefReport {
    /// How many had which fate.
    pub counts: Vec<CoverageRow>,
    /// Those without a result, the commonest first.
    pub top_unmapped: Vec<(String, u64)>,
    /// Whether those are counted exactly. Of more than some thousand different ones the common ones are found, and
    /// counted too low.
    pub top_unmapped_exact: bool,
}

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statement")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

impl Statement {
    pub(crate) fn new(
        context: BiotideContext,
        state: &mut SessionState,
        plan: LogicalPlan,
    ) -> Self {
        let ordered = order::keeps_order(&plan) || order::needs_order(&plan);
        Self::ordered(context, state, plan, ordered)
    }

    /// One whose rows are written somewhere.
    pub(crate) fn of_rows_to_write(
        context: BiotideContext,
        state: &SessionState,
        plan: LogicalPlan,
    ) -> Self {
        let ordered = order::keeps_order_when_written(&plan) || order::needs_order(&plan);
        Self::ordered(context, state, plan, ordered)
    }

    fn ordered(
        context: BiotideContext,
        state: &SessionState,
        plan: LogicalPlan,
        ordered: bool,
    ) -> Self {
        let log = context.new_log(ordered);
        let mut state = state.clone();
        state.config_mut().set_extension(Arc::clone(&log));
        if ordered {
            state.config_mut().options_mut().execution.target_partitions = 1;
        }
        let rows = batch_size_of(&plan, context.meter.budget(), state.config().batch_size());
        let config = state.config().clone().with_batch_size(rows);
        *state.config_mut() = config;
        let monitor = Monitor::new(Arc::clone(&log), Arc::clone(&context.meter));
        Self {
            context,
            state,
            plan,
            log,
            coverage: None,
            monitor,
            started: false,
            published: false,
            replace_folder: false,
        }
    }

    /// Takes rows as they come instead of in the order of the input.
    pub(crate) fn unordered(mut self) -> Self {
        let log = self.context.new_log(false);
        let threads = self.context.session().state().config().target_partitions();
        self.state
            .config_mut()
            .options_mut()
            .execution
            .target_partitions = threads;
        self.renew(log);
        self
    }

    /// Takes rows in the order of the input.
    fn in_order(mut self) -> Self {
        let log = self.context.new_log(true);
        let options = self.state.config_mut().options_mut();
        options.execution.target_partitions = 1;
        self.renew(log);
        self
    }

    /// Lets a `COPY` replace a folder.
    pub(crate) fn replacing(mut self, replace: bool) -> Self {
        self.replace_folder = replace;
        self
    }

    pub(super) fn renew(&mut self, log: Arc<QueryLog>) {
        self.state.config_mut().set_extension(Arc::clone(&log));
        if self.coverage.is_some() {
            self.count_identifiers();
        }
        self.monitor = Monitor::new(Arc::clone(&log), Arc::clone(&self.context.meter));
        self.log = log;
        self.published = false;
    }

    /// The schema of the rows.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    /// The most rows of a batch.
    pub(crate) fn batch_size(&self) -> usize {
        self.state.config().batch_size()
    }

    /// Live numbers of the next (or running) run.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Counts what becomes of identifiers that are cross-referenced, from the next run on. Each is resolved whole
    /// then, whatever a filter wants of its results.
    pub fn count_identifiers(&mut self) {
        let coverage = Arc::new(CoverageLog::default());
        self.state.config_mut().set_extension(Arc::clone(&coverage));
        self.coverage = Some(coverage);
    }

    /// What became of the identifiers that were cross-referenced; nothing, if none were, or nobody counted.
    pub fn coverage(&self) -> Option<XrefReport> {
        let coverage = self.coverage.as_ref().filter(|log| !log.is_empty())?;
        Some(XrefReport {
            counts: coverage.rows(),
            top_unmapped: coverage.top_unmapped(),
            top_unmapped_exact: coverage.top_is_exact(),
        })
    }

    /// What the run holds, or held, in memory and on disk.
    pub fn memory(&self) -> MemoryReport {
        let reading = self.log.pace.report();
        self.context.meter.report(self.monitor.spilled(), reading)
    }

    async fn physical_plan(&mut self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        if self.started {
            self.publish()?;
            let log = self.context.new_log(self.log.ordered);
            self.renew(log);
        }
        self.started = true;
        let plan = self.state.create_physical_plan(plan).await?;
        self.monitor.planned(&plan);
        Ok(plan)
    }

    /// The plan that runs, as text.
    pub(crate) async fn shown_plan(&mut self) -> Result<String> {
        let plan = self.plan.clone();
        let physical = self.physical_plan(&plan).await?;
        let shown = datafusion::physical_plan::displayable(&*physical);
        Ok(shown.indent(false).to_string())
    }

    /// Runs the statement; rows come as they are read. The target of a `COPY` gets its name when the
    /// stream has ended well.
    pub async fn stream(&mut self) -> Result<SendableRecordBatchStream> {
        let (plan, staged) = self.staged()?;
        if writes_set(&plan) {
            // (What no set has declared the registry may know.)
            let known = SessionIdentifiers(self.context.identifiers()?);
            self.state.config_mut().set_extension(Arc::new(known));
        }
        let remote = match (&plan, &staged) {
            (LogicalPlan::Copy(copy), None) => {
                RemoteObject::new(&copy.output_url, self.state.runtime_env()).await?
            }
            _ => None,
        };
        let explained = self.explained(&plan).await?;
        let physical = self.physical_plan(&plan).await?;
        let stream = execute_stream(physical, self.state.task_ctx())?;
        let stream = match (&plan, explained) {
            (LogicalPlan::Analyze(_), _) => self.with_held(stream),
            (_, Some(text)) => with_row(stream, move || text),
            (_, None) => stream,
        };
        if staged.is_none() && remote.is_none() {
            return Ok(stream);
        }
        let schema = stream.schema();
        let state = (stream, staged, remote);
        let batches = stream::try_unfold(state, async |(mut rows, staged, remote)| {
            match rows.try_next().await {
                Ok(Some(batch)) => Ok(Some((batch, (rows, staged, remote)))),
                Ok(None) => {
                    if let Some(staged) = staged {
                        staged.publish().map_err(Error::into_datafusion)?;
                    }
                    Ok(None)
                }
                Err(error) => {
                    if let Some(remote) = remote {
                        remote.discard().await;
                    }
                    Err(error)
                }
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    /// Runs the statement and gathers all rows: for results that are known to be small.
    pub async fn collect(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(self.stream().await?.try_collect().await?)
    }

    /// Runs the statement and writes its rows to a file: Parquet, CSV, TSV, JSON Lines or Arrow, by
    /// `format` or the path's ending. `on_start` gets live numbers.
    pub async fn write_to(
        mut self,
        path: &str,
        format: Option<&str>,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let output = Output {
            path: path.to_owned(),
            format: format.map(str::to_owned),
            partition_by: Vec::new(),
            compression: None,
        };
        let plan = output.copy_plan(self.plan.clone(), &self.state)?;
        // (What is written keeps an order that rows which are only looked at need not have.)
        if order::keeps_order(&plan) && !self.log.ordered {
            self = self.in_order();
        }
        self.plan = plan;
        output.run(self, on_start).await
    }

    /// Ends the run: writes the reject log where `rejects` asks for it, shows it in `system.rejects`,
    /// and answers the counts: records of a file that was read several times are counted once. Call it when the rows
    /// were taken, or taking them failed.
    pub fn finish(mut self) -> Result<ScanReport> {
        self.publish()?;
        counted_once(&self.log)
    }

    /// The first bad rows of the run, in the order of the log.
    pub(crate) fn first_rejects(&self, n: usize) -> Result<Vec<RejectRecord>> {
        Ok(self.log.rejects.read()?.take_batch(n)?)
    }

    fn publish(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.published, true) {
            true => Ok(()),
            false => self.context.publish(&self.log),
        }
    }
}

/// Whether a plan writes a set of mappings.
fn writes_set(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Copy(copy) => exported::is_set(copy),
        LogicalPlan::Analyze(analyze) => writes_set(&analyze.input),
        _ => false,
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        if !self.published && self.started && !self.log.is_empty() {
            self.context.finished.push(Arc::clone(&self.log));
        }
    }
}
