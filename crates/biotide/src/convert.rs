//! Files to files: Parquet, CSV, TSV, JSON Lines, Arrow.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use biotide_common::BiotideError;
use biotide_common::scan::ScanReport;
use biotide_database::is_database;
use biotide_formats::formats;
use biotide_formats::sink::TextSinkFormat;
use biotide_formats::table::OpenTable;
use datafusion::common::DataFusionError;
use datafusion::datasource::file_format::format_as_file_type;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::TryStreamExt;
use serde::Serialize;

use crate::catalog::StatementFiles;
use crate::context::BiotideContext;
use crate::error::{Error, Result};
use crate::memory::{MemoryReport, peak_rss};
use crate::monitor::Monitor;
use crate::statement::{Statement, XrefReport};

/// What to convert. Read options are the session's.
#[derive(Debug, Clone, Default)]
pub struct ConvertRequest {
    /// Paths, URLs or globs, in order.
    pub inputs: Vec<String>,
    /// A file; or a folder (`out/`), which takes one file an input, or partitions; or the URL of a table.
    pub output: String,
    /// The output's format, if its name does not end in it.
    pub format: Option<String>,
    /// Replace what is there.
    pub force: bool,
    /// Let rows come in any order.
    pub unordered: bool,
    /// Write `column=value` folders.
    pub partition_by: Vec<String>,
    /// Note how far it is, and go on where the same conversion was broken off.
    pub resume: bool,
    /// With `resume`: after how many rows they are made durable; 0: a million.
    pub checkpoint_rows: u64,
}

