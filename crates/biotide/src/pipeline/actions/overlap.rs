//! `calculate_set_overlap`: what datasets have in common.

use super::action::{Action, Kind, Param};
use super::shared::{INPUTS, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "calculate_set_overlap",
    "Counts what any number of datasets have in common: every combination of them that is not empty, and for every two the Jaccard index and the coverage. Sets come first, then every two, then combinations, in the order of `inputs`. Values are the same by the rule of `join`, of all the columns together.",
    &[
        INPUTS,
        Param::new(
            "columns",
            Kind::Columns,
            "The column that is compared: one for all, or one for each.",
        )
        .also(&["column", "merge_key"])
        .needed(),
        Param::new(
            "names",
            Kind::Texts,
            "What the result calls the datasets, one for each.",
        )
        .also(&["dataset_names"]),
        OUTPUT,
    ],
);
