//! A file, or folder of files, that rows are written to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use biotide_common::BiotideError;
use biotide_common::nearest::{list, nearest};
use biotide_formats::sink::TextSinkFormat;
use datafusion::datasource::file_format::{FileFormatFactory, format_as_file_type};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::TryStreamExt;

use super::ConvertReport;
use crate::catalog::binary_format;
use crate::error::{Error, Result};
use crate::memory::peak_rss;
use crate::monitor::Monitor;
use crate::statement::Statement;

/// What can be written, as messages list it.
const FORMATS: [&str; 5] = ["parquet", "csv", "tsv", "jsonl", "arrow"];

/// Format and gzip of a path's ending: `x.tsv.gz` is `tsv`, gzipped.
pub(crate) fn split_ending(path: &str) -> (Option<String>, bool) {
    let lower = path.to_ascii_lowercase();
    let (bare, gzip) = match lower.strip_suffix(".gz") {
        Some(bare) => (bare, true),
        None => (lower.as_str(), false),
    };
    let name = bare.rsplit(['/', '\\']).next().unwrap_or(bare);
    let format = name.rsplit_once('.').map(|(_, ending)| match ending {
        "tab" | "txt" => "tsv",
        "ndjson" | "json" => "jsonl",
        "tsv" | "csv" if name.ends_with(&format!(".sssom.{ending}")) => "sssom",
        ending => binary_format(ending).unwrap_or(ending),
    });
    (format.map(str::to_owned), gzip)
}

/// Where rows go.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) path: String,
    pub(crate) format: Option<String>,
    pub(crate) partition_by: Vec<String>,
    /// How it is compressed, if its name does not say: none, gzip, zstd, snappy, lz4.
    pub(crate) compression: Option<String>,
}

impl Output {
    /// The name of its format, what writes that, and whether its name ends in .gz.
    pub(crate) fn format(
        &self,
        state: &SessionState,
    ) -> Result<(String, Arc<dyn FileFormatFactory>, bool)> {
        let (ending, gzip) = split_ending(&self.path);
        let Some(format) = self.format.clone().or(ending) else {
            let problem = "its name does not end in a format: use .parquet, .csv, .tsv, .jsonl or \
                           .arrow (also .gz for text), or name the format";
            return Err(BiotideError::file(&self.path, problem).into());
        };
        let Some(factory) = state.get_file_format_factory(&format.to_lowercase()) else {
            let near = match nearest(&format, FORMATS) {
                Some(near) => format!(" (did you mean '{near}'?)"),
                None => String::new(),
            };
            let problem = format!(
                "is not a format that can be written{near}; use {}",
                list(FORMATS)
            );
            return Err(BiotideError::Option {
                key: "format".to_owned(),
                value: format,
                problem,
            }
            .into());
        };
        if gzip && TextSinkFormat::by_name(&format).is_none() {
            let problem = format!("{format} is compressed inside: leave .gz out of the name");
            return Err(BiotideError::file(&self.path, problem).into());
        }
        Ok((format, factory, gzip))
    }

    /// A plan that writes the rows of `plan`.
    pub(crate) fn copy_plan(&self, plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
        let (format, factory, gzip) = self.format(state)?;
        let mut options: HashMap<String, String> = HashMap::new();
        if let Some(codec) = &self.compression {
            // (As the writers call it.)
            let codec = match (format.as_str(), codec.as_str()) {
                ("parquet", "none") => "uncompressed",
                ("parquet", "gzip") => "gzip(6)",
                ("parquet", "zstd") => "zstd(3)",
                ("parquet", "lz4") => "lz4_raw",
                (_, codec) => codec,
            };
            options.insert("format.compression".to_owned(), codec.to_owned());
        }
        if gzip {
            options.insert("format.compression".to_owned(), "gzip".to_owned());
        }
        let partition_by = self.partition_by.clone();
        let fields = plan.schema().fields();
        for name in &partition_by {
            if !fields.iter().any(|field| field.name() == name) {
                let names: Vec<_> = fields.iter().take(20).map(|f| f.name().as_str()).collect();
                return Err(BiotideError::Option {
                    key: "partition_by".to_owned(),
                    value: name.clone(),
                    problem: format!("is not a column; there are {}", names.join(", ")),
                }
                .into());
            }
        }
        let file_type = format_as_file_type(factory);
        let target = match partition_by.is_empty() {
            true => self.path.clone(),
            false => format!("{}/", self.path.trim_end_matches('/')),
        };
        let copy = LogicalPlanBuilder::copy_to(plan, target, file_type, options, partition_by)?;
        Ok(copy.build()?)
    }

    /// Runs a statement whose plan is from [`Output::copy_plan`].
    pub(crate) async fn run(
        &self,
        mut statement: Statement,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let begin = Instant::now();
        let ran = async {
            let stream = statement.stream().await?;
            on_start(statement.monitor());
            let batches: Vec<_> = stream.try_collect().await?;
            Ok::<_, Error>(batches)
        }
        .await;
        let batches = match ran {
            Ok(batches) => batches,
            Err(error) => {
                // The log is worth the most where the run failed.
                statement.finish()?;
                return Err(error);
            }
        };
        let count = batches.iter().filter_map(|batch| {
            let counts = batch.columns().first()?;
            let counts = counts
                .as_any()
                .downcast_ref::<arrow::array::UInt64Array>()?;
            Some(counts.values().iter().sum::<u64>())
        });
        let rows = count.sum();
        let (memory, xref) = (statement.memory(), statement.coverage());
        let scan = statement.finish()?;
        let files = written(Path::new(&self.path));
        let size = |file: &PathBuf| std::fs::metadata(file).map_or(0, |meta| meta.len());
        Ok(ConvertReport {
            rows,
            rejected: scan.rejected,
            bytes_in: scan.bytes,
            bytes_out: files.iter().map(size).sum(),
            files: files
                .iter()
                .map(|file| file.display().to_string())
                .collect(),
            seconds: begin.elapsed().as_secs_f64(),
            peak_rss: peak_rss(),
            xref,
            memory,
            scan,
        })
    }
}

/// The files at a path: itself, or those of a folder.
fn written(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|entry| written(&entry.path()))
        .collect();
    files.sort();
    files
}
