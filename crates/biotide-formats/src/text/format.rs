//! The file format: what DataFusion plans with.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use biotide_common::MemoryGauge;
use biotide_common::options::BiotideOptions;
use biotide_common::session::QueryLog;
use datafusion_common::stats::Precision;
use datafusion_common::{GetExt, Result, Statistics, internal_err};
use datafusion_datasource::TableSchema;
use datafusion_datasource::file::FileSource;
use datafusion_datasource::file_compression_type::FileCompressionType;
use datafusion_datasource::file_format::FileFormat;
use datafusion_datasource::file_groups::FileGroup;
use datafusion_datasource::file_scan_config::{FileScanConfig, FileScanConfigBuilder};
use datafusion_datasource::source::DataSourceExec;
use datafusion_physical_expr::Partitioning;
use datafusion_physical_plan::ExecutionPlan;
use datafusion_session::Session;
use object_store::{ObjectMeta, ObjectStore};

use super::pace::Memory;
use super::source::{TextSource, text_source};
use crate::spec::TextLayout;

/// A text format with a layout that is known. Plain data: options and layout.
#[derive(Debug, Clone)]
pub struct TextFormat {
    pub(crate) name: &'static str,
    layout: Arc<dyn TextLayout>,
    options: Arc<BiotideOptions>,
    /// All files can be read anywhere, whatever their names say.
    splits: bool,
    /// `max_rows` is of all files together, instead of each.
    rows_of_all: bool,
}

impl TextFormat {
    /// The format of tables with this layout.
    pub fn new(
        name: &'static str,
        layout: Arc<dyn TextLayout>,
        options: Arc<BiotideOptions>,
    ) -> Self {
        Self {
            name,
            layout,
            options,
            splits: false,
            rows_of_all: false,
        }
    }

    /// Says that all files can be read anywhere, whatever their names say.
    #[must_use]
    pub fn splitting(mut self, splits: bool) -> Self {
        self.splits = splits;
        self
    }

    /// Says whether `max_rows` is of all files together.
    #[must_use]
    pub fn rows_of_all(mut self, rows_of_all: bool) -> Self {
        self.rows_of_all = rows_of_all;
        self
    }

    /// What so many bytes hold. Estimates, never exact: an exact row count would answer `count(*)`
    /// without a scan, and then no bad row would be found.
    pub fn estimate(&self, bytes: u64, table_schema: &SchemaRef) -> Statistics {
        let rows = bytes as f64 / self.layout.mean_record_bytes();
        let mut statistics = Statistics::new_unknown(table_schema);
        statistics.num_rows = Precision::Inexact(rows as usize);
        statistics.total_byte_size =
            Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX));
        statistics
    }
}

#[async_trait]
impl FileFormat for TextFormat {
    fn get_ext(&self) -> String {
        self.name.to_owned()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        Ok(format!("{}{}", self.name, compression.get_ext()))
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        _objects: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        Ok(self.layout.schema())
    }

    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<Statistics> {
        Ok(self.estimate(object.size, &table_schema))
    }

    async fn create_physical_plan(
        &self,
        state: &dyn Session,
        config: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(source) = text_source(config.file_source()) else {
            return internal_err!("a text format scans a text source");
        };
        let log = state
            .config()
            .get_extension::<QueryLog>()
            .unwrap_or_else(|| {
                // A session that is not Biotide's own: the log lives as long as the plan.
                Arc::new(QueryLog::new(std::env::temp_dir(), false, 1))
            });
        let ordered = (log.ordered || source.needs_order())
            .then(|| source.options.max_concurrent_chunks.unwrap_or(log.threads));
        let store = config.object_store_url.as_str();
        let prefix = if store.starts_with("file:") {
            "/"
        } else {
            store
        };
        let memory = Memory {
            pool: Arc::clone(&state.runtime_env().memory_pool),
            gauge: state.config().get_extension::<MemoryGauge>(),
        };
        let source = source.with_log(log, memory, ordered, prefix.to_owned());
        let groups = config.file_groups.clone();
        let mut builder = FileScanConfigBuilder::from(config).with_source(Arc::new(source));
        if ordered.is_some() {
            // One group: the table hands the files over in order. A declared partitioning keeps
            // DataFusion from cutting and mixing the scan.
            let files = groups.into_iter().flat_map(FileGroup::into_inner);
            builder = builder
                .with_file_groups(vec![FileGroup::new(files.collect())])
                .with_output_partitioning(Some(Partitioning::UnknownPartitioning(1)));
        }
        Ok(DataSourceExec::from_data_source(builder.build()))
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        let (layout, options) = (Arc::clone(&self.layout), Arc::clone(&self.options));
        let source = TextSource::new(self.name, layout, options, table_schema);
        Arc::new(source.splitting(self.splits).rows_of_all(self.rows_of_all))
    }
}
