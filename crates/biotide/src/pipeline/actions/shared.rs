//! Parameters of many actions.

use super::action::{Kind, Param};

/// What a step reads.
pub const INPUT: Param = Param::new(
    "input",
    Kind::Dataset,
    "What an earlier step calls its output; where it is not said, that of the step before.",
)
.also(&["input_key", "input_context_key", "dataset_key"]);

/// What a step of several datasets reads.
pub(super) const INPUTS: Param = Param::new(
    "inputs",
    Kind::Datasets,
    "What earlier steps call their outputs, two or more.",
)
.also(&[
    "input_keys",
    "input_context_keys",
    "dataset_keys",
    "datasets",
])
.needed()
.at_least(2);

/// What a step calls its output.
pub const OUTPUT: Param = Param::new(
    "output",
    Kind::OutputKey,
    "What later steps call the result; where it is not said, the name of the step.",
)
.also(&["output_key", "output_context_key"]);

/// Rows of a chunk.
pub(in crate::pipeline) const CHUNK_ROWS: Kind = Kind::Integer {
    min: 1,
    max: 100_000,
};

/// Rows of a chunk, where the pipeline may say it for all steps.
pub(in crate::pipeline) const CHUNK_SIZE: Param = Param::new(
    "chunk_size",
    CHUNK_ROWS,
    "Rows per chunk. `streaming.chunk_size` holds where a step does not say.",
)
.or("1000");

/// Whether a step that reads tells how far it is.
pub(super) const REPORT_PROGRESS: Param =
    Param::new("report_progress", Kind::Boolean, "Tell how far the run is.").or("true");

/// How often.
pub(super) const PROGRESS_INTERVAL: Param = Param::new(
    "progress_interval",
    POSITIVE,
    "Rows between two reports of progress.",
)
.or("10000");

/// A whole number that is not negative.
pub(super) const COUNT: Kind = Kind::Integer {
    min: 0,
    max: i64::MAX,
};

/// A whole number above zero.
pub(super) const POSITIVE: Kind = Kind::Integer {
    min: 1,
    max: i64::MAX,
};

/// A share, a confidence.
pub(in crate::pipeline) const SHARE: Kind = Kind::Number { min: 0.0, max: 1.0 };
