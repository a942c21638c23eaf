//! `aggregate`: one row of many.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "aggregate",
    "Makes one row of all rows that have the same values in some columns. They come in the order in which their values come first.",
    &[
        INPUT,
        Param::new(
            "group_by",
            Kind::Columns,
            "The columns; all rows become one where there are none.",
        ),
        Param::new(
            "aggregates",
            Kind::Map,
            "Names of columns and what they are in SQL: `{n: count(*), mean_npx: avg(npx)}`.",
        )
        .needed(),
        OUTPUT,
    ],
);
