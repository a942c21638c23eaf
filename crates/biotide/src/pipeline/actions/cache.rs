//! `cache`: what several steps use is made once.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "cache",
    "Keeps a dataset that several steps use, so that it is made once.",
    &[
        INPUT,
        Param::new(
            "path",
            Kind::Path,
            "A Parquet file to keep it in, which another run uses too; below the folder for temporary files where it is not said.",
        ),
        OUTPUT,
    ],
);
