//! `streaming:` how a run goes about its work.

use biotide_common::BiotideError;
use biotide_common::options::{OptionValue, RejectFile};

use super::place::Placed;
use super::tree::Tree;
use crate::pipeline::actions::{CHUNK_ROWS, Kind, Param, Params};

/// How a run goes about its work. What is not said holds as for any statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Streaming {
    /// Rows per chunk, of steps that do not say another number.
    pub chunk_size: Option<usize>,
    /// Chunks decoded at a time.
    pub max_concurrent_chunks: Option<usize>,
    /// Decoded chunks that may wait to be taken.
    pub backpressure_threshold: Option<usize>,
    /// How files of a format are read: `csv`, `tsv`, `jsonl`.
    pub file_readers: Vec<(String, FileReader)>,
    /// Memory.
    pub memory_management: MemoryManagement,
    /// Errors.
    pub error_handling: ErrorHandling,
}

/// How files of a format are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileReader {
    /// The encoding of the text.
    pub encoding: Option<String>,
    /// Between two fields.
    pub delimiter: Option<String>,
    /// Opens and closes a quoted field.
    pub quote_char: Option<String>,
}

/// Memory of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryManagement {
    /// The limit, in MiB.
    pub max_memory_mb: Option<u64>,
}

/// Errors of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorHandling {
    /// The most errors of a chunk.
    pub max_errors_per_chunk: Option<u64>,
    /// Whether a run goes on after a bad row.
    pub continue_on_error: Option<bool>,
    /// Where bad rows are written to.
    pub error_output_path: Option<Placed<RejectFile>>,
}

pub(super) const STREAMING: &[Param] = &[
    Param::new(
        "chunk_size",
        CHUNK_ROWS,
        "Rows per chunk, of steps that do not say another number.",
    ),
    Param::new(
        "max_concurrent_chunks",
        Kind::Integer { min: 1, max: 1024 },
        "Chunks decoded at a time.",
    ),
    Param::new(
        "backpressure_threshold",
        Kind::Integer {
            min: 1,
            max: 100_000,
        },
        "Decoded chunks that may wait to be taken.",
    ),
    Param::new(
        "file_readers",
        Kind::Map,
        "How files of a format are read: `csv` and `tsv` to `{encoding, delimiter, quote_char}`, `jsonl` to `{encoding}`.",
    ),
    Param::new(
        "memory_management",
        Kind::Map,
        "`max_memory_mb`, and `gc_frequency`, which is taken and means nothing: nothing is collected.",
    ),
    Param::new(
        "error_handling",
        Kind::Map,
        "`max_errors_per_chunk`, `continue_on_error`, `error_output_path`.",
    ),
];

pub(super) const FILE_READERS: &[Param] = &[
    Param::new("csv", Kind::Map, "Files with commas."),
    Param::new("tsv", Kind::Map, "Files with tabs."),
    Param::new("jsonl", Kind::Map, "Files of JSON Lines."),
];

pub(super) const FILE_READER: &[Param] = &[
    Param::new(
        "encoding",
        Kind::Text,
        "The encoding of the text; found in the file where it is not said.",
    ),
    Param::new("delimiter", Kind::Text, "Between two fields."),
    Param::new("quote_char", Kind::Text, "Opens and closes a quoted field.").also(&["quote"]),
];

pub(super) const MEMORY_MANAGEMENT: &[Param] = &[
    Param::new(
        "max_memory_mb",
        Kind::Integer {
            min: 50,
            max: 1 << 24,
        },
        "The most memory, in MiB.",
    ),
    Param::new(
        "gc_frequency",
        Kind::Integer {
            min: 0,
            max: i64::MAX,
        },
        "Taken and ignored: nothing is collected.",
    ),
];

pub(super) const ERROR_HANDLING: &[Param] = &[
    Param::new(
        "max_errors_per_chunk",
        Kind::Integer {
            min: 0,
            max: i64::MAX,
        },
        "The most errors of a chunk; more of them end the run.",
    ),
    Param::new(
        "continue_on_error",
        Kind::Boolean,
        "Whether a run goes on after a bad row, whatever step reads it; where neither the step says so nor the option `on_error`.",
    ),
    Param::new(
        "error_output_path",
        Kind::Path,
        "Where bad rows are written to, as its ending says: .jsonl, .csv, .tsv or .parquet; JSON Lines where it says nothing.",
    ),
];

/// The section of a file.
pub(super) fn read(tree: Option<&Tree>) -> Result<Streaming, BiotideError> {
    let Some(tree) = tree.filter(|tree| !tree.is_null()) else {
        return Ok(Streaming::default());
    };
    let params = Params::of_section(tree, "streaming", STREAMING)?;
    let section = |name, table| match params.tree(name) {
        Some(tree) => Params::of_section(tree, name, table).map(Some),
        None => Ok(None),
    };
    let mut file_readers = Vec::new();
    if let Some(readers) = section("file_readers", FILE_READERS)? {
        for format in ["csv", "tsv", "jsonl"] {
            if let Some(tree) = readers.tree(format) {
                let reader = Params::of_section(tree, format, FILE_READER)?;
                refuse_of_delimited(format, &reader)?;
                let text = |name| reader.text(name).map(str::to_owned);
                let reader = FileReader {
                    encoding: text("encoding"),
                    delimiter: text("delimiter"),
                    quote_char: text("quote_char"),
                };
                file_readers.push((format.to_owned(), reader));
            }
        }
    }
    let memory = section("memory_management", MEMORY_MANAGEMENT)?;
    let max_memory_mb = memory.and_then(|memory| memory.unsigned("max_memory_mb"));
    let errors = section("error_handling", ERROR_HANDLING)?;
    let error_handling = match errors {
        Some(errors) => ErrorHandling {
            max_errors_per_chunk: errors.unsigned("max_errors_per_chunk"),
            continue_on_error: errors.boolean("continue_on_error"),
            error_output_path: reject_file(&errors)?,
        },
        None => ErrorHandling::default(),
    };
    Ok(Streaming {
        chunk_size: params.size("chunk_size"),
        max_concurrent_chunks: params.size("max_concurrent_chunks"),
        backpressure_threshold: params.size("backpressure_threshold"),
        file_readers,
        memory_management: MemoryManagement { max_memory_mb },
        error_handling,
    })
}

/// Refuses of JSON Lines what is said of delimited text.
fn refuse_of_delimited(format: &str, reader: &Params) -> Result<(), BiotideError> {
    let mut of_delimited = ["delimiter", "quote_char"].into_iter();
    match of_delimited.find(|name| format == "jsonl" && reader.is_given(name)) {
        Some(name) => Err(reader.error(
            name,
            "it is for delimited text, not for jsonl; leave it out",
        )),
        None => Ok(()),
    }
}

/// Where bad rows are written to.
fn reject_file(errors: &Params) -> Result<Option<Placed<RejectFile>>, BiotideError> {
    let name = "error_output_path";
    let Some(path) = errors.text(name) else {
        return Ok(None);
    };
    let file = RejectFile::parse(path);
    let value = file.map_err(|problem| errors.error(name, format!("'{path}' {problem}")))?;
    let place = errors.place(name).clone();
    Ok(Some(Placed { value, place }))
}
