//! An action of the program.

use std::fmt::Debug;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;

use super::ActionStep;
use crate::error::Result;
use crate::pipeline::actions::Action;

/// An action of the program.
#[async_trait]
pub trait PipelineAction: Debug + Send + Sync {
    /// Its name and parameters: steps are checked against them, and the schema and the reference have them, as of
    /// built-in ones.
    fn action(&self) -> Action;

    /// What a step makes of the datasets before it. It is asked in a dry run too, so nothing is written here: rows come
    /// when the plan is run, once for each sink that needs them.
    ///
    /// # Errors
    ///
    /// The step cannot be planned. The place of the step is added.
    async fn plan(&self, step: &ActionStep<'_>) -> Result<LogicalPlan>;

    /// Another one where the same parameters make other rows than before, so that what the action `cache` has kept is
    /// made anew.
    fn version(&self) -> &str {
        ""
    }
}
