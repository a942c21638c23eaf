//! `sql`: a query over the datasets.

use super::action::{Action, Kind, Param};
use super::shared::OUTPUT;

/// The action.
pub(super) const ACTION: Action = Action::new(
    "sql",
    "Runs a query, in which the outputs of earlier steps are tables.",
    &[
        Param::new("query", Kind::Sql, "One SELECT.")
            .also(&["sql", "statement"])
            .needed(),
        OUTPUT,
    ],
);
