//! A step, as its action sees it.

use std::fmt;
use std::sync::Arc;

use biotide_stream::{Processor, ProcessorNode, ProcessorOptions, RunLog};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Extension, LogicalPlan};

use super::processor_options;
use crate::context::BiotideContext;
use crate::error::{Error, Result};
use crate::pipeline::actions::Params;
use crate::pipeline::compile::Scope;
use crate::pipeline::spec::Step;

/// A step, as its action sees it: its parameters, and the datasets before it.
pub struct ActionStep<'a> {
    scope: &'a Scope,
    step: &'a Step,
}

impl fmt::Debug for ActionStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionStep")
            .field("step", self.step)
            .finish_non_exhaustive()
    }
}

impl<'a> ActionStep<'a> {
    pub(crate) fn new(scope: &'a Scope, step: &'a Step) -> Self {
        Self { scope, step }
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        &self.step.name
    }

    /// What it is given.
    pub fn params(&self) -> &'a Params {
        &self.step.params
    }

    /// The rows it is for: of the dataset that its parameter `input` names, or of the last one.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn input(&self) -> Result<LogicalPlan> {
        let key = match self.step.action.param("input") {
            Some(param) => self.scope.input(self.params(), param.name)?,
            None => match self.datasets().last() {
                Some(last) => last.to_owned(),
                None => return Err(self.error("no step before it makes a dataset")),
            },
        };
        self.dataset(&key)
    }

    /// The rows of a dataset, by what its step calls it.
    ///
    /// # Errors
    ///
    /// No step before this one makes it.
    pub fn dataset(&self, key: &str) -> Result<LogicalPlan> {
        match self.scope.dataset(key) {
            Some(plan) => Ok(plan.clone()),
            None => Err(self.error(self.scope.unknown(key))),
        }
    }

    /// The datasets before it, in the order of their steps.
    pub fn datasets(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.scope.keys()
    }

    /// The names of the columns of a dataset; none if there is no such one.
    pub fn columns(&self, key: &str) -> Vec<String> {
        self.scope.columns(key)
    }

    /// The session of the run: `DataFrame::new(step.session(), step.input()?)`.
    pub fn session(&self) -> SessionState {
        self.scope.state.clone()
    }

    /// The context that runs the pipeline.
    pub fn context(&self) -> &'a BiotideContext {
        &self.scope.context
    }

    /// A query, in which datasets are tables.
    ///
    /// # Errors
    ///
    /// It cannot be planned.
    pub async fn sql(&self, query: &str) -> Result<LogicalPlan> {
        self.scope.plan(query).await
    }

    /// How processors are run, as this step and the pipeline's `streaming` say it: see
    /// [`PROCESSOR_PARAMS`](super::PROCESSOR_PARAMS).
    pub fn processor_options(&self) -> ProcessorOptions {
        processor_options(self.step, &self.scope.streaming)
    }

    /// What processors, one after another on each chunk, make of rows. The report of the run tells what they did.
    ///
    /// They begin and end once for each time that the plan is run: for each sink that needs these rows, and for each use
    /// of them in one plan. Where a run is resumed they see all rows again, and must give the same ones.
    ///
    /// # Errors
    ///
    /// Columns that a processor cannot work on.
    pub fn process(
        &self,
        input: LogicalPlan,
        processors: Vec<Arc<dyn Processor>>,
    ) -> Result<LogicalPlan> {
        self.process_with(input, processors, self.processor_options())
    }

    /// The same, run in another way.
    ///
    /// # Errors
    ///
    /// Columns that a processor cannot work on, or options out of their ranges.
    pub fn process_with(
        &self,
        input: LogicalPlan,
        processors: Vec<Arc<dyn Processor>>,
        options: ProcessorOptions,
    ) -> Result<LogicalPlan> {
        let log = Arc::new(RunLog::new(options.limits.clone()));
        self.scope.processes(self.name(), &log);
        let node = ProcessorNode::try_new(input, processors, options, log)?;
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        }))
    }

    /// What is wrong with the step, at its place. ([`Params::error`] is for one of its parameters.)
    pub fn error(&self, problem: impl fmt::Display) -> Error {
        self.step.place.error(problem).into()
    }
}
