//! The node of logical plans.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion_common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

/// Tables one below the other. They have the same columns, of the same types and without a table's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConcatNode {
    inputs: Vec<LogicalPlan>,
    schema: DFSchemaRef,
}

impl ConcatNode {
    /// These.
    pub fn try_new(inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some((first, others)) = inputs.split_first() else {
            return plan_err!("nothing is put one below the other");
        };
        let fields = first.schema().fields().iter().enumerate();
        let fields = fields.map(|(n, field)| {
            let same = others.iter().map(|other| other.schema().fields().get(n));
            let nullable = same.flatten().any(|other| other.is_nullable());
            let nullable = nullable || field.is_nullable();
            let field = Field::new(field.name(), field.data_type().clone(), nullable);
            (None, Arc::new(field))
        });
        let schema = DFSchema::new_with_metadata(fields.collect(), Default::default())?;
        Ok(Self {
            schema: Arc::new(schema),
            inputs,
        })
    }
}

impl PartialOrd for ConcatNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.inputs.partial_cmp(&other.inputs)
    }
}

impl UserDefinedLogicalNodeCore for ConcatNode {
    fn name(&self) -> &str {
        "Concat"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    /// Conditions hold below as they do above.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Concat: {} tables", self.inputs.len())
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Self::try_new(inputs)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec(); self.inputs.len()])
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}
