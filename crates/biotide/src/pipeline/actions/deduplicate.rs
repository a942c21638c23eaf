//! `deduplicate`: one row of those that are the same.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "deduplicate",
    "Keeps one of the rows that have the same values in some columns. Those that are kept stay in their order.",
    &[
        INPUT,
        Param::new(
            "columns",
            Kind::Columns,
            "The columns; all of them where it is not said.",
        )
        .also(&["on", "subset"]),
        Param::new(
            "keep",
            Kind::OneOf(&["first", "last"]),
            "Which of them, in the order of `order_by`.",
        )
        .or("first"),
        Param::new(
            "order_by",
            Kind::Sql,
            "Which row comes first, as after ORDER BY: `npx DESC, panel`; the order of the input where it is not said, and of rows that are the same in it.",
        ),
        OUTPUT,
    ],
);
