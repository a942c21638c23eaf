//! An action that is one processor.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use biotide_stream::Processor;
use datafusion::logical_expr::LogicalPlan;

use super::{ActionStep, PROCESSOR_PARAMS, PipelineAction};
use crate::error::Result;
use crate::pipeline::actions::{Action, INPUT, OUTPUT, Param, Params};

type Make = dyn Fn(&Params) -> Result<Arc<dyn Processor>> + Send + Sync;

/// An action that is one processor over the rows of its input.
pub struct ProcessorAction {
    action: Action,
    version: String,
    make: Box<Make>,
}

impl ProcessorAction {
    /// `make` is given the parameters of a step, and gives its processor. Besides `params`, steps have `input`, `output`
    /// and [`PROCESSOR_PARAMS`]; one that `params` has is taken from there.
    pub fn new(
        name: &'static str,
        summary: &'static str,
        params: &'static [Param],
        make: impl Fn(&Params) -> Result<Arc<dyn Processor>> + Send + Sync + 'static,
    ) -> Self {
        let is_own = |param: &Param| params.iter().any(|own| own.name == param.name);
        let before = std::iter::once(&INPUT);
        let after = PROCESSOR_PARAMS.iter().chain(std::iter::once(&OUTPUT));
        let table: Vec<Param> = (before.filter(|param| !is_own(param)))
            .chain(params)
            .chain(after.filter(|param| !is_own(param)))
            .copied()
            .collect();
        Self {
            // (Tables of actions stay as long as the program runs.)
            action: Action::new(name, summary, table.leak()),
            version: String::new(),
            make: Box::new(make),
        }
    }

    /// With other names.
    #[must_use]
    pub fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.action = self.action.also(aliases);
        self
    }

    /// With a version, see [`PipelineAction::version`].
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }
}

impl fmt::Debug for ProcessorAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessorAction")
            .field("action", &self.action.name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl PipelineAction for ProcessorAction {
    fn action(&self) -> Action {
        self.action.clone()
    }

    async fn plan(&self, step: &ActionStep<'_>) -> Result<LogicalPlan> {
        let processor = (self.make)(step.params())?;
        step.process(step.input()?, vec![processor])
    }

    fn version(&self) -> &str {
        &self.version
    }
}
