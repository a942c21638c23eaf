//! The node of logical plans.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::mapping::declared::Declared;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use biotide_common::identifiers::Identifiers;
use datafusion_common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

/// What is asked of cliques.
#[derive(Debug, Clone)]
pub struct CliqueSpec {
    /// Predicates that make cliques.
    pub predicates: Vec<String>,
    /// Prefixes in canonical form, the best first.
    pub priority: Vec<String>,
    /// Statements below this make none.
    pub min_confidence: f64,
    /// What the statements are from.
    pub origin: String,
    /// What is known of identifiers.
    pub identifiers: Arc<dyn Identifiers>,
    /// What the statements' source says of its prefixes.
    pub declared: Option<Arc<Declared>>,
}

impl CliqueSpec {
    fn key(&self) -> String {
        let Self {
            predicates,
            priority,
            min_confidence,
            origin,
            ..
        } = self;
        format!("{predicates:?} {priority:?} {min_confidence} {origin}")
    }

    /// The columns.
    pub fn schema() -> SchemaRef {
        let field = |name: &str, kind| Field::new(name, kind, true);
        Arc::new(Schema::new(vec![
            field("id", DataType::Utf8),
            field("clique", DataType::Utf8),
            field("size", DataType::Int64),
            field("conflicts", DataType::new_list(DataType::Utf8, true)),
        ]))
    }

    pub(super) fn shown(&self) -> String {
        let mut text = format!(
            "of={}, predicates=[{}]",
            self.origin,
            self.predicates.join(", ")
        );
        if !self.priority.is_empty() {
            text.push_str(&format!(", priority=[{}]", self.priority.join(", ")));
        }
        text
    }
}

impl PartialEq for CliqueSpec {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for CliqueSpec {}

impl PartialOrd for CliqueSpec {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.key().cmp(&other.key()))
    }
}

impl Hash for CliqueSpec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// Cliques of statements, which are the rows of an input.
#[derive(Debug, Clone)]
pub struct CliqueNode {
    /// The statements.
    pub input: LogicalPlan,
    /// What is asked.
    pub spec: Arc<CliqueSpec>,
    schema: DFSchemaRef,
}

impl CliqueNode {
    /// Cliques of these statements.
    pub fn try_new(input: LogicalPlan, spec: Arc<CliqueSpec>) -> Result<Self> {
        let schema = DFSchema::try_from(CliqueSpec::schema())?;
        Ok(Self {
            input,
            spec,
            schema: Arc::new(schema),
        })
    }
}

impl PartialEq for CliqueNode {
    fn eq(&self, other: &Self) -> bool {
        (&self.input, &self.spec) == (&other.input, &other.spec)
    }
}

impl Eq for CliqueNode {}

impl PartialOrd for CliqueNode {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (&self.input, &self.spec).partial_cmp(&(&other.input, &other.spec))
    }
}

impl Hash for CliqueNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.input, &self.spec).hash(state);
    }
}

impl UserDefinedLogicalNodeCore for CliqueNode {
    fn name(&self) -> &str {
        "CliqueAssign"
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
        write!(f, "CliqueAssign: {}", self.spec.shown())
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) => Self::try_new(input, Arc::clone(&self.spec)),
            None => internal_err!("cliques have an input"),
        }
    }
}
