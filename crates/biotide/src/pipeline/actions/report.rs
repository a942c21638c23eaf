//! `report`: what became of identifiers.

use super::action::{Action, Kind, Param};
use super::shared::INPUT;

/// The action.
pub(super) const ACTION: Action = Action::new(
    "report",
    "Writes what became of identifiers: how many rows each verdict, number of hops and predicate has, for each column that was cross-referenced (the column `column` says which, if there are several), and the most frequent identifiers that have no mapping.",
    &[
        INPUT,
        Param::new("columns", Kind::Columns, "The columns of the identifiers; those that were cross-referenced where it is not said."),
        Param::new("path", Kind::Path, "The file of the report.")
            .also(&["output_path", "report_path", "to"])
            .needed(),
        Param::new(
            "format",
            Kind::OneOf(&["auto", "json", "markdown", "csv", "tsv"]),
            "The format; `auto` goes by the name. `json` is one document, `{\"counts\": […], \"unmapped\": […]}`; tables hold the counts alone.",
        )
        .or("auto"),
    ],
);
