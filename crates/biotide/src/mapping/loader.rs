//! Plans of statements, and the index that they become.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use biotide_common::BiotideError;
use biotide_common::identifiers::Identifiers;
use biotide_common::nearest::{list, nearest};
use biotide_common::options::{BiotideOptions, Share};
use biotide_common::reject::RejectRecord;
use biotide_common::scan::{ScanReport, ScanStats};
use biotide_common::session::QueryLog;
use biotide_exec::catalog::{LoadMapping, Mapping, iris as stored_iris, open};
use biotide_exec::index::Index;
use biotide_exec::load::{Statements, build_index};
use biotide_exec::mapping::declared::Declared;
use biotide_formats::table::BiotideTable;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DataFusionError, Result, SchemaError};
use datafusion::datasource::source_as_provider;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlanProperties;

use super::declared::{of_plan, unite};
use super::denials;
use super::source::Part;
use super::statements::statements;
use super::turns::Turns;
use crate::context::BiotideContext;
use crate::error::Error;

/// A plan of statements, and what it reads.
#[derive(Debug, Clone)]
pub(crate) struct EdgePlan {
    pub(crate) plan: LogicalPlan,
    pub(crate) origin: String,
    /// What it says of its prefixes.
    pub(crate) declared: Option<Arc<Declared>>,
}

/// Builds an index from plans.
#[derive(Debug)]
pub(crate) struct PlanLoader {
    pub(crate) state: SessionState,
    plans: Vec<EdgePlan>,
    /// What prefixes stand for, as the sources say.
    iris: BTreeMap<String, String>,
    identifiers: Arc<dyn Identifiers>,
}

impl PlanLoader {
    /// Of these plans, which must mean the same by their prefixes.
    pub(crate) fn new(
        state: SessionState,
        mut plans: Vec<EdgePlan>,
        identifiers: Arc<dyn Identifiers>,
    ) -> std::result::Result<Self, BiotideError> {
        Ok(Self {
            iris: unite(&mut plans, &*identifiers)?,
            state,
            plans,
            identifiers,
        })
    }

    /// The mapping of this name that they make.
    pub(crate) fn mapping(self, name: &str) -> Mapping {
        let iris = self.iris.clone();
        Mapping::new(name, Arc::new(self)).with_iris(iris)
    }

    pub(crate) fn plans(&self) -> &[EdgePlan] {
        &self.plans
    }
}

#[async_trait]
impl LoadMapping for PlanLoader {
    async fn load(&self, context: &Arc<TaskContext>) -> Result<Index> {
        let mut state = self.state.clone();
        let log = context.session_config().get_extension::<QueryLog>();
        let before = log.as_ref().map_or(0, |log| log.scans().len());
        // What is read belongs to the statement that needs it.
        if let Some(log) = &log {
            state.config_mut().options_mut().execution.target_partitions = log.threads;
            state.config_mut().set_extension(Arc::clone(log));
        }
        let task = state.task_ctx();
        let (mut statements, turns) = (Vec::new(), Turns::new());
        for EdgePlan {
            plan,
            origin,
            declared,
        } in &self.plans
        {
            let plan = state.create_physical_plan(plan).await?;
            let turn = turns.one();
            for partition in 0..plan.output_partitioning().partition_count() {
                statements.push(Statements {
                    rows: Arc::clone(&turn).rows(plan.execute(partition, Arc::clone(&task))?),
                    origin: origin.as_str().into(),
                    declared: declared.clone(),
                });
            }
        }
        let mut index = build_index(statements, &self.identifiers, context).await?;
        self.judge(&index, context)?;
        let scans = log.as_ref().map(|log| log.scans()).unwrap_or_default();
        let scans = scans.get(before..).unwrap_or_default();
        let read = ScanReport::sum(scans.iter().map(|scan| scan.report()));
        let first = || log.as_ref().and_then(|log| first_reject(log, scans));
        self.judge_reading(&index, &read, first)?;
        index.add_rejected(read.rejected);
        Ok(index)
    }
}

