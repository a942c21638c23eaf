//! How a file is written.

use std::sync::Arc;

use ::parquet::basic::{Compression, GzipLevel, ZstdLevel};
use biotide_common::BiotideError;
use datafusion_common::Result;

use crate::sink::{TextEncoder, TextSinkFormat};

/// How a file is written.
#[derive(Debug, Clone)]
pub struct FileSinkOptions {
    /// `csv`, `tsv`, `jsonl`, `parquet` or `arrow`.
    pub format: String,
    /// Text is gzipped.
    pub gzip: bool,
    /// How Parquet compresses: `zstd` (level 3) unless told, `zstd(LEVEL)`, `snappy`, `lz4`, `gzip`, `none`.
    pub compression: Option<String>,
    /// A file that is there already is replaced.
    pub replace: bool,
    /// Rows of a Parquet row group.
    pub row_group_rows: usize,
    /// Bytes, encoded, at which a Parquet row group ends although it has fewer rows.
    pub row_group_bytes: usize,
    /// Batches (of Parquet: columns) that are encoded at a time.
    pub threads: usize,
}

impl Default for FileSinkOptions {
    fn default() -> Self {
        Self {
            format: "parquet".to_owned(),
            gzip: false,
            compression: None,
            replace: false,
            row_group_rows: 1024 * 1024,
            row_group_bytes: 128 * 1024 * 1024,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// A format, known.
#[derive(Debug, Clone)]
pub(super) enum Format {
    Text(Arc<dyn TextEncoder>),
    Arrow,
    Parquet(Compression),
}

impl FileSinkOptions {
    /// What the options ask for.
    pub(super) fn format(&self) -> Result<Format> {
        let wrong = |key: &str, value: &str, problem: &str| BiotideError::Option {
            key: key.to_owned(),
            value: value.to_owned(),
            problem: problem.to_owned(),
        };
        let name = self.name();
        let text = TextSinkFormat::by_name(&name).filter(TextSinkFormat::streams);
        let format = match (name.as_str(), text) {
            ("parquet", _) => Format::Parquet(
                compression(self.compression.as_deref().unwrap_or("zstd")).map_err(|problem| {
                    wrong(
                        "compression",
                        self.compression.as_deref().unwrap_or_default(),
                        &problem,
                    )
                })?,
            ),
            ("arrow", _) => Format::Arrow,
            (_, Some(text)) => Format::Text(text.encoder()),
            _ => {
                let problem =
                    "is not written by a pipeline; there are csv, tsv, jsonl, parquet and arrow";
                return Err(wrong("format", &self.format, problem).into());
            }
        };
        if self.gzip && !matches!(format, Format::Text(_)) {
            let problem = "is for text; Parquet has the option compression";
            return Err(wrong("gzip", "true", problem).into());
        }
        if let (Some(value), false) = (&self.compression, matches!(format, Format::Parquet(_))) {
            return Err(wrong(
                "compression",
                value,
                "is for Parquet; text has the option gzip",
            )
            .into());
        }
        Ok(format)
    }

    /// The format's name as it is noted.
    pub(super) fn name(&self) -> String {
        match self.format.to_ascii_lowercase().as_str() {
            "json" | "ndjson" => "jsonl".to_owned(),
            "ipc" | "feather" => "arrow".to_owned(),
            name => name.to_owned(),
        }
    }
}

fn compression(value: &str) -> Result<Compression, String> {
    let value = value.to_ascii_lowercase();
    let (name, level) = match value
        .strip_suffix(')')
        .and_then(|value| value.split_once('('))
    {
        Some((name, level)) => match level.parse() {
            Ok(level) => (name, Some(level)),
            Err(_) => return Err("has a level that is not a number".to_owned()),
        },
        None => (value.as_str(), None),
    };
    let range =
        |error: ::parquet::errors::ParquetError| format!("has a level it cannot take: {error}");
    match (name, level) {
        ("zstd", level) => {
            let level = ZstdLevel::try_new(level.unwrap_or(3)).map_err(range)?;
            Ok(Compression::ZSTD(level))
        }
        ("gzip", level) => {
            let level = u32::try_from(level.unwrap_or(6)).unwrap_or(u32::MAX);
            Ok(Compression::GZIP(GzipLevel::try_new(level).map_err(range)?))
        }
        ("snappy", None) => Ok(Compression::SNAPPY),
        ("lz4" | "lz4_raw", None) => Ok(Compression::LZ4_RAW),
        ("none" | "uncompressed", None) => Ok(Compression::UNCOMPRESSED),
        _ => {
            Err("is none of zstd, zstd(LEVEL), snappy, lz4, gzip, gzip(LEVEL) and none".to_owned())
        }
    }
}
