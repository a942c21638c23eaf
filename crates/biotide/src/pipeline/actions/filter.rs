//! `filter`: the rows that a condition of SQL holds for.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "filter",
    "Keeps the rows that a condition of SQL holds for.",
    &[
        INPUT,
        Param::new(
            "condition",
            Kind::Sql,
            "One expression, as after WHERE: `npx > 2 AND panel <> 'X'`.",
        )
        .also(&["where", "expression"])
        .needed(),
        OUTPUT,
    ],
);
