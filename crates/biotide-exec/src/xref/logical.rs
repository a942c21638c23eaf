//! The node of logical plans.

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::{DFSchema, DFSchemaRef, Result, TableReference, internal_err, plan_err};
use datafusion_expr::logical_plan::InvariantLevel;
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::columns::columns;
use super::spec::XrefSpec;

/// The rows of an input, with what an identifier of each maps to.
#[derive(Debug, Clone)]
pub struct XrefNode {
    /// The rows.
    pub input: LogicalPlan,
    /// The identifier.
    pub id: Expr,
    /// What is asked.
    pub spec: Arc<XrefSpec>,
    /// The name of the table that the columns are of.
    pub qualifier: Option<TableReference>,
    schema: DFSchemaRef,
}

impl XrefNode {
    /// Cross-references `id` of each row.
    pub fn try_new(
        input: LogicalPlan,
        id: Expr,
        spec: Arc<XrefSpec>,
        qualifier: Option<TableReference>,
    ) -> Result<Self> {
        let added = columns(spec.policy);
        let added = added
            .iter()
            .map(|(column, name)| (qualifier.clone(), column.field(name)));
        let own = input.schema().iter();
        let own = own.map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let fields = own.chain(added).collect();
        let metadata = spec.mapping.metadata(input.schema().metadata().clone());
        let schema = DFSchema::new_with_metadata(fields, metadata)?;
        Ok(Self {
            input,
            id,
            spec,
            qualifier,
            schema: Arc::new(schema),
        })
    }

    fn key(&self) -> (&LogicalPlan, &Expr, &XrefSpec, Option<&TableReference>) {
        (&self.input, &self.id, &self.spec, self.qualifier.as_ref())
    }
}

impl PartialEq for XrefNode {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for XrefNode {}

impl PartialOrd for XrefNode {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.key().partial_cmp(&other.key())
    }
}

impl Hash for XrefNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl UserDefinedLogicalNodeCore for XrefNode {
    fn name(&self) -> &str {
        "Xref"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![self.id.clone()]
    }

    /// Conditions on the input's own columns go below.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let columns = columns(self.spec.policy);
        columns
            .into_iter()
            .map(|(_, name)| name.to_owned())
            .collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Xref: {}, {}", self.id, self.spec.shown())
    }

    fn with_exprs_and_inputs(
        &self,
        mut exprs: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        match (exprs.pop(), inputs.pop()) {
            (Some(id), Some(input)) => {
                Self::try_new(input, id, Arc::clone(&self.spec), self.qualifier.clone())
            }
            _ => internal_err!("a cross-reference has an identifier and an input"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let own = output_columns
            .iter()
            .copied()
            .filter(|&column| column < input.fields().len());
        let mut needed: Vec<usize> = own.collect();
        for column in self.id.column_refs() {
            needed.push(input.maybe_index_of_column(column)?);
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }

    fn check_invariants(&self, level: InvariantLevel) -> Result<()> {
        match level == InvariantLevel::Executable && self.id.contains_outer() {
            true => plan_err!(
                "xref: its identifier is a column of a table that is not to the left of LATERAL in the same FROM"
            ),
            false => Ok(()),
        }
    }
}
