//! The node of logical plans.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::{DFSchema, DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::spec::{ChainSpec, Which};

/// The statements of a mapping.
#[derive(Debug, Clone)]
pub struct ChainNode {
    /// Which.
    pub spec: Arc<ChainSpec>,
    schema: DFSchemaRef,
}

impl ChainNode {
    /// These statements.
    pub fn try_new(spec: Arc<ChainSpec>) -> Result<Self> {
        let schema = DFSchema::try_from(spec.schema())?;
        Ok(Self {
            spec,
            schema: Arc::new(schema),
        })
    }
}

impl PartialEq for ChainNode {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
    }
}

impl Eq for ChainNode {}

impl PartialOrd for ChainNode {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.spec.partial_cmp(&other.spec)
    }
}

impl Hash for ChainNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for ChainNode {
    fn name(&self) -> &str {
        match self.spec.which {
            Which::Asserted { .. } => "MappingEdges",
            Which::Inferred { .. } => "ChainInfer",
        }
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}",
            UserDefinedLogicalNodeCore::name(self),
            self.spec.shown()
        )
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}
