//! Writing text: TSV, CSV, JSON Lines and SSSOM, plain or gzipped. (Parquet and Arrow are DataFusion's own.)
//!
//! Batches are made text in parallel and written in order. A sink does not know whether the rows it is
//! given were all: staging its output is the business of the statement.
//!
//! Pipelines write by way of [`resumable`], Parquet and Arrow too.

mod delimited;
mod file;
mod json_lines;
pub mod resumable;
mod sssom;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use async_trait::async_trait;
use biotide_common::BiotideError;
use biotide_common::identifiers::SessionIdentifiers;
use biotide_common::options::{BiotideOptions, Delimiter, OptionValue};
use datafusion_common::{GetExt, Result, Statistics, not_impl_err};
use datafusion_datasource::TableSchema;
use datafusion_datasource::file::FileSource;
use datafusion_datasource::file_compression_type::FileCompressionType;
use datafusion_datasource::file_format::{FileFormat, FileFormatFactory};
use datafusion_datasource::file_scan_config::FileScanConfig;
use datafusion_datasource::file_sink_config::FileSinkConfig;
use datafusion_datasource::sink::DataSinkExec;
use datafusion_physical_expr::LexRequirement;
use datafusion_physical_plan::ExecutionPlan;
use datafusion_physical_plan::sorts::sort::SortExec;
use datafusion_session::Session;
use object_store::{ObjectMeta, ObjectStore};

use crate::formats::delimited::DelimitedLayout;
use crate::text::TextSource;
pub use delimited::DelimitedEncoder;
pub use json_lines::JsonLinesEncoder;

/// Makes batches text.
pub trait TextEncoder: Debug + Send + Sync + 'static {
    /// What stands before the first row.
    fn header(&self, schema: &Schema) -> Vec<u8>;
    /// The text of a batch's rows.
    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>>;
}

/// A format to write: `COPY … TO … STORED AS name`.
#[derive(Debug, Clone)]
pub struct TextSinkFormat {
    name: &'static str,
    gzip: bool,
    options: BiotideOptions,
}

impl TextSinkFormat {
    /// The formats that can be written.
    pub fn all() -> Vec<Self> {
        let format = |name| Self {
            name,
            gzip: false,
            options: BiotideOptions::default(),
        };
        vec![
            format("tsv"),
            format("csv"),
            format("jsonl"),
            format("sssom"),
        ]
    }

    /// The format of this name; `json` is JSON Lines.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("json") {
            "jsonl"
        } else {
            name
        };
        Self::all()
            .into_iter()
            .find(|format| format.name.eq_ignore_ascii_case(name))
    }

    /// Sets an option of writing; an error is what is wrong with it.
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "compression" => match value.to_ascii_lowercase().as_str() {
                "gzip" | "gz" => self.gzip = true,
                "none" | "uncompressed" | "auto" => self.gzip = false,
                _ => return Err("cannot be written as text; use gzip or none".to_owned()),
            },
            "delimiter" if self.is_delimited() => {
                let given = Delimiter::parse(value)?;
                if !matches!(given.byte(), Some(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r'))
                {
                    return Err(
                        "is not one ASCII character besides quote and line end, as delimited \
                                text is written with"
                            .to_owned(),
                    );
                }
                self.options.delimiter = Some(given);
            }
            "delimiter" if !self.streams() => {
                let given = Delimiter::parse(value)?;
                if !matches!(given.byte(), Some(b'\t' | b',')) {
                    return Err("is no delimiter of SSSOM: there are tab and comma".to_owned());
                }
                self.options.delimiter = Some(given);
            }
            "header" if self.is_delimited() => self.options.header = Some(bool::parse(value)?),
            _ => {
                return Err(format!(
                    "is no option of writing {}: there are delimiter, header (of tsv and csv) and \
                     compression",
                    self.name
                ));
            }
        }
        Ok(())
    }

    fn is_delimited(&self) -> bool {
        matches!(self.name, "tsv" | "csv")
    }

    /// Whether rows can be written before the last is there.
    pub fn streams(&self) -> bool {
        self.name != "sssom"
    }

    /// The encoder of this format.
    pub fn encoder(&self) -> Arc<dyn TextEncoder> {
        let given = self.options.delimiter.as_ref().and_then(Delimiter::byte);
        let header = self.options.header.unwrap_or(true);
        match self.name {
            "jsonl" => Arc::new(JsonLinesEncoder),
            "csv" => Arc::new(DelimitedEncoder::new(given.unwrap_or(b','), header)),
            _ => Arc::new(DelimitedEncoder::new(given.unwrap_or(b'\t'), header)),
        }
    }
}

impl GetExt for TextSinkFormat {
    fn get_ext(&self) -> String {
        self.name.to_owned()
    }
}

impl FileFormatFactory for TextSinkFormat {
    fn create(
        &self,
        _state: &dyn Session,
        options: &HashMap<String, String>,
    ) -> Result<Arc<dyn FileFormat>> {
        let mut format = self.clone();
        for (key, value) in options {
            let bare = key.strip_prefix("format.").unwrap_or(key);
            format
                .set(bare, value)
                .map_err(|problem| BiotideError::Option {
                    key: bare.to_owned(),
                    value: value.clone(),
                    problem,
                })?;
        }
        Ok(Arc::new(format))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl FileFormat for TextSinkFormat {
    fn get_ext(&self) -> String {
        format!("{}{}", self.name, if self.gzip { ".gz" } else { "" })
    }

    fn get_ext_with_compression(&self, _compression: &FileCompressionType) -> Result<String> {
        Ok(FileFormat::get_ext(self))
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        _objects: &[ObjectMeta],
    ) -> Result<arrow::datatypes::SchemaRef> {
        not_impl_err!(
            "{} is read by CREATE EXTERNAL TABLE or by its path",
            self.name
        )
    }

    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        table_schema: arrow::datatypes::SchemaRef,
        _object: &ObjectMeta,
    ) -> Result<Statistics> {
        Ok(Statistics::new_unknown(&table_schema))
    }

    async fn create_physical_plan(
        &self,
        _state: &dyn Session,
        _config: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        not_impl_err!(
            "{} is read by CREATE EXTERNAL TABLE or by its path",
            self.name
        )
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        state: &dyn Session,
        config: FileSinkConfig,
        order: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.streams() {
            let sink = file::TextSink::new(config, Some(self.encoder()), self.gzip);
            return Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), order)));
        }
        if !config.table_partition_cols.is_empty() {
            let problem = "a set of mappings is one file: write it without partitions";
            return Err(BiotideError::file("writing SSSOM", problem).into());
        }
        // (That of the input may not tell what the set says.)
        let ordering = sssom::ordering(config.output_schema());
        let identifiers = state.config().get_extension::<SessionIdentifiers>();
        let delimiter = self.options.delimiter.as_ref().and_then(Delimiter::byte);
        let sink = file::TextSink::new(config, None, self.gzip)
            .with_set(identifiers, delimiter.unwrap_or(b'\t'));
        let (input, order): (Arc<dyn ExecutionPlan>, _) = match ordering {
            Some(ordering) => {
                let order = LexRequirement::from(ordering.clone());
                (Arc::new(SortExec::new(ordering, input)), Some(order))
            }
            None => (input, order),
        };
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), order)))
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        // Never scanned: a format made from its name alone knows no file. Planning says so.
        let layout = Arc::new(DelimitedLayout::of_no_file());
        let options = Arc::new(self.options.clone());
        Arc::new(TextSource::new(self.name, layout, options, table_schema))
    }
}