/// The first entry of a log that is about one of these scans.
fn first_reject(log: &QueryLog, scans: &[Arc<ScanStats>]) -> Option<RejectRecord> {
    let mut reader = log.rejects.read().ok()?;
    loop {
        let records = reader.take_batch(LOOKED_AT).ok()?;
        let mut own = records
            .iter()
            .filter(|record| scans.iter().any(|scan| scan.file == record.source));
        match own.next() {
            Some(first) => return Some(first.clone()),
            None if records.is_empty() => return None,
            None => {}
        }
    }
}

/// Entries of the log that are looked at together.
const LOOKED_AT: usize = 64;

/// Below so many rows their share is only judged if that was asked for.
const JUDGED: u64 = 1000;

impl PlanLoader {
    /// Fails where reading has left nothing. `first`: of what was rejected.
    fn judge_reading(
        &self,
        index: &Index,
        read: &ScanReport,
        first: impl FnOnce() -> Option<RejectRecord>,
    ) -> Result<()> {
        if index.counts().edges > 0 || read.delivered > 0 || read.rejected == 0 {
            return Ok(());
        }
        let reasons: Vec<&str> = read.reasons.keys().map(String::as_str).collect();
        let reasons = reasons.join(", ");
        let mut problem = format!(
            "all {} rows were rejected when they were read: {reasons}",
            read.rejected
        );
        if let Some(first) = first() {
            problem = format!("{problem}; on line {}: {}", first.line, first.message);
        }
        let mut advice = String::new();
        if read.reasons.contains_key("undeclared_prefix") {
            advice.push_str(
                "The curie_map above the table says what each prefix stands for (#curie_map:, #  FOO: http://…). ",
            );
        }
        advice.push_str(
            "system.rejects and --rejects FILE hold the rows, and say what is wrong with each.",
        );
        Err(BiotideError::BadRows {
            file: self.origins(),
            problem,
            advice,
        }
        .into())
    }

    fn origins(&self) -> String {
        let origins: Vec<&str> = self.plans.iter().map(|plan| plan.origin.as_str()).collect();
        origins.join(", ")
    }

    /// Fails where most rows are no statements: they are of other columns then, or lack their prefix.
    fn judge(&self, index: &Index, context: &TaskContext) -> Result<()> {
        let counts = index.counts();
        let statements = counts.edges + counts.duplicates + counts.self_loops;
        let all = statements + counts.rejected;
        let options = self
            .state
            .config_options()
            .extensions
            .get::<BiotideOptions>();
        let asked = options.and_then(|options| options.error_threshold.as_ref());
        let Share(threshold) = asked.cloned().unwrap_or(Share(0.1));
        let is_judged = asked.is_some() || all >= JUDGED;
        let share = counts.rejected as f64 / all.max(1) as f64;
        if counts.rejected == 0 || statements > 0 && !(is_judged && share > threshold) {
            return Ok(());
        }
        let log = context.session_config().get_extension::<QueryLog>();
        let reasons = log.map(|log| log.report().reasons).unwrap_or_default();
        let has = |reason: &str| reasons.contains_key(reason);
        let mut advice = String::new();
        if has("no_identifier") || !(has("out_of_range") || has("unknown_value")) {
            advice.push_str(
                "Identifiers need a prefix (uniprot:P12345): pairs('…', subject => 'column=prefix', object => \
                 'column=prefix') says which. ",
            );
        }
        if has("out_of_range") {
            advice.push_str(
                "Confidences are numbers from 0 to 1: (SELECT …, confidence / 100 AS confidence FROM …) makes such of others. ",
            );
        }
        if has("unknown_value") {
            advice.push_str(
                "A statement is denied by Not in predicate_modifier, or by true in negated: (SELECT …, CASE … END AS \
                 negated FROM …) makes such of other words. ",
            );
        }
        advice.push_str(
            "system.rejects and --rejects FILE hold the rows; error_threshold says how many may be so.",
        );
        let shown = ["no_identifier", "out_of_range", "unknown_value"];
        let shown = shown.map(|reason| (reason, reasons.get(reason)));
        let shown = shown
            .iter()
            .filter_map(|(reason, n)| Some(format!("{} {reason}", (*n)?)));
        let shown: Vec<String> = shown.collect();
        let mut problem = format!("{} of {all} rows are no statements", counts.rejected);
        if !shown.is_empty() {
            problem = format!("{problem} ({})", shown.join(", "));
        }
        Err(BiotideError::BadRows {
            file: self.origins(),
            problem,
            advice,
        }
        .into())
    }
}

