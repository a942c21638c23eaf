//! One SQL statement: planned, run, reported.

pub(crate) mod coverage;
mod exported;
mod fit;
pub(crate) mod functions;
pub(crate) mod names;
pub(crate) mod normalize;
pub(crate) mod order;
mod partitions;
pub(crate) mod repeats;
mod reset;
mod rounded;
mod target;

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use biotide_common::identifiers::SessionIdentifiers;
use biotide_common::reject::RejectRecord;
use biotide_common::scan::ScanReport;
use biotide_common::session::QueryLog;
use biotide_exec::xref::{CoverageLog, CoverageRow};
use datafusion::catalog::DynamicFileCatalog;
use datafusion::common::format::ExplainFormat;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::{LogicalPlan, Statement as LogicalStatement};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as SqlStatement;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::catalog::StatementFiles;
use crate::context::BiotideContext;
use crate::convert::{ConvertReport, Output};
use crate::error::{Error, Result};
use crate::mapping::create::{self, MappingStatement};
use crate::mapping::relation::MappingRelations;
use crate::mapping::{lateral, looked_up, meeting, named, renew, told};
use crate::memory::{MemoryReport, explain, peak_rss};
use crate::monitor::Monitor;
use crate::staged::{RemoteObject, Staged};

/// A statement that was planned. It can be run more than once; every run reads its files anew.
pub struct Statement {
    context: BiotideContext,
    state: SessionState,
    plan: LogicalPlan,
    log: Arc<QueryLog>,
    /// What became of identifiers that were cross-referenced.
    coverage: Option<Arc<CoverageLog>>,
    monitor: Monitor,
    started: bool,
    published: bool,
    /// Whether a `COPY` to a folder may replace what is there.
    replace_folder: bool,
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

impl BiotideContext {
    /// Plans one statement. Statements that only change the session (`SET`, `CREATE …`) take effect
    /// here; queries and `COPY` run when they are asked for their rows.
    pub async fn sql(&self, sql: &str) -> Result<Statement> {
        if let Some(statement) = create::parse(sql)? {
            return self.mapping_statement(statement).await;
        }
        let (plan, state) = self.planned(sql, self.session().state()).await?;
        self.statement(state, plan).await
    }

    /// The plan of a query, in a state that a statement has.
    pub(crate) async fn plan_query(&self, sql: &str, state: &SessionState) -> Result<LogicalPlan> {
        Ok(self.planned(sql, state.clone()).await?.0)
    }

    /// A plan, and the state that it is to run in.
    async fn planned(&self, sql: &str, state: SessionState) -> Result<(LogicalPlan, SessionState)> {
        let dialect = state.config_options().sql_parser.dialect;
        let mut statement = state.sql_to_statement(sql, &dialect)?;
        let (mut state, files) = self.statement_state(state);
        coverage::resolve(&mut statement)?;
        crate::mapping::coverage::resolve(&mut statement)?;
        functions::resolve(&mut statement, &files, &state).await?;
        normalize::resolve(&mut statement, &files, &state).await?;
        target::resolve(&mut statement)?;
        reset::resolve(&mut statement, &state)?;
        names::resolve(&mut statement, &state).await?;
        if let Some(files) = named::resolve(&mut statement, self, &state).await? {
            state.register_relation_planner(Arc::new(MappingRelations {
                context: self.clone(),
                identifiers: self.identifiers()?,
                files,
            }))?;
        }
        if let SqlStatement::CreateExternalTable(_) = &statement {
            // The table outlives the statement: it is made with the session's own state.
            state = self.session().state();
        }
        let plan = lateral::rewrite(state.statement_to_plan(statement).await?)?;
        let mut plan = renew::rewrite(plan, &self.mappings())?;
        if meeting::is_in(&plan)? {
            let identifiers = self.identifiers()?;
            plan = meeting::rewrite(plan, &*identifiers)?;
            plan = looked_up::rewrite(plan, &*identifiers)?;
        }
        Ok((plan, state))
    }

    /// Makes or drops a mapping; the rows are what is known of it.
    async fn mapping_statement(&self, statement: MappingStatement) -> Result<Statement> {
        let mut state = self.session().state();
        let log = self.new_log(false);
        state.config_mut().set_extension(Arc::clone(&log));
        let made = create::run(self, &state, statement).await;
        // (What is wrong with it says to look at the log.)
        if made.is_err()
            && let Err(error) = self.publish(&log)
        {
            log::warn!("{error}");
        }
        let name = made?;
        let sql = "SELECT mapping, identifiers, edges, negated, self_loops, duplicates, rejected, skipped \
                   FROM system.mappings WHERE mapping = ";
        let query = format!("{sql}'{}'", name.unwrap_or_default().replace('\'', "''"));
        let (plan, state) = self.planned(&query, self.session().state()).await?;
        let mut statement = self.statement(state, plan).await?;
        // (What was read, and what was wrong with it, is this statement's.)
        statement.renew(log);
        Ok(statement)
    }

    /// Shows a log in `system.rejects`, and writes it where `rejects` asks for that.
    pub(crate) fn publish(&self, log: &Arc<QueryLog>) -> Result<()> {
        if !has_something(log) {
            return Ok(());
        }
        self.finished.push(Arc::clone(log));
        match self.options().rejects {
            Some(path) => self.finished.write(&path, log),
            None => Ok(()),
        }
    }