/// What was done.
#[derive(Debug, Clone, Serialize)]
pub struct ConvertReport {
    /// Rows written.
    pub rows: u64,
    /// Records set aside.
    pub rejected: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Files written.
    pub files: Vec<String>,
    /// Wall-clock time.
    pub seconds: f64,
    /// The most memory the process has held, in bytes.
    pub peak_rss: u64,
    /// What became of identifiers that were cross-referenced, if they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xref: Option<XrefReport>,
    /// What was reserved and spilled.
    pub memory: MemoryReport,
    /// The counts of the readers.
    pub scan: ScanReport,
}

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
        "pq" => "parquet",
        "ipc" | "feather" => "arrow",
        "tsv" if name.ends_with(".sssom.tsv") => "sssom",
        ending => ending,
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
    /// A plan that writes the rows of `plan`.
    pub(crate) fn copy_plan(&self, plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
        let (ending, gzip) = split_ending(&self.path);
        let Some(format) = self.format.clone().or(ending) else {
            let problem = "its name does not end in a format: use .parquet, .csv, .tsv, .jsonl or \
                           .arrow (also .gz for text), or name the format";
            return Err(BiotideError::file(&self.path, problem).into());
        };
        let Some(factory) = state.get_file_format_factory(&format.to_lowercase()) else {
            let problem =
                "is not a format that can be written; use parquet, csv, tsv, jsonl or arrow";
            return Err(BiotideError::Option {
                key: "format".to_owned(),
                value: format,
                problem: problem.to_owned(),
            }
            .into());
        };
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
            if TextSinkFormat::by_name(&format).is_none() {
                let problem = format!("{format} is compressed inside: leave .gz out of the name");
                return Err(BiotideError::file(&self.path, problem).into());
            }
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

impl BiotideContext {
    /// Converts files. Rows keep the order of the input unless asked otherwise. Nothing stands under the
    /// output's name until it is complete.
    pub async fn convert(
        &self,
        request: ConvertRequest,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        if request.inputs.is_empty() {
            return Err(BiotideError::file("convert", "no input was named").into());
        }
        if request.output == "-" && !request.resume {
            return self.convert_to_stdout(&request, on_start).await;
        }
        if request.resume {
            return self.convert_resumed(&request, on_start).await;
        }
        if is_database(&request.output) {
            return self.convert_to_database(&request, None, on_start).await;
        }
        let target = Path::new(&request.output);
        let local = !request.output.contains("://");
        let folder = local && (request.output.ends_with('/') || target.is_dir());
        let exists = local && target.exists();
        if exists && !request.force && !(folder && request.partition_by.is_empty()) {
            let problem = "it is there already; use --force to replace it";
            return Err(BiotideError::file(&request.output, problem).into());
        }
        if !request.partition_by.is_empty() {
            return self.convert_partitioned(&request, on_start).await;
        }
        if folder {
            return self.convert_each(&request, target, on_start).await;
        }
        self.convert_one(&request, &request.inputs, &request.output, on_start)
            .await
    }

    /// Text to standard output.
    async fn convert_to_stdout(
        &self,
        request: &ConvertRequest,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let format = request.format.as_deref().unwrap_or("csv");
        let known = TextSinkFormat::by_name(format).filter(TextSinkFormat::streams);
        let Some(format) = known else {
            return Err(BiotideError::Option {
                key: "format".to_owned(),
                value: format.to_owned(),
                problem: "cannot be written to standard output; use csv, tsv or jsonl".to_owned(),
            }
            .into());
        };
        let begin = Instant::now();
        let (mut state, files) = self.statement_state(self.session().state());
        let plan = Self::input_plan(&state, &files, &request.inputs).await?;
        let mut statement = Statement::new(self.clone(), &mut state, plan);
        if request.unordered {
            statement = statement.unordered();
        }
        let encoder = format.encoder();
        let io = |e| BiotideError::io("writing to standard output", e);
        let (mut rows, mut bytes_out) = (0, 0);
        let mut write = |text: &[u8]| {
            bytes_out += text.len() as u64;
            std::io::stdout().lock().write_all(text).map_err(io)
        };
        let ran = async {
            let mut stream = statement.stream().await?;
            on_start(statement.monitor());
            write(&encoder.header(&stream.schema()))?;
            while let Some(batch) = stream.try_next().await? {
                rows += batch.num_rows() as u64;
                write(&encoder.encode(&batch)?)?;
            }
            Ok::<_, Error>(())
        }
        .await;
        let memory = statement.memory();
        let scan = statement.finish()?;
        ran?;
        std::io::stdout().flush().map_err(io)?;
        Ok(ConvertReport {
            rows,
            rejected: scan.rejected,
            bytes_in: scan.bytes,
            bytes_out,
            files: Vec::new(),
            seconds: begin.elapsed().as_secs_f64(),
            peak_rss: peak_rss(),
            xref: None,
            memory,
            scan,
        })
    }

    /// A plan that scans the inputs as one.
    pub(crate) async fn input_plan(
        state: &SessionState,
        files: &StatementFiles,
        inputs: &[String],
    ) -> Result<LogicalPlan> {
        let text = |input: &String| {
            let lower = input.trim_end_matches('/').to_lowercase();
            !lower.ends_with(".parquet") && !lower.ends_with(".arrow")
        };
        let table = match inputs {
            [input] => match files.table(input).await? {
                Some(table) => table,
                None => return Err(BiotideError::file(input, "there is no such file").into()),
            },
            inputs if inputs.iter().all(text) => {
                let open = OpenTable {
                    locations: inputs.to_vec(),
                    ..OpenTable::default()
                };
                open.open(state).await? as _
            }
            inputs => {
                let problem =
                    "several inputs to one output must all be text; convert them one by one";
                return Err(BiotideError::file(&inputs[0], problem).into());
            }
        };
        Ok(LogicalPlanBuilder::scan("input", provider_as_source(table), None)?.build()?)
    }

    async fn convert_one(
        &self,
        request: &ConvertRequest,
        inputs: &[String],
        output: &str,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let output = Output {
            path: output.to_owned(),
            format: request.format.clone(),
            partition_by: request.partition_by.clone(),
            compression: None,
        };
        check_inputs(inputs, &output.path)?;
        let (mut state, files) = self.statement_state(self.session().state());
        let options = self.options();
        let parquet = &mut state.config_mut().options_mut().execution.parquet;
        if let Some(level) = options.parquet_zstd_level {
            parquet.compression = Some(format!("zstd({level})"));
        }
        if let Some(rows) = options.parquet_row_group_rows {
            parquet.max_row_group_size = rows.max(1);
        }
        let scan = Self::input_plan(&state, &files, inputs).await?;
        let mut output = output;
        for name in &mut output.partition_by {
            let fields = scan.schema().fields();
            let mut like = fields
                .iter()
                .filter(|field| field.name().to_lowercase() == name.to_lowercase());
            if !fields.iter().any(|field| field.name() == name)
                && let (Some(field), None) = (like.next(), like.next())
            {
                name.clone_from(field.name());
            }
        }
        let plan = output.copy_plan(scan, &state)?;
        let mut statement = Statement::new(self.clone(), &mut state, plan).replacing(request.force);
        if request.unordered {
            statement = statement.unordered();
        }
        output.run(statement, on_start).await
    }

    async fn convert_partitioned(
        &self,
        request: &ConvertRequest,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let format = request
            .format
            .clone()
            .or_else(|| split_ending(&request.output).0);
        let request = ConvertRequest {
            format: Some(format.unwrap_or_else(|| "parquet".to_owned())),
            ..request.clone()
        };
        self.convert_one(&request, &request.inputs, &request.output, on_start)
            .await
    }

    /// One output an input.
    async fn convert_each(
        &self,
        request: &ConvertRequest,
        folder: &Path,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let io = |e| BiotideError::io(format!("making the folder {}", folder.display()), e);
        std::fs::create_dir_all(folder).map_err(io)?;
        let format = request
            .format
            .clone()
            .unwrap_or_else(|| "parquet".to_owned());
        let mut outputs: Vec<(String, String)> = Vec::new();
        for input in &request.inputs {
            if input.contains(['*', '?', '[']) && !Path::new(input).exists() {
                let problem = "a pattern has no name for its output in a folder: name the files (the \
                               shell does, without quotes), or one output file for all";
                return Err(BiotideError::file(input, problem).into());
            }
            let output = folder
                .join(format!("{}.{format}", stem(input)))
                .display()
                .to_string();
            if let Some((other, _)) = outputs.iter().find(|(_, known)| *known == output) {
                let problem = format!("{other} would become {output} too; convert them one by one");
                return Err(BiotideError::file(input, problem).into());
            }
            if Path::new(&output).exists() && !request.force {
                let problem = "it is there already; use --force to replace it";
                return Err(BiotideError::file(output, problem).into());
            }
            outputs.push((input.clone(), output));
        }
        let begin = Instant::now();
        let mut on_start = Some(on_start);
        let mut total: Option<ConvertReport> = None;
        for (input, output) in outputs {
            let start = on_start.take();
            let start = move |monitor| {
                if let Some(start) = start {
                    start(monitor);
                }
            };
            let one = self.convert_one(request, &[input], &output, start).await?;
            total = Some(match total {
                None => one,
                Some(mut sum) => {
                    sum.rows += one.rows;
                    sum.rejected += one.rejected;
                    sum.bytes_in += one.bytes_in;
                    sum.bytes_out += one.bytes_out;
                    sum.files.extend(one.files);
                    sum.peak_rss = one.peak_rss;
                    sum.memory.add(one.memory);
                    sum.scan = ScanReport::sum([sum.scan, one.scan]);
                    sum
                }
            });
        }
        let mut total = total.ok_or_else(|| {
            Error::from(DataFusionError::from(BiotideError::file(
                "convert",
                "no input was named",
            )))
        })?;
        total.seconds = begin.elapsed().as_secs_f64();
        Ok(total)
    }
}

/// An output that is among its inputs would be read as it is written.
pub(crate) fn check_inputs(inputs: &[String], output: &str) -> Result<(), BiotideError> {
    if let Some(input) = inputs.iter().find(|input| holds(input, output)) {
        let problem = format!(
            "it takes in the output {output} too, as it stands from an earlier run; write elsewhere, or \
             narrow the inputs",
        );
        return Err(BiotideError::file(input, problem));
    }
    if let Some(input) = inputs.iter().find(|input| same_file(input, output)) {
        return Err(BiotideError::file(
            input,
            "input and output are the same file",
        ));
    }
    Ok(())
}

/// A path's name without its endings.
fn stem(path: &str) -> String {
    let name = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path);
    let bare = formats::decompressed(name);
    let known =
        formats::by_path(bare).is_some() || bare.ends_with(".parquet") || bare.ends_with(".arrow");
    match bare.rsplit_once('.') {
        Some((stem, _)) if known => stem.to_owned(),
        _ => bare.to_owned(),
    }
}

/// Whether a folder or a pattern takes in a file that is there.
fn holds(input: &str, file: &str) -> bool {
    let Ok(file) = std::fs::canonicalize(file) else {
        return false;
    };
    let Ok(file) = datafusion::object_store::path::Path::from_absolute_path(file) else {
        return false;
    };
    !Path::new(input).is_file()
        && ListingTableUrl::parse(input)
            .is_ok_and(|url| url.is_collection() && url.contains(&file, false))
}

fn same_file(a: &str, b: &str) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
