//! The node of logical plans.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

/// What becomes of rows that are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) enum Flawed {
    /// They are set aside.
    Aside,
    /// The first ends the run.
    Fails,
}

/// The rows with which nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct SiftNode {
    input: LogicalPlan,
    /// The column that says what is wrong.
    pub(crate) column: String,
    pub(crate) flawed: Flawed,
}

impl SiftNode {
    /// A plan without the rows of which `column` says that something is wrong.
    pub(crate) fn over(input: LogicalPlan, column: String, flawed: Flawed) -> LogicalPlan {
        let node = Self {
            input,
            column,
            flawed,
        };
        LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        })
    }

    /// Whether a row with which something is wrong ends the query.
    pub(crate) fn may_end(&self) -> bool {
        self.flawed == Flawed::Fails
    }

    /// The node, if it is one.
    pub(crate) fn of(extension: &Extension) -> Option<&Self> {
        (*extension.node).as_any().downcast_ref()
    }
}

impl UserDefinedLogicalNodeCore for SiftNode {
    fn name(&self) -> &str {
        "Sift"
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

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sift: {} {:?}", self.column, self.flawed)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else {
            return internal_err!("what is sifted has an input");
        };
        Ok(Self {
            input,
            column: self.column.clone(),
            flawed: self.flawed,
        })
    }

    /// Those that are asked for, and the one that says what is wrong.
    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let own = self.schema().index_of_column_by_name(None, &self.column)?;
        let mut columns = output_columns.to_vec();
        columns.push(own);
        columns.sort_unstable();
        columns.dedup();
        Some(vec![columns])
    }
}
