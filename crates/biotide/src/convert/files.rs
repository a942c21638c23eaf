//! Files to files.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use biotide_common::BiotideError;
use biotide_common::scan::ScanReport;
use biotide_database::is_database;
use biotide_formats::files::is_glob;
use biotide_formats::sink::TextSinkFormat;
use biotide_formats::table::OpenTable;
use datafusion::common::DataFusionError;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::TryStreamExt;

use super::paths::{check_inputs, stem};
use super::{ConvertReport, ConvertRequest, Output, split_ending};
use crate::catalog::is_binary;
use crate::context::BiotideContext;
use crate::error::{Error, Result};
use crate::memory::peak_rss;
use crate::monitor::Monitor;
use crate::statement::Statement;

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
        if request.resume {
            return self.convert_resumed(&request, on_start).await;
        }
        if request.output == "-" {
            return self.convert_to_stdout(&request, on_start).await;
        }
        if is_database(&request.output) {
            check_inputs(&request.inputs, &request.output)?;
            let planned = self.input_plan(&request.inputs).await?;
            return self
                .convert_to_database(&request, planned, None, on_start)
                .await;
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
        let (mut state, plan) = self.input_plan(&request.inputs).await?;
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

    /// A plan that scans the inputs as one, and the state of its statement.
    pub(super) async fn input_plan(
        &self,
        inputs: &[String],
    ) -> Result<(SessionState, LogicalPlan)> {
        let (state, files) = self.statement_state(self.session().state());
        let text = |input: &String| !is_binary(input.trim_end_matches('/'));
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
                open.open(&state).await? as _
            }
            inputs => {
                let problem =
                    "several inputs to one output must all be text; convert them one by one";
                return Err(BiotideError::file(&inputs[0], problem).into());
            }
        };
        let plan = LogicalPlanBuilder::scan("input", provider_as_source(table), None)?.build()?;
        Ok((state, plan))
    }

    async fn convert_one(
        &self,
        request: &ConvertRequest,
        inputs: &[String],
        output: &str,
        on_start: impl FnOnce(Monitor) + Send,
    ) -> Result<ConvertReport> {
        let mut output = Output {
            path: output.to_owned(),
            format: request.format.clone(),
            partition_by: request.partition_by.clone(),
            compression: None,
        };
        check_inputs(inputs, &output.path)?;
        let (mut state, scan) = self.input_plan(inputs).await?;
        let options = self.options();
        let parquet = &mut state.config_mut().options_mut().execution.parquet;
        if let Some(level) = options.parquet_zstd_level {
            parquet.compression = Some(format!("zstd({level})"));
        }
        if let Some(rows) = options.parquet_row_group_rows {
            parquet.max_row_group_size = rows.max(1);
        }
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
        Self::forget_conversion(&output.path)?;
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
            if is_glob(input) {
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
