//! `parse_composite_identifiers`: several identifiers in one value.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT, POSITIVE};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "parse_composite_identifiers",
    "Takes values such as `P29459,P29460` apart. Rows have the columns _original_<column>, _expansion_count, _original_index, _composite_entity_id, _entity_weight and _is_composite_component; what the input has already is called <column>_expansion_count and so on.",
    PARAMS,
);

const PATTERN: &[Param] = &[
    Param::new("separator", Kind::Text, "What is between identifiers.")
        .also(&["pattern"])
        .needed(),
    Param::new(
        "is_regex",
        Kind::Boolean,
        "Whether it is a regular expression.",
    )
    .or("false"),
    Param::new(
        "trim_whitespace",
        Kind::Boolean,
        "Trim blanks around the parts.",
    )
    .also(&["trim"])
    .or("true"),
    Param::new("remove_empty", Kind::Boolean, "Leave out empty parts.").or("true"),
];

const PARAMS: &[Param] = &[
    INPUT,
    Param::new("column", Kind::Column, "The column.")
        .also(&["identifier_column", "id_field", "column_name"])
        .needed(),
    Param::new("identifier_type", Kind::Text, "The namespace, such as `uniprot`."),
    Param::new("separators", Kind::Texts, "What is between identifiers; each takes apart what the ones before it left. `,` `;` `|` and `_` where neither they nor patterns are said. A list is apart already, and cut further only by what is said.")
        .also(&["separator"]),
    Param::new("patterns", Kind::List, "The same, with more to say of each.")
        .of(PATTERN),
    Param::new("output_format", Kind::OneOf(&["rows", "flat", "mapped", "detailed"]), "`rows` makes a row of each part, `flat` a table of the parts alone, `mapped` one of values and lists of their parts, `detailed` the same with their number, the separators that were found (patterns) and how many rows there are. Values come in the order in which they are first seen.")
        .or("rows"),
    Param::new("preserve_original", Kind::Boolean, "Keep the value as it was, before its parts.")
        .or("false"),
    Param::new("unique_only", Kind::Boolean, "Keep the first of the same identifiers: of a value; with `flat`, of the whole dataset.")
        .or("false"),
    Param::new("lowercase", Kind::Boolean, "Write identifiers in lower case, when they are apart.")
        .or("false"),
    Param::new("validate", Kind::Boolean, "Leave out parts that are no identifiers of identifier_type, which it needs.")
        .also(&["validate_format"])
        .or("false"),
    Param::new("max_components", POSITIVE, "A value of more parts is left as it is. The value itself, which preserve_original puts before them, does not count."),
    OUTPUT,
];
