//! `derive`: columns made of others.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "derive",
    "Adds columns; one that is there already is made anew in its place.",
    &[
        INPUT,
        Param::new(
            "columns",
            Kind::Map,
            "Names of columns and what they are in SQL: `{log_npx: ln(npx)}`.",
        )
        .needed(),
        Param::new("keep_others", Kind::Boolean, "Keep the other columns.").or("true"),
        OUTPUT,
    ],
)
.also(&["custom_transform_expression"]);
