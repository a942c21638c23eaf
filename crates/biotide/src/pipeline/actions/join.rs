//! `join`: two datasets side by side.

use super::action::{Action, Kind, Param};
use super::shared::OUTPUT;

/// The action.
pub(super) const ACTION: Action = Action::new(
    "join",
    "Puts the rows of two datasets together that have the same values in some columns. They come in the order of the left one, then of the right one; rows that only the right one has are last. Numbers are compared exactly, whole ones with those that have fractions too; numbers and texts as texts, `7` and `'7'` are the same; numbers with fractions and texts as numbers; what else is not of one type as texts.",
    &[
        Param::new(
            "left",
            Kind::Dataset,
            "The one dataset; the output of the step before where it is not said.",
        )
        .also(&["input", "input_key", "input_context_key", "left_key"]),
        Param::new("right", Kind::Dataset, "The other.")
            .also(&["with", "right_key"])
            .needed(),
        Param::new("how", JOINS, "Which rows without a partner are kept.")
            .also(&["join_type"])
            .or("inner"),
        Param::new(
            "on",
            Kind::Columns,
            "The columns, where both have the same names.",
        ),
        Param::new("left_on", Kind::Columns, "The columns of the left one."),
        Param::new(
            "right_on",
            Kind::Columns,
            "The columns of the right one, in the same order.",
        ),
        Param::new(
            "suffix",
            Kind::Text,
            "What the right one's columns end with where the left one has the name too.",
        )
        .or("_right"),
        OUTPUT,
    ],
);

/// Which rows without a partner are kept.
pub(super) const JOINS: Kind = Kind::OneOf(&["inner", "outer", "left", "right"]);
