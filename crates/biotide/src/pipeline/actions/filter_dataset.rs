//! `filter_dataset`: the rows that conditions hold for, without SQL.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "filter_dataset",
    "Keeps or removes the rows that all of some conditions, or any of them, hold for.",
    PARAMS,
);

const OPERATORS: Kind = Kind::OneOf(&[
    "equals",
    "not_equals",
    "greater_than",
    "less_than",
    "greater_equal",
    "less_equal",
    "contains",
    "not_contains",
    "in_list",
    "not_in_list",
    "regex",
    "is_null",
    "is_not_null",
]);

const CONDITION: &[Param] = &[
    Param::new("column", Kind::Column, "The column.").needed(),
    Param::new("operator", OPERATORS, "How it is compared.").needed(),
    Param::new(
        "value",
        Kind::Texts,
        "What with: a list for in_list and not_in_list, nothing for is_null and is_not_null.",
    )
    .also(&["values"]),
    Param::new(
        "case_sensitive",
        Kind::Boolean,
        "Whether the case of letters counts.",
    )
    .or("true"),
];

const PARAMS: &[Param] = &[
    INPUT,
    Param::new("conditions", Kind::List, "The conditions.")
        .also(&["filter_conditions"])
        .of(CONDITION)
        .needed()
        .at_least(1),
    Param::new(
        "logic",
        Kind::OneOf(&["AND", "OR"]),
        "Whether all of them or any must hold.",
    )
    .also(&["logic_operator"])
    .or("AND"),
    Param::new(
        "mode",
        Kind::OneOf(&["keep", "remove"]),
        "What becomes of the rows for which they do.",
    )
    .also(&["keep_or_remove"])
    .or("keep"),
    OUTPUT,
];