    /// The session's state for one statement: files by their path.
    pub(crate) fn statement_state(
        &self,
        mut state: SessionState,
    ) -> (SessionState, Arc<StatementFiles>) {
        let files = Arc::new(StatementFiles::new(state.clone()));
        let catalogs = Arc::clone(state.catalog_list());
        let factory = Arc::clone(&files) as _;
        state.register_catalog_list(Arc::new(DynamicFileCatalog::new(catalogs, factory)));
        (state, files)
    }

    async fn statement(&self, mut state: SessionState, plan: LogicalPlan) -> Result<Statement> {
        let plan = match plan {
            // What changes the session goes to the session.
            plan @ LogicalPlan::Statement(
                LogicalStatement::SetVariable(_)
                | LogicalStatement::ResetVariable(_)
                | LogicalStatement::Prepare(_)
                | LogicalStatement::Execute(_)
                | LogicalStatement::Deallocate(_),
            ) => {
                self.session()
                    .execute_logical_plan(plan)
                    .await?
                    .into_parts()
                    .1
            }
            plan => plan,
        };
        let mut statement = Statement::new(self.clone(), &mut state, plan);
        if let LogicalPlan::Ddl(_) = &statement.plan {
            let session = SessionContext::new_with_state(statement.state.clone());
            statement.plan = session
                .execute_logical_plan(statement.plan.clone())
                .await?
                .into_parts()
                .1;
        }
        Ok(statement)
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

    /// Lets a `COPY` replace a folder.
    pub(crate) fn replacing(mut self, replace: bool) -> Self {
        self.replace_folder = replace;
        self
    }

    fn renew(&mut self, log: Arc<QueryLog>) {
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

    /// What `EXPLAIN` says of memory.
    async fn explained(&self, plan: &LogicalPlan) -> Result<Option<String>> {
        let LogicalPlan::Explain(explain) = plan else {
            return Ok(None);
        };
        let text = [ExplainFormat::Indent, ExplainFormat::Tree];
        if !text.contains(&explain.explain_format) {
            return Ok(None);
        }
        // A plan that cannot be made is explained all the same: its error is what it says.
        let Ok(plan) = self.state.create_physical_plan(&explain.plan).await else {
            return Ok(None);
        };
        let options = self.state.config_options();
        Ok(Some(explain::describe(
            &plan,
            self.context.meter.budget(),
            options,
        )?))
    }

    /// Adds to `EXPLAIN ANALYZE` what the run held.
    fn with_held(&self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (meter, monitor) = (Arc::clone(&self.context.meter), self.monitor.clone());
        let log = Arc::clone(&self.log);
        with_row(rows, move || {
            let report = meter.report(monitor.spilled(), log.pace.report());
            explain::held(&report, peak_rss())
        })
    }

    /// The plan to run: a `COPY` writes beside its target.
    fn staged(&self) -> Result<(LogicalPlan, Option<Staged>)> {
        let mut staged = None;
        // A plan that is only explained writes nothing.
        let explained = matches!(self.plan, LogicalPlan::Explain(_));
        let plan = self.plan.clone().transform_down(|plan| {
            let LogicalPlan::Copy(mut copy) = plan else {
                return Ok(Transformed::no(plan));
            };
            exported::add_slots(&mut copy)?;
            rounded::round_numbers(&mut copy)?;
            partitions::name_folders(&mut copy)?;
            exported::name_delimiter(&mut copy);
            if exported::is_set(&copy) {
                copy.input = Arc::new(told::kept(copy.input.as_ref().clone())?);
            }
            fit::fit(
                &mut copy,
                self.context.meter.budget(),
                self.state.config_options(),
            )?;
            if explained {
                return Ok(Transformed::yes(LogicalPlan::Copy(copy)));
            }
            let target = &copy.output_url;
            let folder = !copy.partition_by.is_empty()
                || target.ends_with('/')
                || (Path::new(target).is_dir() && Path::new(target).extension().is_none());
            let temp = &self.context.temp_dir;
            let beside = Staged::new(target, folder, self.replace_folder, temp)
                .map_err(Error::into_datafusion)?;
            if let Some(beside) = beside {
                // The ending tells DataFusion which it is.
                let end = if folder { "/" } else { "" };
                copy.output_url = format!("{}{end}", beside.path().display());
                staged = Some(beside);
            }
            Ok(Transformed::yes(LogicalPlan::Copy(copy)))
        })?;
        Ok((plan.data, staged))
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
        let plan = self.plan.clone();
        self.plan = output.copy_plan(plan, &self.state)?;
        output.run(self, on_start).await
    }

    /// Ends the run: writes the reject log where `rejects` asks for it, shows it in `system.rejects`,
    /// and answers the counts. Call it when the rows were taken, or taking them failed.
    pub fn finish(mut self) -> Result<ScanReport> {
        self.publish()?;
        Ok(self.log.report())
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

/// Adds a row about memory to those of `EXPLAIN`.
fn with_row(
    rows: SendableRecordBatchStream,
    text: impl FnOnce() -> String + Send + 'static,
) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let of_row = Arc::clone(&schema);
    let row = stream::once(async move { explain::row(of_row, text()) });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows.chain(row)))
}

/// Whether a plan writes a set of mappings.
fn writes_set(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Copy(copy) => exported::is_set(copy),
        LogicalPlan::Analyze(analyze) => writes_set(&analyze.input),
        _ => false,
    }
}

/// Whether a statement has read something, or set something aside.
fn has_something(log: &QueryLog) -> bool {
    !log.scans().is_empty() || !log.rejects.is_empty()
}

impl Drop for Statement {
    fn drop(&mut self) {
        if !self.published && self.started && has_something(&self.log) {
            self.context.finished.push(Arc::clone(&self.log));
        }
    }
}
