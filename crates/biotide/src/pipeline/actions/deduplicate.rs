//! `deduplicate`: one row of those that are the same.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "deduplicate",
    "Keeps one of the rows that have the same values in some columns.",
    &[
        INPUT,
        Param::new(
            "columns",
            Kind::Columns,
            "The columns; all of them where it is not said.",
        )
        .also(&["on", "subset"]),
        Param::new("keep", Kind::OneOf(&["first", "last"]), "Which of them.").or("first"),
        Param::new(
            "order_by",
            Kind::Sql,
            "Which row comes first, as after ORDER BY; the order of the input where it is not said.",
        ),
        OUTPUT,
    ],
);
