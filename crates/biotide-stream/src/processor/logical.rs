//! The node of logical plans.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion_physical_plan::ExecutionPlan;

use super::exec::{output_schema, shown};
use super::{Processor, ProcessorExec, ProcessorOptions};
use crate::log::RunLog;

/// Processors over the rows of a plan.
///
/// Nothing says what a processor reads, so no filter, limit or choice of columns is moved below it.
#[derive(Debug, Clone)]
pub struct ProcessorNode {
    input: LogicalPlan,
    work: Arc<ProcessorWork>,
    schema: DFSchemaRef,
}

#[derive(Debug)]
struct ProcessorWork {
    processors: Vec<Arc<dyn Processor>>,
    options: ProcessorOptions,
    log: Arc<RunLog>,
}

impl ProcessorNode {
    /// Runs `processors` over the rows of `input`, and gathers in `log` what they do.
    ///
    /// # Errors
    ///
    /// Options out of their ranges, or columns that a processor cannot work on.
    pub fn try_new(
        input: LogicalPlan,
        processors: Vec<Arc<dyn Processor>>,
        options: ProcessorOptions,
        log: Arc<RunLog>,
    ) -> Result<Self> {
        options.validate()?;
        let work = ProcessorWork {
            processors,
            options,
            log,
        };
        Self::with(input, Arc::new(work))
    }

    fn with(input: LogicalPlan, work: Arc<ProcessorWork>) -> Result<Self> {
        let schema = output_schema(&work.processors, Arc::clone(input.schema().inner()))?;
        let schema = Arc::new(DFSchema::try_from(schema)?);
        Ok(Self {
            input,
            work,
            schema,
        })
    }

    /// What is run.
    pub fn processors(&self) -> &[Arc<dyn Processor>] {
        &self.work.processors
    }

    /// How it is run.
    pub fn options(&self) -> &ProcessorOptions {
        &self.work.options
    }

    /// What its runs do, while they run and afterwards.
    pub fn log(&self) -> &Arc<RunLog> {
        &self.work.log
    }

    /// The node of the physical plan, for planners.
    ///
    /// # Errors
    ///
    /// Columns of the physical input that a processor cannot work on.
    pub fn physical(&self, input: Arc<dyn ExecutionPlan>) -> Result<ProcessorExec> {
        let work = &self.work;
        ProcessorExec::try_new(
            input,
            work.processors.clone(),
            work.options.clone(),
            Arc::clone(&work.log),
        )
    }
}

impl PartialEq for ProcessorNode {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.work, &other.work) && self.input == other.input
    }
}

impl Eq for ProcessorNode {}

impl PartialOrd for ProcessorNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Hash for ProcessorNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.work).hash(state);
        self.input.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for ProcessorNode {
    fn name(&self) -> &str {
        "Processor"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = shown(&self.work.processors, &self.work.options);
        write!(f, "Processor: {shown}")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else {
            return internal_err!("Processor has an input");
        };
        Self::with(input, Arc::clone(&self.work))
    }

    /// All columns.
    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        let columns = self.input.schema().fields().len();
        Some(vec![(0..columns).collect()])
    }
}
