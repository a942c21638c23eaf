//! The datasets of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use biotide_common::BiotideError;
use biotide_stream::RunLog;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{CatalogProvider, SchemaProvider};
use datafusion::common::DataFusionError;
use datafusion::common::config::Dialect;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Extension, LogicalPlan};
use datafusion::prelude::SessionContext;
use parking_lot::Mutex;

use super::super::actions::Params;
use super::super::measure::{StepInfo, StepNode};
use super::super::run::{CacheLock, ProcessorRun};
use super::super::spec::{Digest, Pipeline, Step, Streaming, did_you_mean};
use super::datasets::Datasets;
use super::planned;
use super::session::{informed, limited, logged};
use super::words::quoted;
use crate::context::BiotideContext;
use crate::error::{Error, Result};
use crate::resumable::{FilesBeside, Pace};

/// The datasets of a run: views in a schema of its own, which goes with it.
pub(crate) struct Scope {
    pub(crate) context: BiotideContext,
    pub(crate) state: SessionState,
    pub(crate) streaming: Streaming,
    /// How a sink is fed that comes now.
    pub(crate) pace: Pace,
    catalog: Arc<dyn CatalogProvider>,
    schema: Arc<Datasets>,
    name: String,
    datasets: Vec<(String, LogicalPlan)>,
    /// What steps would make whose condition does not hold, and where they stand.
    left_out: Vec<(String, String)>,
    /// What steps would have made that failed and need not succeed, and why they did.
    failed: Vec<(String, String)>,
    /// Mappings that the run has made.
    mappings: Vec<String>,
    /// Of all that datasets are made with: settings, and the steps until now.
    made_with: Digest,
    /// Files that go with the run.
    passing: Vec<PathBuf>,
    /// Caches that others must not make anew while the run reads them.
    caches: Vec<CacheLock>,
    /// What processors do, by their steps.
    processors: Mutex<Vec<(String, Arc<RunLog>)>>,
}

impl Scope {
    /// An empty one, with the mappings of the pipeline.
    pub(crate) async fn new(context: &BiotideContext, pipeline: &Pipeline) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let context = logged(context, pipeline);
        // (Mappings are of the session, which may have more memory than the run.)
        let mut mappings = Vec::new();
        if let Err(error) = make_mappings(&context, pipeline, &mut mappings).await {
            drop_mappings(&context, mappings).await?;
            return Err(error);
        }
        let context = informed(limited(context, pipeline)?, pipeline);
        let session = context.session();
        let mut state = session.state();
        let name = format!("biotide_run_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let default = state.config_options().catalog.default_catalog.clone();
        let Some(catalog) = session.catalog(&default) else {
            let problem = format!("the session has no catalog {default}");
            return Err(DataFusionError::Configuration(problem).into());
        };
        let schema = Arc::new(Datasets::default());
        catalog.register_schema(&name, Arc::clone(&schema) as _)?;
        let options = state.config_mut().options_mut();
        options.catalog.default_schema = name.clone();
        // (A step gives its rows in its order to the one after it: SQL would take that for a subquery's, which has none.)
        options.sql_parser.enable_subquery_sort_elimination = false;
        state
            .config_mut()
            .set_extension(Arc::<FilesBeside>::default());
        let made_with = [
            env!("CARGO_PKG_VERSION").to_owned(),
            format!("{:?}", context.options()),
            format!("{:?}", pipeline.streaming),
            format!("{:?}", pipeline.mappings),
        ];
        Ok(Self {
            made_with: made_with
                .iter()
                .fold(Digest::new(), |all, one| all.with(one)),
            context,
            state,
            pace: pace_of(&pipeline.streaming, None),
            streaming: pipeline.streaming.clone(),
            catalog,
            schema,
            name,
            datasets: Vec::new(),
            left_out: left_out(pipeline),
            failed: Vec::new(),
            mappings,
            passing: Vec::new(),
            caches: Vec::new(),
            processors: Mutex::default(),
        })
    }

