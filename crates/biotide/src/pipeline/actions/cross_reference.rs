//! `cross_reference`: identifiers of one database to those of others.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT, POSITIVE, SHARE};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "cross_reference",
    "Maps identifiers to those of other databases, with the path of every result and what became of every identifier.",
    &[
        INPUT,
        Param::new("columns", Kind::Columns, "The columns of identifiers. Results are in the columns target, predicate, confidence, hops, path, sources, verdict and note; those of a second one, and what the input has a column of already, are called <column>_target and so on.")
            .also(&["column", "identifier_fields", "identifier_column"])
            .needed(),
        Param::new("mapping", Kind::Text, "The name of one of the pipeline's mappings, or a file of them.")
            .needed(),
        Param::new("targets", Kind::Texts, "The prefixes that results may have; any where it is not said.")
            .also(&["target_types"]),
        Param::new("max_hops", Kind::Integer { min: 1, max: 8 }, "The most statements of a path.")
            .or("2"),
        Param::new("policy", Kind::OneOf(&["explode", "list", "first", "error", "drop"]), "What becomes of an identifier with several results.")
            .or("explode"),
        Param::new("min_confidence", SHARE, "Results below this are left out.")
            .also(&["confidence_threshold"])
            .or("0"),
        Param::new("limit", POSITIVE, "The most results of an identifier, the best ones.")
            .or("100"),
        Param::new("unmapped", Kind::OneOf(&["keep", "drop"]), "What becomes of rows without a result.")
            .or("keep"),
        Param::new("namespace", Kind::Text, "The namespace of identifiers that have no prefix; what the column's name says where it is not said.")
            .also(&["identifier_type"]),
        Param::new("mode", Kind::OneOf(&["directed", "undirected"]), "Whether statements are walked as their predicates allow, or both ways.")
            .or("directed"),
        OUTPUT,
    ],
);
