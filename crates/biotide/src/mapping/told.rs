//! The rows of a plan, with what its schema is to tell of their prefixes: DataFusion makes the metadata of a schema anew
//! where plans meet, and again when it has turned a plan round.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use biotide_common::sssom::{CURIE_MAP, DISPUTED, SET};
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

/// The entries of a schema's metadata that are about a set.
const KEYS: [&str; 3] = [CURIE_MAP, DISPUTED, SET];

/// A node that only tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ToldNode {
    pub(crate) input: LogicalPlan,
    pub(crate) told: BTreeMap<String, String>,
    schema: DFSchemaRef,
}

/// What the metadata of a schema tells of a set.
pub(super) fn own(metadata: &HashMap<String, String>) -> BTreeMap<String, String> {
    let entry = |key: &str| Some((key.to_owned(), metadata.get(key)?.clone()));
    KEYS.into_iter().filter_map(entry).collect()
}

/// The metadata of a schema, with this in the place of what it tells of a set.
pub(super) fn with_told(
    known: &HashMap<String, String>,
    told: &BTreeMap<String, String>,
) -> HashMap<String, String> {
    let mut metadata = known.clone();
    metadata.retain(|key, _| !KEYS.contains(&key.as_str()));
    metadata.extend(told.clone());
    metadata
}

/// A plan whose schema will tell what it tells now, whatever becomes of the plan.
pub(crate) fn kept(plan: LogicalPlan) -> Result<LogicalPlan> {
    let told = own(plan.schema().metadata());
    ToldNode::plan(plan, told)
}

impl ToldNode {
    /// The node, if it is one.
    pub(crate) fn of(extension: &Extension) -> Option<&Self> {
        (*extension.node).as_any().downcast_ref()
    }

    /// A plan whose schema tells this.
    pub(super) fn plan(input: LogicalPlan, told: BTreeMap<String, String>) -> Result<LogicalPlan> {
        let node = Arc::new(Self::try_new(input, told)?);
        Ok(LogicalPlan::Extension(Extension { node }))
    }

    fn try_new(input: LogicalPlan, told: BTreeMap<String, String>) -> Result<Self> {
        let known = input.schema();
        let metadata = with_told(known.metadata(), &told);
        let fields = known.iter();
        let fields = fields.map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let schema = DFSchema::new_with_metadata(fields.collect(), metadata)?;
        let depends = known.functional_dependencies().clone();
        Ok(Self {
            schema: Arc::new(schema.with_functional_dependencies(depends)?),
            input,
            told,
        })
    }
}

impl PartialOrd for ToldNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (&self.input, &self.told).partial_cmp(&(&other.input, &other.told))
    }
}

impl UserDefinedLogicalNodeCore for ToldNode {
    fn name(&self) -> &str {
        "Told"
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

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        match &self.input {
            LogicalPlan::Extension(below) => below.node.prevent_predicate_push_down_columns(),
            _ => HashSet::new(),
        }
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told: what prefixes stand for")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) => Self::try_new(input, self.told.clone()),
            None => internal_err!("what is told is of an input"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}
