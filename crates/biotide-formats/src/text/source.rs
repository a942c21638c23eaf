//! The file source: what DataFusion scans.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use biotide_common::options::BiotideOptions;
use biotide_common::session::QueryLog;
use datafusion_common::config::ConfigOptions;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{Result, internal_err};
use datafusion_datasource::file::FileSource;
use datafusion_datasource::file_groups::{FileGroup, FileGroupPartitioner};
use datafusion_datasource::file_scan_config::FileScanConfig;
use datafusion_datasource::file_stream::FileOpener;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion_datasource::{PartitionedFile, TableSchema};
use datafusion_physical_expr::projection::ProjectionExprs;
use datafusion_physical_expr::utils::collect_columns;
use datafusion_physical_expr::{LexOrdering, PhysicalExpr, conjunction};
use datafusion_physical_expr_common::physical_expr::is_volatile;
use datafusion_physical_plan::DisplayFormatType;
use datafusion_physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion_physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder};
use object_store::ObjectStore;
use object_store::path::Path;
use parking_lot::Mutex;

use super::ahead::Ahead;
use super::opener::{Files, TextOpener};
use super::pace::{Memory, Wanted, waiting_bytes};
use super::rows_left::RowsLeft;
use crate::formats;
use crate::spec::TextLayout;
use crate::spool::ShownAs;

/// The least and the most bytes of a unit: about one batch.
pub(super) const UNIT_BYTES: std::ops::RangeInclusive<u64> = (128 << 10)..=(1 << 20);

/// Reads text files of one layout.
#[derive(Debug, Clone)]
pub struct TextSource {
    format: &'static str,
    pub(super) layout: Arc<dyn TextLayout>,
    pub(super) options: Arc<BiotideOptions>,
    pub(super) table_schema: TableSchema,
    pub(super) projection: SplitProjection,
    pub(super) predicate: Option<Arc<dyn PhysicalExpr>>,
    pub(super) batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
    /// What the statement gathers; set when the scan is planned.
    log: Option<Arc<QueryLog>>,
    /// Keep the input's order: one partition, decoded by this many workers.
    pub(super) ordered: Option<usize>,
    /// What readers reserve from; set when the scan is planned.
    pub(super) memory: Option<Memory>,
    /// How messages call files: the store's URL, or nothing before a local path.
    pub(super) url_prefix: String,
    /// All files can be read anywhere, whatever their names say.
    splits: bool,
    /// `max_rows` is of all files together, instead of each.
    rows_of_all: bool,
    runs: Arc<Mutex<Run>>,
}

/// The state of one run of a plan. Opening a partition a second time starts another run.
#[derive(Debug, Default)]
struct Run {
    opened: HashSet<usize>,
    files: Arc<Files>,
    rows_left: Option<RowsLeft>,
}

impl TextSource {
    /// A source of files with this layout.
    pub fn new(
        format: &'static str,
        layout: Arc<dyn TextLayout>,
        options: Arc<BiotideOptions>,
        table_schema: TableSchema,
    ) -> Self {
        Self {
            format,
            layout,
            options,
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            predicate: None,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
            log: None,
            ordered: None,
            memory: None,
            url_prefix: String::new(),
            splits: false,
            rows_of_all: false,
            runs: Arc::default(),
        }
    }

    /// Says that all files can be read anywhere, whatever their names say.
    #[must_use]
    pub(super) fn splitting(mut self, splits: bool) -> Self {
        self.splits = splits;
        self
    }

    /// Says whether `max_rows` is of all files together.
    #[must_use]
    pub(super) fn rows_of_all(mut self, rows_of_all: bool) -> Self {
        self.rows_of_all = rows_of_all;
        self
    }

    /// Ties the source to a statement. `ordered`: keep the input's order, with this many workers.
    #[must_use]
    pub(super) fn with_log(
        &self,
        log: Arc<QueryLog>,
        memory: Memory,
        ordered: Option<usize>,
        url_prefix: String,
    ) -> Self {
        let mut source = self.clone();
        source.memory = Some(memory);
        source.log = Some(log);
        source.ordered = ordered;
        source.url_prefix = url_prefix;
        source.runs = Arc::default();
        source
    }

    /// What a file is read with, by `partitions` of them. `size`: of one that can be read anywhere.
    pub(super) fn wanted(&self, memory: &Memory, partitions: usize, size: Option<u64>) -> Wanted {
        let counts_only = self.projection.file_indices.is_empty();
        let chunk_rows = match counts_only {
            true => usize::MAX >> 16,
            false => self.batch_size,
        };
        let unit_bytes = self.unit_bytes(chunk_rows);
        let Some(size) = size else {
            return Wanted {
                units: 1,
                size: u64::MAX,
                unit_bytes,
                ahead: Ahead::MOST_BYTES,
            };
        };
        let (units, ahead) = match self.ordered {
            Some(workers) => (workers.max(1), waiting_bytes(&memory.pool).min(size)),
            None => (partitions, 0),
        };
        Wanted {
            units: units as u64,
            size,
            unit_bytes,
            ahead,
        }
    }

    /// What a scan would reserve; of a compressed file, if it can only be read from its start.
    pub fn would_reserve(&self, config: &FileScanConfig, batch_size: usize) -> Option<Reserve> {
        let source = Self {
            batch_size,
            ..self.clone()
        };
        let memory = source.memory.as_ref()?;
        let partitions = config.file_groups.len();
        let files = config.file_groups.iter().flat_map(FileGroup::iter);
        let anywhere = |file: &PartitionedFile| {
            self.layout.transcoded_from().is_none() && (self.splits || !is_compressed(file))
        };
        let wanted = files.map(|file| {
            let size = anywhere(file).then_some(file.object_meta.size);
            source.wanted(memory, partitions, size)
        });
        let most = wanted.max_by_key(|wanted| wanted.memory(wanted.unit_bytes))?;
        let paths = config.file_groups.iter().flat_map(FileGroup::iter);
        let paths: HashSet<_> = paths.map(PartitionedFile::path).collect();
        Some(Reserve {
            unit_bytes: most.unit_bytes,
            bytes: most.memory(most.unit_bytes) as u64,
            files: paths.len().min(partitions),
        })
    }

