//! What is asked of the statements of a mapping.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::catalog::Mapping;
use crate::walk::WalkOptions;

/// Which statements.
#[derive(Debug, Clone, PartialEq)]
pub enum Which {
    /// Those that were made.
    Asserted {
        /// Whether an identifier that is in none has a row about itself.
        alone: bool,
    },
    /// Those that follow, or those too that were made.
    Inferred {
        /// How far to walk.
        walk: Box<WalkOptions>,
        /// The prefixes of subjects. None: any.
        subjects: Vec<String>,
        /// Whether what a statement says itself is a row too.
        asserted: bool,
    },
}

/// The statements of a mapping.
#[derive(Debug, Clone)]
pub struct ChainSpec {
    /// The mapping.
    pub mapping: Arc<Mapping>,
    /// Which of them.
    pub which: Which,
}

impl ChainSpec {
    fn key(&self) -> (usize, String) {
        (
            Arc::as_ptr(&self.mapping) as usize,
            format!("{:?}", self.which),
        )
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        let field = |name: &str, kind: DataType| Field::new(name, kind, true);
        let texts = || DataType::new_list(DataType::Utf8, true);
        let statement = [
            field("subject_id", DataType::Utf8),
            field("predicate_id", DataType::Utf8),
            field("object_id", DataType::Utf8),
            field("confidence", DataType::Float64),
        ];
        let others = match self.which {
            Which::Asserted { .. } => vec![
                field("source", DataType::Utf8),
                field("release", DataType::Utf8),
                field("negated", DataType::Boolean),
            ],
            Which::Inferred { .. } => vec![
                field("hops", DataType::Int64),
                field("path", texts()),
                field("sources", texts()),
            ],
        };
        let schema = Schema::new(statement.into_iter().chain(others).collect::<Vec<_>>());
        Arc::new(schema.with_metadata(self.mapping.metadata(HashMap::new())))
    }

    pub(super) fn shown(&self) -> String {
        let name = self.mapping.name();
        match &self.which {
            Which::Asserted { .. } => format!("mapping={name}"),
            Which::Inferred { walk, .. } => format!("mapping={name}, max_hops={}", walk.max_hops),
        }
    }
}

impl PartialEq for ChainSpec {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ChainSpec {}

impl PartialOrd for ChainSpec {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.key().cmp(&other.key()))
    }
}

impl Hash for ChainSpec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
