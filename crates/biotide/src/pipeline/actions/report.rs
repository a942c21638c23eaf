//! `report`: what became of identifiers.

use super::action::{Action, Kind, Param};
use super::shared::INPUT;

/// The action.
pub(super) const ACTION: Action = Action::new(
    "report",
    "Writes what became of identifiers: how many were mapped, by which paths, and which were not.",
    &[
        INPUT,
        Param::new("path", Kind::Path, "The file of the report.")
            .also(&["output_path", "report_path", "to"])
            .needed(),
        Param::new(
            "format",
            Kind::OneOf(&["auto", "json", "markdown", "csv", "tsv"]),
            "The format; `auto` goes by the name.",
        )
        .or("auto"),
    ],
);
