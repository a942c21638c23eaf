//! What is told of a file on its way, and at its end.

use std::path::Path;

use arrow::datatypes::Schema;
use biotide_common::BiotideError;
use datafusion_common::Result;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::FileSinkOptions;

/// What a sink has made durable: give it to [`open`](super::open) to go on from there. It is a few numbers,
/// however large the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durable {
    pub(super) format: String,
    pub(super) gzip: bool,
    /// A hash of the columns.
    pub(super) columns: u64,
    pub(super) rows: u64,
    pub(super) part: Mark,
    /// Of Parquet: the log of the row groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<Mark>,
}

/// A place in a working file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Bytes before it.
    pub(super) length: u64,
    /// A hash of the last of them.
    pub(super) tail: u64,
}

/// By what a complete file is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished(pub(super) Mark);

impl Durable {
    /// The rows that are durable.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The bytes they take.
    pub fn bytes(&self) -> u64 {
        self.part.length
    }
}

/// A file that is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSummary {
    /// Its rows, those before it was resumed included.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// How many files there are: one.
    pub files: u64,
    /// `csv`, `tsv`, `jsonl`, `parquet` or `arrow`.
    pub format: String,
}

/// What all states of one file have in common, and its rows.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    format: String,
    gzip: bool,
    columns: u64,
    pub(super) rows: u64,
}

impl Tally {
    /// Of a file with these columns, new or gone on with.
    pub(super) fn new(
        target: &Path,
        schema: &Schema,
        options: &FileSinkOptions,
        resume: Option<&Durable>,
    ) -> Result<Self> {
        let tally = Self {
            format: options.name(),
            gzip: options.gzip,
            columns: fingerprint(schema),
            rows: resume.map_or(0, Durable::rows),
        };
        let Some(resume) = resume else {
            return Ok(tally);
        };
        let problem = if (&resume.format, resume.gzip) != (&tally.format, tally.gzip) {
            "its first rows were written in another format"
        } else if resume.columns != tally.columns {
            "its first rows were written with other columns"
        } else {
            return Ok(tally);
        };
        let problem = format!("{problem}; it cannot be gone on with, start the run anew");
        Err(BiotideError::file(target.display().to_string(), problem).into())
    }

    pub(super) fn durable(&self, part: Mark, log: Option<Mark>) -> Durable {
        Durable {
            format: self.format.clone(),
            gzip: self.gzip,
            columns: self.columns,
            rows: self.rows,
            part,
            log,
        }
    }

    pub(super) fn summary(self, bytes: u64) -> FileSummary {
        FileSummary {
            rows: self.rows,
            bytes,
            files: 1,
            format: self.format,
        }
    }
}

/// A hash of names and types. It is the same in another process.
fn fingerprint(schema: &Schema) -> u64 {
    let mut text = String::new();
    for field in schema.fields() {
        let (name, data_type) = (field.name(), field.data_type());
        text.push_str(&format!("{name:?} {data_type} {}\n", field.is_nullable()));
    }
    hash(text.as_bytes())
}

/// A hash that any reader of JSON keeps whole.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes) >> 11
}