/// Reads an index from a file.
#[derive(Debug)]
pub(crate) struct StoredLoader {
    pub(crate) path: PathBuf,
    /// What it was made from just now; nothing, if it was there.
    pub(crate) made_from: Vec<EdgePlan>,
}

impl StoredLoader {
    /// The mapping of this name that the file holds.
    pub(crate) async fn mapping(self, name: &str) -> Result<Mapping> {
        let iris = stored_iris(self.path.clone()).await?;
        Ok(Mapping::new(name, Arc::new(self)).with_iris(iris))
    }
}

#[async_trait]
impl LoadMapping for StoredLoader {
    async fn load(&self, context: &Arc<TaskContext>) -> Result<Index> {
        open(self.path.clone(), context).await
    }
}

/// Plans the queries of a source.
pub(super) async fn plans(
    context: &BiotideContext,
    state: &SessionState,
    parts: Vec<Part>,
) -> Result<Vec<EdgePlan>> {
    let identifiers = context.identifiers().map_err(Error::into_datafusion)?;
    let mut plans = Vec::with_capacity(parts.len());
    for part in parts {
        let with_texts = part.with_texts.as_deref();
        // (What is wrong with the session's schema is wrong without it, too.)
        let reading = with_texts.and_then(|column| with_text(state, &[column]).ok());
        let plan = planned(context, state, reading.as_ref(), &part).await?;
        let declared = of_plan(&plan, &*identifiers)?;
        let options = reading.as_ref().and_then(options);
        let origin = file(&plan, &part.origin);
        let plan = statements(plan, &part, options)?;
        plans.push(EdgePlan {
            plan,
            declared,
            origin: origin.unwrap_or(part.origin),
        });
    }
    Ok(plans)
}

/// The plan of a query. `reading`: the state in which confidences are texts.
async fn planned(
    context: &BiotideContext,
    state: &SessionState,
    reading: Option<&SessionState>,
    part: &Part,
) -> Result<LogicalPlan> {
    // (A statement plans its mappings, and those are statements.)
    let as_text = match reading {
        Some(state) => Box::pin(context.plan_query(&part.sql, state)).await.ok(),
        None => None,
    };
    // (Of an empty file that would be its only column.)
    let as_text = as_text.filter(|plan| has_others(plan, part.with_texts.as_deref()));
    let state = reading.filter(|_| as_text.is_some()).unwrap_or(state);
    // (Most likely there is no such column. What else is wrong is wrong with both.)
    let planned = match as_text {
        Some(planned) => Ok(planned),
        None => Box::pin(context.plan_query(&part.sql, state)).await,
    };
    let plan = planned.map_err(|error| named_column(error, part))?;
    match with_denials(&plan, state, part)? {
        Some((sql, state)) => Box::pin(context.plan_query(&sql, &state))
            .await
            .map_err(|error| named_column(error, part)),
        None => Ok(plan),
    }
}

/// The query, and the state, in which what a file says of denials is text; nothing, if it is that already.
fn with_denials(
    plan: &LogicalPlan,
    state: &SessionState,
    part: &Part,
) -> Result<Option<(String, SessionState)>, BiotideError> {
    let unread = denials::unread(plan);
    let Some(file) = part.own.as_ref().filter(|_| !part.negated) else {
        return Ok(None);
    };
    if unread.is_empty() {
        return Ok(None);
    }
    Ok(Some(match file.query_as_text(&unread)? {
        Some(sql) => (sql, state.clone()),
        None => (file.query(), with_text(state, &unread)?),
    }))
}

/// Whether a plan has columns besides this one, and those that tell where a row is.
fn has_others(plan: &LogicalPlan, column: Option<&str>) -> bool {
    let column = column.unwrap_or_default();
    let mut fields = plan.schema().fields().iter();
    fields.any(|field| !field.name().starts_with('_') && !field.name().eq_ignore_ascii_case(column))
}