    /// From now on sinks are fed as a step that reads asks for.
    pub(super) fn take_pace(&mut self, params: &Params) {
        self.pace = pace_of(&self.streaming, Some(params));
    }

    /// The plan of a query over the datasets.
    pub(crate) async fn plan(&self, sql: &str) -> Result<LogicalPlan> {
        let plan = self.context.plan_query(sql, &self.state).await;
        plan.map_err(|error| planned::told(self, error))
    }

    /// The same of SQL of ours with functions of an argument, `x -> …`, which few dialects have.
    pub(super) async fn plan_with_lambdas(&self, sql: &str) -> Result<LogicalPlan> {
        let mut state = self.state.clone();
        let parser = &mut state.config_mut().options_mut().sql_parser;
        parser.dialect = Dialect::DuckDB;
        self.context.plan_query(sql, &state).await
    }

    /// Adds what a query makes.
    pub(crate) async fn add_query(&mut self, step: &Step, sql: &str) -> Result<()> {
        let plan = self.plan(sql).await?;
        self.add(step, plan)
    }

    /// Adds a dataset, under the key of the step.
    pub(crate) fn add(&mut self, step: &Step, plan: LogicalPlan) -> Result<()> {
        let key = key_of(step);
        let written = self.schema.written(&key);
        if let Some(other) = written.filter(|other| *other != key) {
            let problem = format!(
                "there is '{other}' already, which SQL would take it for: names differ in more than their case"
            );
            let name = if step.params.is_given("output") {
                "output"
            } else {
                "name"
            };
            return Err(refused(&step.params, name, problem));
        }
        planned::check(self, &plan)?;
        self.made_with = [step.action.name, &key, &step.params.given().to_string()]
            .iter()
            .fold(self.made_with, |all, one| all.with(one));
        // (A step may call its output as another one did: it takes its place.)
        if self.schema.table_exist(&key) {
            self.schema.deregister_table(&key)?;
            self.datasets.retain(|(known, _)| *known != key);
        }
        let info = StepInfo {
            name: step.name.clone(),
            place: place_of(step),
            made_with: self.made_by_program(step),
        };
        let plan = LogicalPlan::Extension(Extension {
            node: Arc::new(StepNode::new(plan, info)),
        });
        let view = Arc::new(ViewTable::new(plan.clone(), None));
        self.schema.register_table(key.clone(), view)?;
        self.datasets.push((key, plan));
        Ok(())
    }

    /// What the plan of a step does not tell: what an action of the program is given.
    fn made_by_program(&self, step: &Step) -> String {
        match self.context.actions().own(step.action.name) {
            Some(own) => {
                let (name, given) = (step.action.name, step.params.given());
                format!("{name} {} {given}", own.version())
            }
            None => String::new(),
        }
    }

    /// Notes a file that goes with the run.
    pub(crate) fn remove_at_end(&mut self, file: &Path) {
        self.passing.push(file.to_owned());
    }

    /// Keeps a cache as it is until the run ends.
    pub(crate) fn hold(&mut self, cache: CacheLock) {
        self.caches.push(cache);
    }

    /// Keeps what processors of a step do, for the report.
    pub(crate) fn processes(&self, step: &str, log: &Arc<RunLog>) {
        self.processors
            .lock()
            .push((step.to_owned(), Arc::clone(log)));
    }

    /// What the processors of each step did until now.
    pub(crate) fn processor_runs(&self) -> Vec<ProcessorRun> {
        let runs = self.processors.lock();
        let runs = runs.iter().map(|(step, log)| ProcessorRun {
            step: step.clone(),
            summary: log.summary(),
        });
        runs.collect()
    }

