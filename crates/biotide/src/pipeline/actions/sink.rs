//! `sink`: a dataset becomes a file, or a table of a database.

use super::action::{Action, Kind, Param};
use super::shared::INPUT;

/// The action.
pub(super) const ACTION: Action = Action::new(
    "sink",
    "Writes a dataset to a file, or to a table of a database. Databases get timestamps and times to the microsecond.",
    PARAMS,
)
.also(&["export_dataset"]);

const PARAMS: &[Param] = &[
    INPUT,
    Param::new("to", Kind::Path, "A path, or the URL of a table: `postgres://host/database/table`, `sqlite:path/to/file.db/table`.")
        .also(&["output_path", "file_path", "path"])
        .needed(),
    Param::new("format", Kind::OneOf(&["auto", "csv", "tsv", "jsonl", "parquet", "arrow"]), "The format of a file; `auto` goes by the name.")
        .also(&["file_format", "output_format"])
        .or("auto"),
    Param::new("columns", Kind::Columns, "The columns to write, in this order; all of them where it is not said."),
    Param::new("mode", Kind::OneOf(&["append", "replace", "upsert", "error"]), "What becomes of what is there already: `upsert` replaces rows of the same key, `error` ends the run. `replace` takes the place of a file; of a table of a database it exchanges the rows, and the table stays with its columns: one that it lacks is refused, and one that is not written is NULL, or its default.")
        .or("error"),
    Param::new("key", Kind::Columns, "The columns that tell rows apart, which `upsert` needs.")
        .also(&["key_columns"]),
    Param::new("compression", Kind::OneOf(&["auto", "none", "gzip", "zstd", "snappy", "lz4"]), "Of a file; `auto` goes by the name.")
        .or("auto"),
    Param::new("partition_by", Kind::Columns, "A folder for each value of these columns: `panel=Oncology/`."),
    Param::new("transaction", Kind::OneOf(&["once", "per_chunk"]), "Of a database: all rows at once, or chunk by chunk, from where a run can be resumed.")
        .or("per_chunk"),
    Param::new("create", Kind::Boolean, "Make the table of a database where there is none.")
        .also(&["create_table"])
        .or("true"),
];