fn options(state: &SessionState) -> Option<&BiotideOptions> {
    state.config_options().extensions.get()
}

/// A state in which columns of files are read as text, whatever the session says of them. An error is that of the file
/// that its schema is.
fn with_text(state: &SessionState, columns: &[&str]) -> Result<SessionState, BiotideError> {
    let mut state = state.clone();
    let options = state.config_mut().options_mut();
    if let Some(options) = options.extensions.get_mut::<BiotideOptions>() {
        let said = options.schema.as_deref().map(denials::types).transpose()?;
        // (What is said last counts.)
        let said = said.unwrap_or_default();
        options.schema = Some(format!("{said}\n{}", denials::as_types(columns)));
    }
    Ok(state)
}

/// How the reader of a plan's only file calls it, if it is this one: the reject log has one name for it then.
fn file(plan: &LogicalPlan, origin: &str) -> Option<String> {
    let mut files = Vec::new();
    let looked = plan.apply_with_subqueries(|plan| {
        if let LogicalPlan::TableScan(scan) = plan
            && let Ok(table) = source_as_provider(&scan.source)
        {
            let table = &*table as &dyn TableProvider;
            let own = table.downcast_ref::<BiotideTable>();
            let own = own.into_iter().flat_map(BiotideTable::files);
            files.extend(own.map(|file| file.name.clone()));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    looked.ok()?;
    files.dedup();
    let bare = |path: &str| path.rsplit(['/', '\\']).next().map(str::to_owned);
    match files.as_slice() {
        [file] if bare(file) == bare(origin) => Some(file.clone()),
        _ => None,
    }
}

/// Says of a column that is not there which there are, and of a file with others than it is said to have what it is not.
fn named_column(error: Error, part: &Part) -> DataFusionError {
    let is_misnamed = matches!(error.as_biotide(), Some(BiotideError::Misnamed { .. }));
    let form = part.form.filter(|_| is_misnamed);
    let problem = match (missing_column(error.as_datafusion()), form) {
        (Some((_, problem)), _) => problem,
        (None, Some(form)) => format!("it is {form}"),
        (None, None) => return error.into_datafusion(),
    };
    BiotideError::file(&part.origin, problem).into()
}

/// The table that a column was looked for in, and what to say of that: there is none such.
pub(super) fn missing_column(error: &DataFusionError) -> Option<(Option<String>, String)> {
    let DataFusionError::SchemaError(schema, _) = error.find_root() else {
        return None;
    };
    let SchemaError::FieldNotFound {
        field,
        valid_fields,
    } = &**schema
    else {
        return None;
    };
    let there = valid_fields.iter().map(Column::name);
    let there = there.filter(|name| !name.starts_with('_'));
    let problem = match nearest(field.name(), there.clone()) {
        Some(near) => format!(
            "it has no column {}: did you mean '{near}'? There are {}",
            field.name(),
            list(there)
        ),
        None => format!(
            "it has no column {}; there are {}",
            field.name(),
            list(there)
        ),
    };
    let table = field
        .relation
        .as_ref()
        .map(|table| table.table().to_owned());
    Some((table, problem))
}

/// Plans as one, for a node that has one input.
pub(super) fn united(plans: Vec<EdgePlan>) -> Result<EdgePlan> {
    let mut origins: Vec<String> = Vec::new();
    let mut all: Option<LogicalPlan> = None;
    let mut says = None;
    for EdgePlan {
        plan,
        origin,
        declared,
    } in plans
    {
        // (They are of one file, or of one pattern of names.)
        says = says.or(declared);
        if !origins.contains(&origin) {
            origins.push(origin);
        }
        all = Some(match all {
            None => plan,
            Some(before) => LogicalPlanBuilder::from(before).union(plan)?.build()?,
        });
    }
    match all {
        Some(plan) => Ok(EdgePlan {
            plan,
            origin: origins.join(", "),
            declared: says,
        }),
        None => Err(DataFusionError::Plan(
            "a mapping is made from nothing".to_owned(),
        )),
    }
}