    /// How messages call a file: no two files of a scan have one name.
    pub fn name_of(&self, file: &PartitionedFile) -> String {
        match file.extensions.get::<ShownAs>() {
            Some(ShownAs(name)) => name.clone(),
            None => format!("{}{}", self.url_prefix, file.path()),
        }
    }

    /// Whether rows must be taken in order whatever the statement says.
    pub(super) fn needs_order(&self) -> bool {
        self.options.max_rows.is_some() || self.layout.fails_on_error()
    }

    /// Bytes of a unit that holds so many rows.
    pub(super) fn unit_bytes(&self, chunk_rows: usize) -> u64 {
        let bytes = self.layout.mean_record_bytes() * chunk_rows as f64 * 0.95;
        (bytes as u64).clamp(*UNIT_BYTES.start(), *UNIT_BYTES.end())
    }
}

impl FileSource for TextSource {
    fn create_file_opener(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let (Some(log), Some(memory)) = (self.log.clone(), self.memory.clone()) else {
            return internal_err!("a text source is planned by TextFormat::create_physical_plan");
        };
        let (files, rows_left) = {
            let mut run = self.runs.lock();
            if !run.opened.insert(partition) {
                *run = Run::default();
                run.opened.insert(partition);
            }
            let most = self.options.max_rows.filter(|_| self.rows_of_all);
            if let (Some(most), None) = (most, &run.rows_left) {
                run.rows_left = Some(RowsLeft::new(most));
            }
            (Arc::clone(&run.files), run.rows_left.clone())
        };
        let mut ranges: HashMap<Path, Vec<(u64, u64)>> = HashMap::new();
        for file in base_config.file_groups.iter().flat_map(FileGroup::iter) {
            ranges
                .entry(file.path().clone())
                .or_default()
                .push(file.range());
        }
        let counter = |name| MetricBuilder::new(&self.metrics).counter(name, partition);
        let opener: Arc<dyn FileOpener> = Arc::new(TextOpener {
            source: self.clone(),
            store: object_store,
            files,
            log,
            memory,
            partitions: base_config.file_groups.len(),
            ranges: Arc::new(ranges),
            bytes_scanned: counter("bytes_scanned"),
            rows_rejected: counter("rows_rejected"),
            limited: base_config.limit.is_some(),
            rows_left,
        });
        ProjectionOpener::try_new(
            self.projection.clone(),
            opener,
            self.table_schema.file_schema(),
        )
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self {
            batch_size,
            ..self.clone()
        })
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.predicate.clone()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.format
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(predicate) = &self.predicate
            && !matches!(t, DisplayFormatType::TreeRender)
        {
            write!(f, ", predicate={predicate}")?;
        }
        Ok(())
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        // What cannot be read anywhere stays whole. (One that is not named so is read by the first
        // partition that opens it.)
        if self.ordered.is_some()
            || self.layout.transcoded_from().is_some()
            || !self.splits
                && config
                    .file_groups
                    .iter()
                    .flat_map(FileGroup::iter)
                    .any(is_compressed)
        {
            return Ok(None);
        }
        let groups = FileGroupPartitioner::new()
            .with_target_partitions(target_partitions)
            .with_repartition_file_min_size(repartition_file_min_size)
            .with_preserve_order_within_groups(output_ordering.is_some())
            .repartition_file_groups(&config.file_groups);
        Ok(groups.map(|file_groups| {
            let mut config = config.clone();
            config.file_groups = file_groups;
            config
        }))
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let file_columns = self.table_schema.file_schema().fields().len();
        // max_rows counts rows before any filter.
        let takes = |filter: &Arc<dyn PhysicalExpr>| {
            self.options.max_rows.is_none()
                && !is_volatile(filter)
                && collect_columns(filter)
                    .iter()
                    .all(|column| column.index() < file_columns)
        };
        let taken: Vec<bool> = filters.iter().map(takes).collect();
        let answers = taken
            .iter()
            .map(|&t| if t { PushedDown::Yes } else { PushedDown::No });
        let answers = FilterPushdownPropagation::with_parent_pushdown_result(answers.collect());
        if !taken.contains(&true) {
            return Ok(answers);
        }
        let new = filters
            .into_iter()
            .zip(taken)
            .filter_map(|(filter, taken)| taken.then_some(filter));
        let all = self.predicate.iter().cloned().chain(new);
        let source = Self {
            predicate: Some(conjunction(all)),
            ..self.clone()
        };
        Ok(answers.with_updated_node(Arc::new(source)))
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self {
            projection,
            ..self.clone()
        })))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let projection = self
            .projection
            .source
            .iter()
            .map(|projection| &projection.expr);
        for expr in self.predicate.iter().chain(projection) {
            if f(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }
}

fn is_compressed(file: &PartitionedFile) -> bool {
    let path = file.path().as_ref();
    formats::COMPRESSED
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// What a scan would reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// Bytes of text that are decoded at a time by each that does.
    pub unit_bytes: u64,
    /// Bytes that are reserved for a file, at most.
    pub bytes: u64,
    /// Files that are read at a time.
    pub files: usize,
}

/// The text source of a scan, if it is one.
pub(super) fn text_source(source: &Arc<dyn FileSource>) -> Option<&TextSource> {
    (&**source as &dyn Any).downcast_ref()
}
