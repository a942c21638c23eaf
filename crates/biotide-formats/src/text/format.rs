//! The file format: what DataFusion plans with.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
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

use super::source::{TextSource, text_source};
use crate::spec::TextLayout;

/// A text format with a layout that is known. Plain data: options and layout.
#[derive(Debug, Clone)]
pub struct TextFormat {
    name: &'static str,
    layout: Arc<dyn TextLayout>,
    options: Arc<BiotideOptions>,
    /// The files in the order in which they were asked for.
    order: Arc<Vec<datafusion_datasource::ListingTableUrl>>,
}

impl TextFormat {
    /// The format of tables with this layout, read from `order`.
    pub fn new(
        name: &'static str,
        layout: Arc<dyn TextLayout>,
        options: Arc<BiotideOptions>,
        order: Vec<datafusion_datasource::ListingTableUrl>,
    ) -> Self {
        Self {
            name,
            layout,
            options,
            order: Arc::new(order),
        }
    }

    /// All files in one group: as they were asked for, and by name where a glob gave them.
    fn in_order(&self, groups: &[FileGroup]) -> FileGroup {
        let mut files: Vec<_> = groups.iter().flat_map(FileGroup::iter).cloned().collect();
        let place = |path: &_| self.order.iter().position(|url| url.contains(path, false));
        files.sort_by_cached_key(|file| (place(file.path()), file.path().to_string()));
        FileGroup::new(files)
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

    /// Estimates, never exact: an exact row count would answer `count(*)` without a scan, and then no
    /// bad row would be found.
    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<Statistics> {
        let rows = object.size as f64 / self.layout.mean_record_bytes();
        let mut statistics = Statistics::new_unknown(&table_schema);
        statistics.num_rows = Precision::Inexact(rows as usize);
        statistics.total_byte_size =
            Precision::Inexact(usize::try_from(object.size).unwrap_or(usize::MAX));
        Ok(statistics)
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
                Arc::new(QueryLog::new(std::env::temp_dir(), false))
            });
        let ordered = (log.ordered || source.needs_order()).then(|| {
            let workers = std::thread::available_parallelism().map_or(1, usize::from);
            source.options().max_concurrent_chunks.unwrap_or(workers)
        });
        let store = config.object_store_url.as_str();
        let prefix = if store.starts_with("file:") {
            "/"
        } else {
            store
        };
        let source = source.with_log(log, ordered, prefix.to_owned());
        let groups = config.file_groups.clone();
        let mut builder = FileScanConfigBuilder::from(config).with_source(Arc::new(source));
        if ordered.is_some() {
            // A declared partitioning keeps DataFusion from cutting and mixing the scan.
            builder = builder
                .with_file_groups(vec![self.in_order(&groups)])
                .with_output_partitioning(Some(Partitioning::UnknownPartitioning(1)));
        }
        Ok(DataSourceExec::from_data_source(builder.build()))
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        let (layout, options) = (Arc::clone(&self.layout), Arc::clone(&self.options));
        Arc::new(TextSource::new(self.name, layout, options, table_schema))
    }
}
