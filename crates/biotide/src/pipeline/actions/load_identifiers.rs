//! `load_dataset_identifiers`: a file becomes a dataset of identifiers.

use super::action::{Action, Kind, Param};
use super::load::FORMATS;
use super::shared::{CHUNK_ROWS, COUNT, OUTPUT, PROGRESS_INTERVAL, REPORT_PROGRESS};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "load_dataset_identifiers",
    "Reads the identifiers of a file, with the columns _row_number (physical line, from 1; of a Parquet file the row) and _source_file (the file of the row). Rows that are set aside are in the reject log: `empty_identifier`, which counts as no error, and `invalid_identifier`.",
    PARAMS,
);

const COLUMN_MAPPING: &[Param] = &[
    Param::new("column_name", Kind::Column, "A column of the file.")
        .also(&["column"])
        .needed(),
    Param::new(
        "identifier_type",
        Kind::Text,
        "The namespace of its identifiers, such as `uniprot`, which `validate_format` holds them against. They stay as they are written: PARSE brings them into canonical form.",
    ),
    Param::new(
        "is_primary",
        Kind::Boolean,
        "Whether rows without it have no identifier.",
    )
    .or("false"),
    Param::new(
        "is_composite",
        Kind::Boolean,
        "Whether a value may hold several identifiers.",
    )
    .or("false"),
    Param::new("composite_separator", Kind::Text, "What is between them.").or(","),
];

const PARAMS: &[Param] = &[
    Param::new(
        "file_path",
        Kind::Paths,
        "The file: a path, URL or glob, or a list of them; or a table of a database, as `load` has it.",
    )
    .also(&["file_paths", "path", "file"])
    .needed(),
    Param::new(
        "file_type",
        FORMATS,
        "The format; `auto` goes by the name and the content.",
    )
    .also(&["file_format", "format"])
    .or("auto"),
    Param::new(
        "encoding",
        Kind::Text,
        "The encoding of the text; found in the file where it is not said.",
    ),
    Param::new(
        "delimiter",
        Kind::Text,
        "Between two fields; found in the file where it is not said.",
    ),
    Param::new(
        "identifier_column",
        Kind::Column,
        "The column of identifiers, where it is but one.",
    )
    .also(&["column"]),
    Param::new(
        "column_mappings",
        Kind::List,
        "The columns of identifiers, where there are several.",
    )
    .of(COLUMN_MAPPING),
    Param::new(
        "metadata_columns",
        Kind::Columns,
        "More columns to keep; all of them where it is not said.",
    ),
    Param::new(
        "skip_header_rows",
        COUNT,
        "Physical lines to skip at the start; found in the file where it is not said.",
    )
    .also(&["skip_rows"]),
    Param::new(
        "strip_prefix",
        Kind::Text,
        "Cut off from the start of identifiers; what was there is kept as <column>_original.",
    ),
    Param::new(
        "filter_column",
        Kind::Column,
        "Keep or drop rows by the values of this column.",
    ),
    Param::new(
        "filter_values",
        Kind::Texts,
        "Regular expressions, one of which the value of filter_column holds.",
    ),
    Param::new(
        "filter_mode",
        Kind::OneOf(&["include", "exclude"]),
        "Whether those rows are kept or dropped.",
    )
    .or("include"),
    Param::new(
        "drop_empty_ids",
        Kind::Boolean,
        "Set aside rows in which a primary column has no identifier. What stands for none, such as NA or -, is none, in every column of identifiers.",
    )
    .also(&["skip_empty_primary"])
    .or("true"),
    Param::new(
        "unique_only",
        Kind::Boolean,
        "Keep the first row of each identifier, as it is after all that is done to it; of several primary columns, of what they are together. Rows without any are kept.",
    )
    .or("false"),
    Param::new(
        "lowercase_ids",
        Kind::Boolean,
        "Write identifiers in lower case.",
    )
    .also(&["lowercase"])
    .or("false"),
    Param::new(
        "strip_whitespace",
        Kind::Boolean,
        "Trim blanks around values.",
    )
    .or("true"),
    Param::new(
        "validate_format",
        Kind::Boolean,
        "Set aside rows with a value that is no identifier of its identifier_type, however it is written (`p12345` and `UniProtKB:P12345` are), or of a composite value, with one that is none.",
    )
    .or("false"),
    Param::new(
        "entity_type",
        Kind::Text,
        "What the identifiers are of, such as `protein`; told in the report.",
    ),
    Param::new("chunk_size", CHUNK_ROWS, "Rows per chunk.").or("5000"),
    Param::new(
        "memory_limit_mb",
        Kind::Integer { min: 50, max: 8000 },
        "The most memory of the run, in MiB.",
    )
    .or("500"),
    REPORT_PROGRESS,
    PROGRESS_INTERVAL,
    Param::new(
        "output_format",
        Kind::OneOf(&["list", "dict", "dataframe"]),
        "Taken and ignored: a dataset is a table.",
    )
    .or("dataframe"),
    OUTPUT,
];