    /// The keys of the datasets, in the order of their steps.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.datasets.iter().map(|(key, _)| key.as_str())
    }

    /// Tells what the datasets until now are made with, files aside.
    pub(crate) fn made_with(&self) -> u64 {
        self.made_with.value()
    }

    /// The plan of a dataset, by its name as it is written or in other case.
    pub(crate) fn dataset(&self, key: &str) -> Option<&LogicalPlan> {
        let found = self.datasets.iter();
        let mut found = found.filter(|(known, _)| known.eq_ignore_ascii_case(key));
        found.next().map(|(_, plan)| plan)
    }

    /// Notes that a step makes nothing, as it failed.
    pub(crate) fn note_failed(&mut self, step: &Step, why: &Error) {
        if step.action.param("output").is_some() {
            self.failed.push((key_of(step), why.to_string()));
        }
    }

    /// A dataset that is none, and those that there are.
    pub(crate) fn unknown(&self, key: &str) -> String {
        let mut left_out = self.left_out.iter();
        if let Some((key, place)) = left_out.find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return format!(
                "'{key}' is not made: the condition of its step, on {place}, does not hold"
            );
        }
        let mut failed = self.failed.iter();
        if let Some((key, why)) = failed.find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return format!("'{key}' is not made, as its step failed: {why}");
        }
        let known: Vec<&str> = self.keys().collect();
        let advice = match known.is_empty() {
            true => "no step before it makes one".to_owned(),
            false => did_you_mean(key, known),
        };
        format!("'{key}' is no dataset; {advice}")
    }

    /// The key of the dataset that a parameter names, or the last one.
    pub(crate) fn input(&self, params: &Params, name: &str) -> Result<String> {
        let Some(key) = params.text(name) else {
            let last = self.keys().last().map(str::to_owned);
            return last.ok_or_else(|| refused(params, name, "no step before it makes a dataset"));
        };
        match self.dataset(key) {
            Some(_) => Ok(key.to_owned()),
            None => Err(refused(params, name, self.unknown(key))),
        }
    }

    /// The keys of the datasets that a parameter lists.
    pub(super) fn inputs(&self, params: &Params) -> Result<Vec<String>> {
        let inputs = params.placed_texts("inputs").into_iter();
        let known = inputs.map(|input| match self.dataset(input.value) {
            Some(_) => Ok(input.value.to_owned()),
            None => Err(input.place.error(self.unknown(input.value)).into()),
        });
        known.collect()
    }

    /// The columns of a dataset.
    pub(crate) fn columns(&self, key: &str) -> Vec<String> {
        let fields = self.dataset(key).map(|plan| plan.schema().fields().clone());
        let fields = fields.unwrap_or_default();
        fields.iter().map(|field| field.name().clone()).collect()
    }

    /// A column of a dataset: as it is written, or in other case, if that is one.
    pub(crate) fn column(
        &self,
        key: &str,
        params: &Params,
        name: &str,
        wanted: &str,
    ) -> Result<String> {
        column_of(&self.columns(key), key, params, name, wanted)
    }

    /// The columns of a dataset that a parameter names.
    pub(crate) fn columns_of(&self, key: &str, params: &Params, name: &str) -> Result<Vec<String>> {
        let wanted = params.texts(name);
        let found = wanted
            .into_iter()
            .map(|wanted| self.column(key, params, name, wanted));
        found.collect()
    }

    /// Lets what it has made go.
    pub(crate) async fn close(mut self) -> Result<()> {
        drop_mappings(&self.context, std::mem::take(&mut self.mappings)).await
    }

    /// A session for what DataFusion does by itself.
    pub(crate) fn session(&self) -> SessionContext {
        SessionContext::new_with_state(self.state.clone())
    }
}

/// What steps would make whose condition does not hold, and where they stand.
fn left_out(pipeline: &Pipeline) -> Vec<(String, String)> {
    let steps = pipeline.steps.iter().filter(|step| !step.runs);
    // (A sink makes nothing.)
    let steps = steps.filter(|step| step.action.param("output").is_some());
    steps
        .map(|step| (key_of(step), step.place.short()))
        .collect()
}

