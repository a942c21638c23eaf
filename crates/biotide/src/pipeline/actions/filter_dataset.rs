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
    Param::new("operator", OPERATORS, "How it is compared. Nothing but `is_null` holds for a cell without a value; `regex` may match any part of the text.").needed(),
    Param::new(
        "value",
        Kind::Texts,
        "What with: a list for in_list and not_in_list, nothing for is_null and is_not_null. It is read as the column's type: `1` equals 1.0 in a column of numbers, `TRUE` true in one of truths. A time of a day is no day: it equals none, and is between two. What cannot be read so at all equals no cell, and greater or less than it is refused. Texts are compared as texts, but above and below a number without quotes those that are numbers. NaN is above and below none.",
    )
    .also(&["values"]),
    Param::new(
        "case_sensitive",
        Kind::Boolean,
        "Whether the case of letters counts, in texts.",
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
