//! The node of logical plans.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

/// What plans know of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct StepInfo {
    /// Its name.
    pub(crate) name: String,
    /// What errors call it: file, line and name.
    pub(crate) place: String,
    /// Of an action of the program: what its plan does not tell, so that other parameters are seen to be another plan.
    pub(crate) made_with: String,
}

/// The rows of a step, as its plan gives them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct StepNode {
    pub(crate) input: LogicalPlan,
    pub(crate) info: Arc<StepInfo>,
    /// Columns on which conditions stay above it.
    pub(crate) kept: BTreeSet<String>,
}

impl StepNode {
    /// The rows of this plan as those of a step.
    pub(crate) fn new(input: LogicalPlan, info: StepInfo) -> Self {
        Self {
            input,
            info: Arc::new(info),
            kept: BTreeSet::new(),
        }
    }

    /// The node of a plan, if that is a step.
    pub(crate) fn of_plan(plan: &LogicalPlan) -> Option<&Self> {
        match plan {
            LogicalPlan::Extension(extension) => Self::of(extension),
            _ => None,
        }
    }

    /// The node, if it is a step.
    pub(crate) fn of(extension: &Extension) -> Option<&Self> {
        (*extension.node).as_any().downcast_ref()
    }
}

impl UserDefinedLogicalNodeCore for StepNode {
    fn name(&self) -> &str {
        "Step"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    /// Conditions hold below as they do above. What the node of the step keeps above itself, it keeps above the step:
    /// what the condition leaves out was the step's work. So do conditions that [may fail](super::KeptConditions).
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let mut kept = match &self.input {
            LogicalPlan::Extension(below) => below.node.prevent_predicate_push_down_columns(),
            _ => HashSet::new(),
        };
        kept.extend(self.kept.iter().cloned());
        kept
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step: {}", self.info.name)?;
        match self.info.made_with.as_str() {
            "" => Ok(()),
            made_with => write!(f, ", {made_with}"),
        }
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else {
            return internal_err!("a step has an input");
        };
        Ok(Self {
            input,
            info: Arc::clone(&self.info),
            kept: self.kept.clone(),
        })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}
