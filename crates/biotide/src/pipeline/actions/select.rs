//! `select`: some columns, and no others.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "select",
    "Makes a table of these columns and no others.",
    &[
        INPUT,
        Param::new(
            "columns",
            Kind::Map,
            "Names of columns and what they are in SQL: `{id: upper(uniprot), npx: npx}`.",
        )
        .needed(),
        Param::new(
            "keep_others",
            Kind::Boolean,
            "Keep the other columns too, before these.",
        )
        .or("false"),
        OUTPUT,
    ],
);
