//! The columns that a cross-reference adds.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use super::spec::Policy;

/// A column of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// What the identifier maps to, as a CURIE.
    Target,
    /// How, as a CURIE.
    Predicate,
    /// 0 to 1.
    Confidence,
    /// Edges of the best path.
    Hops,
    /// The identifiers on the best path.
    Path,
    /// Where the statements are from.
    Sources,
    /// All results, in a list.
    Mappings,
    /// What became of the identifier: ok, ambiguous, retired, withdrawn, unmapped, invalid or null.
    Verdict,
    /// How many identifiers map to how many: 1:1, 1:n, n:1, n:n, 1:0.
    Cardinality,
    /// Why.
    Note,
    /// The identifier that was looked up, as a CURIE.
    Resolved,
    /// The paths that the results rest on.
    Paths,
    /// Identifiers that statements lead to and others deny.
    Conflicts,
}

/// The columns under a policy, with their names.
pub fn columns(policy: Policy) -> Vec<(Column, &'static str)> {
    let mut columns = match policy {
        Policy::List => vec![(Column::Mappings, "mappings")],
        _ => vec![
            (Column::Target, "target"),
            (Column::Predicate, "predicate"),
            (Column::Confidence, "confidence"),
            (Column::Hops, "hops"),
            (Column::Path, "path"),
            (Column::Sources, "sources"),
        ],
    };
    columns.extend([
        (Column::Verdict, "verdict"),
        (Column::Cardinality, "cardinality"),
        (Column::Note, "note"),
        (Column::Resolved, "resolved"),
        (Column::Paths, "paths"),
        (Column::Conflicts, "conflicts"),
    ]);
    columns
}

/// A list of texts.
pub(super) fn texts() -> DataType {
    DataType::new_list(DataType::Utf8, true)
}

fn fields(fields: &[(&str, DataType)]) -> Fields {
    fields
        .iter()
        .map(|(name, kind)| Field::new(*name, kind.clone(), true))
        .collect()
}

/// A result, in a list.
pub(super) fn mapping_fields() -> Fields {
    fields(&[
        ("target", DataType::Utf8),
        ("predicate", DataType::Utf8),
        ("confidence", DataType::Float64),
        ("hops", DataType::Int64),
        ("path", texts()),
        ("sources", texts()),
    ])
}

/// A path, in a list.
pub(super) fn path_fields() -> Fields {
    fields(&[
        ("target", DataType::Utf8),
        ("path", texts()),
        ("predicate", DataType::Utf8),
        ("confidence", DataType::Float64),
        ("hops", DataType::Int64),
    ])
}

impl Column {
    /// Whether it tells of all results of an identifier, not of one.
    pub(super) fn is_of_all(self) -> bool {
        match self {
            Self::Target
            | Self::Predicate
            | Self::Confidence
            | Self::Hops
            | Self::Path
            | Self::Sources
            | Self::Resolved => false,
            Self::Mappings
            | Self::Verdict
            | Self::Cardinality
            | Self::Note
            | Self::Paths
            | Self::Conflicts => true,
        }
    }

    pub(super) fn data_type(self) -> DataType {
        let list = |fields| {
            DataType::List(Arc::new(Field::new_list_field(
                DataType::Struct(fields),
                true,
            )))
        };
        match self {
            Self::Target
            | Self::Predicate
            | Self::Verdict
            | Self::Cardinality
            | Self::Note
            | Self::Resolved => DataType::Utf8,
            Self::Confidence => DataType::Float64,
            Self::Hops => DataType::Int64,
            Self::Path | Self::Sources | Self::Conflicts => texts(),
            Self::Mappings => list(mapping_fields()),
            Self::Paths => list(path_fields()),
        }
    }

    /// The field of a name.
    pub(super) fn field(self, name: &str) -> FieldRef {
        let nullable = self != Self::Verdict;
        Arc::new(Field::new(name, self.data_type(), nullable))
    }
}
