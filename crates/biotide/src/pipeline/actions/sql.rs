//! `sql`: a query over the datasets.

use super::action::{Action, Kind, Param};
use super::shared::OUTPUT;

/// The action.
pub(super) const ACTION: Action = Action::new(
    "sql",
    "Runs a query, in which the outputs of earlier steps are tables.",
    &[
        Param::new(
            "query",
            Kind::Sql,
            "One SELECT; nothing that writes. Its rows are in the order that its ORDER BY says.",
        )
        .also(&["sql", "statement"])
        .needed(),
        OUTPUT,
    ],
);