/// How a sink is fed with what a step reads.
fn pace_of(streaming: &Streaming, step: Option<&Params>) -> Pace {
    let default = Pace::default();
    let own = step.filter(|step| step.is_given("chunk_size"));
    let chunk_rows = own.and_then(|step| step.size("chunk_size"));
    let reports = step.and_then(|step| step.boolean("report_progress"));
    let interval = step.and_then(|step| step.unsigned("progress_interval"));
    Pace {
        chunk_rows: chunk_rows
            .or(streaming.chunk_size)
            .or_else(|| step?.size("chunk_size"))
            .unwrap_or(default.chunk_rows),
        waiting_chunks: streaming
            .backpressure_threshold
            .unwrap_or(default.waiting_chunks),
        progress_rows: interval.filter(|_| reports == Some(true)),
        ..default
    }
}

async fn drop_mappings(context: &BiotideContext, names: Vec<String>) -> Result<()> {
    for name in names {
        let sql = format!("DROP MAPPING IF EXISTS {}", quoted(&name));
        context.sql(&sql).await?.collect().await?;
    }
    Ok(())
}

/// Makes the mappings of a pipeline, and notes their names.
async fn make_mappings(
    context: &BiotideContext,
    pipeline: &Pipeline,
    names: &mut Vec<String>,
) -> Result<()> {
    for (mapping, source) in &pipeline.mappings {
        let source_text = match source.value.contains('(') {
            true => source.value.clone(),
            false => super::words::text(&source.value),
        };
        let sql = format!("CREATE MAPPING {} FROM {source_text}", quoted(mapping));
        let made = async {
            let mut made = context.sql(&sql).await?;
            made.collect().await?;
            made.finish()
        };
        made.await.map_err(|error| BiotideError::At {
            place: format!("{}, mapping {mapping}", source.place),
            source: Box::new(error.into_datafusion()),
        })?;
        names.push(mapping.clone());
    }
    Ok(())
}

impl Drop for Scope {
    fn drop(&mut self) {
        for file in &self.passing {
            if let Err(error) = std::fs::remove_file(file)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                log::warn!("removing {}: {error}", file.display());
            }
        }
        // (It is a schema in memory, and it is there.)
        let _ = self.catalog.deregister_schema(&self.name, true);
    }
}

/// What errors call a step.
pub(super) fn place_of(step: &Step) -> String {
    format!("{}, step {}", step.place, step.name)
}

/// What a step calls its output.
pub(crate) fn key_of(step: &Step) -> String {
    // (A sink has none.)
    let named = step
        .action
        .param("output")
        .and_then(|_| step.params.text("output"));
    named.map_or_else(|| step.name.clone(), str::to_owned)
}

/// What is wrong with a parameter.
pub(super) fn refused(params: &Params, name: &str, problem: impl std::fmt::Display) -> Error {
    params.error(name, problem).into()
}

/// Refuses a parameter that names a column twice.
pub(crate) fn once(params: &Params, name: &str, columns: &[String]) -> Result<()> {
    let mut places = columns.iter().enumerate();
    match places.find(|(n, column)| columns[..*n].contains(column)) {
        Some((_, twice)) => Err(refused(params, name, format!("it names {twice} twice"))),
        None => Ok(()),
    }
}

/// One of some columns: as it is written, or in other case, if that is one. `owner`: what has them.
pub(super) fn column_of(
    own: &[String],
    owner: &str,
    params: &Params,
    name: &str,
    wanted: &str,
) -> Result<String> {
    if own.iter().any(|column| column == wanted) {
        return Ok(wanted.to_owned());
    }
    let mut alike = own
        .iter()
        .filter(|column| column.eq_ignore_ascii_case(wanted));
    match (alike.next(), alike.next()) {
        (Some(one), None) => Ok(one.clone()),
        _ => {
            let known = own.iter().map(String::as_str);
            let near = did_you_mean(wanted, known);
            let problem = format!("{owner} has no column '{wanted}'; {near}");
            Err(refused(params, name, problem))
        }
    }
}
