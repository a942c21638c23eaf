//! `load`: a file becomes a dataset.

use super::action::{Action, Kind, Param};
use super::shared::{
    CHUNK_SIZE, COUNT, OUTPUT, POSITIVE, PROGRESS_INTERVAL, REPORT_PROGRESS, SHARE,
};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "load",
    "Reads a file, or several, row by row within a limit of memory.",
    PARAMS,
)
.also(&["streaming_data_processor"]);

/// Formats of input files.
pub(super) const FORMATS: Kind = Kind::OneOf(&["auto", "csv", "tsv", "jsonl", "parquet", "sssom"]);

const PARAMS: &[Param] = &[
    Param::new(
        "file_path",
        Kind::Paths,
        "The file: a path, URL or glob, or a list of them. Compressed ones are read as they are. Or a table of a database, as SQL reads it: `sqlite:file.db/table`, `postgres://host/database/table`. Of Parquet and of such tables, what is said of text is refused; of JSON Lines, what is said of delimited text.",
    )
    .also(&["file_paths", "path", "file"])
    .needed(),
    Param::new(
        "file_format",
        FORMATS,
        "The format; `auto` goes by the name and the content.",
    )
    .also(&["format", "file_type"])
    .or("auto"),
    Param::new(
        "encoding",
        Kind::Text,
        "The encoding of the text; found in the file where it is not said.",
    ),
    CHUNK_SIZE,
    Param::new(
        "memory_limit_mb",
        Kind::Integer { min: 50, max: 8000 },
        "The most memory of the run, in MiB; of several steps the least holds.",
    )
    .or("500"),
    Param::new(
        "columns",
        Kind::Columns,
        "The columns to read, in this order; all of them where it is not said.",
    ),
    Param::new(
        "skip_rows",
        COUNT,
        "Physical lines to skip at the start; found in the file where it is not said.",
    ),
    Param::new(
        "max_rows",
        POSITIVE,
        "The most rows, exactly; all of them where it is not said.",
    ),
    Param::new(
        "skip_empty",
        Kind::Boolean,
        "Skip rows in which every field, or every one of key_columns, is empty or blank as it is written; what stands for NULL, as NA does, is not empty.",
    )
    .or("true"),
    Param::new(
        "key_columns",
        Kind::Columns,
        "The columns that skip_empty looks at; all of them where it is not said.",
    ),
    Param::new(
        "strip_whitespace",
        Kind::Boolean,
        "Trim blanks around values.",
    )
    .or("true"),
    Param::new(
        "continue_on_error",
        Kind::Boolean,
        "Set bad rows aside, in the reject log; false ends the run with the first. Where it is not said, the option `on_error` says it, and then `streaming.error_handling`.",
    ),
    Param::new(
        "error_threshold",
        SHARE,
        "The share of bad rows of a file above which the run ends, judged at its end (or before, where nothing could mend it). Where it is said, a file of three rows is judged by it too; the default holds from 1,000 records on.",
    )
    .or("0.1"),
    REPORT_PROGRESS,
    PROGRESS_INTERVAL,
    Param::new(
        "delimiter",
        Kind::Text,
        "Between two fields; found in the file where it is not said.",
    ),
    Param::new(
        "quote",
        Kind::Text,
        "Opens and closes a quoted field, or `none`; found in the file where it is not said.",
    )
    .also(&["quote_char"]),
    Param::new(
        "comment",
        Kind::Text,
        "A record that starts with this is a comment.",
    ),
    Param::new(
        "header",
        Kind::Boolean,
        "Whether the first record names the columns; found in the file where it is not said.",
    ),
    Param::new(
        "null_values",
        Kind::Texts,
        "More spellings of NULL, in every column.",
    ),
    Param::new("all_text", Kind::Boolean, "Read every column as text.").or("false"),
    Param::new(
        "metadata_columns",
        Kind::Boolean,
        "Add the columns _line (physical line, from 1) and _offset (byte offset) of every record.",
    )
    .or("false"),
    OUTPUT,
];
