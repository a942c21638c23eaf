//! The datasets of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use biotide_common::BiotideError;
use biotide_stream::RunLog;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Extension, LogicalPlan};
use datafusion::prelude::SessionContext;
use parking_lot::Mutex;

use super::super::actions::Params;
use super::super::measure::{StepInfo, StepNode};
use super::super::run::ProcessorRun;
use super::super::spec::{Pipeline, Step, Streaming, nearest};
use super::session::session_of;
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
    schema: Arc<dyn SchemaProvider>,
    name: String,
    datasets: Vec<(String, LogicalPlan)>,
    /// Mappings that the run has made.
    mappings: Vec<String>,
    /// What processors do, by their steps.
    processors: Mutex<Vec<(String, Arc<RunLog>)>>,
}

impl Scope {
    /// An empty one, with the mappings of the pipeline.
    pub(crate) async fn new(context: &BiotideContext, pipeline: &Pipeline) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // (Mappings are of the session, which may have more memory than the run.)
        let mappings = make_mappings(context, pipeline).await?;
        let context = &session_of(context, pipeline)?;
        let session = context.session();
        let mut state = session.state();
        let name = format!("biotide_run_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let default = state.config_options().catalog.default_catalog.clone();
        let Some(catalog) = session.catalog(&default) else {
            let problem = format!("the session has no catalog {default}");
            return Err(DataFusionError::Configuration(problem).into());
        };
        let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
        catalog.register_schema(&name, Arc::clone(&schema))?;
        state.config_mut().options_mut().catalog.default_schema = name.clone();
        state
            .config_mut()
            .set_extension(Arc::<FilesBeside>::default());
        Ok(Self {
            context: context.clone(),
            state,
            pace: pace_of(&pipeline.streaming, None),
            streaming: pipeline.streaming.clone(),
            catalog,
            schema,
            name,
            datasets: Vec::new(),
            mappings,
            processors: Mutex::default(),
        })
    }

    /// From now on sinks are fed as a step that reads asks for.
    pub(super) fn take_pace(&mut self, params: &Params) {
        self.pace = pace_of(&self.streaming, Some(params));
    }

    /// The plan of a query over the datasets.
    pub(crate) async fn plan(&self, sql: &str) -> Result<LogicalPlan> {
        self.context.plan_query(sql, &self.state).await
    }

    /// Adds what a query makes.
    pub(crate) async fn add_query(&mut self, step: &Step, sql: &str) -> Result<()> {
        let plan = self.plan(sql).await?;
        self.add(step, plan)
    }

    /// Adds a dataset, under the key of the step.
    pub(crate) fn add(&mut self, step: &Step, plan: LogicalPlan) -> Result<()> {
        let key = key_of(step);
        // (A step may call its output as another one did: it takes its place.)
        if self.schema.table_exist(&key) {
            self.schema.deregister_table(&key)?;
            self.datasets.retain(|(known, _)| *known != key);
        }
        let info = StepInfo {
            name: step.name.clone(),
            place: place_of(step),
            made_with: self.made_with(step),
        };
        let plan = LogicalPlan::Extension(Extension {
            node: Arc::new(StepNode {
                input: plan,
                info: Arc::new(info),
            }),
        });
        let view = Arc::new(ViewTable::new(plan.clone(), None));
        self.schema.register_table(key.clone(), view)?;
        self.datasets.push((key, plan));
        Ok(())
    }

    /// What the plan of a step does not tell: what an action of the program is given.
    fn made_with(&self, step: &Step) -> String {
        match self.context.actions().own(step.action.name) {
            Some(own) => {
                let (name, given) = (step.action.name, step.params.given());
                format!("{name} {} {given}", own.version())
            }
            None => String::new(),
        }
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

    /// Which datasets there are, for a message.
    pub(crate) fn known(&self) -> String {
        match self.datasets.is_empty() {
            true => "no step before it makes one".to_owned(),
            false => format!("there are {}", self.keys().collect::<Vec<_>>().join(", ")),
        }
    }

    /// The plan of a dataset.
    pub(crate) fn dataset(&self, key: &str) -> Option<&LogicalPlan> {
        let found = self.datasets.iter().find(|(known, _)| known == key);
        found.map(|(_, plan)| plan)
    }

    /// The key of the dataset that a parameter names, or the last one.
    pub(crate) fn input(&self, params: &Params, name: &str) -> Result<String> {
        let Some(key) = params.text(name) else {
            let last = self.keys().last().map(str::to_owned);
            return last.ok_or_else(|| refused(params, name, "no step before it makes a dataset"));
        };
        match self.dataset(key) {
            Some(_) => Ok(key.to_owned()),
            None => {
                let problem = format!("'{key}' is no dataset; {}", self.known());
                Err(params.error(name, problem).into())
            }
        }
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
        for mapping in std::mem::take(&mut self.mappings) {
            let sql = format!("DROP MAPPING IF EXISTS {}", quoted(&mapping));
            self.context.sql(&sql).await?.collect().await?;
        }
        Ok(())
    }

    /// A session for what DataFusion does by itself.
    pub(crate) fn session(&self) -> SessionContext {
        SessionContext::new_with_state(self.state.clone())
    }
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

/// Makes the mappings of a pipeline, and answers their names.
async fn make_mappings(context: &BiotideContext, pipeline: &Pipeline) -> Result<Vec<String>> {
    let mut names = Vec::new();
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
    Ok(names)
}

impl Drop for Scope {
    fn drop(&mut self) {
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
            let some: Vec<&str> = own.iter().take(20).map(String::as_str).collect();
            let near = nearest(wanted, own.iter().map(String::as_str));
            let hint = near.map_or_else(String::new, |near| format!(" (did you mean '{near}'?)"));
            let problem = format!(
                "{owner} has no column '{wanted}'; there are {}{hint}",
                some.join(", ")
            );
            Err(refused(params, name, problem))
        }
    }
}
