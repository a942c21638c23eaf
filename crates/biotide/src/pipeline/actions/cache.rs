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
            "A Parquet file to keep it in, which a later run takes as it is if all that it was made of is the same: the steps before, the settings and the files. What was set aside when it was made stands beside it (`.rejects.jsonl`) and is told again, and so does its key (`.key`): a file without one is somebody else's, and ends the run. Where no path is said it is a temporary file, which goes with the run.",
        ),
        OUTPUT,
    ],
);
