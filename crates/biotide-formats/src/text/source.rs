//! The file source: what DataFusion scans.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use biotide_common::options::{BiotideOptions, Compression};
use biotide_common::scan::ScanStats;
use biotide_common::session::QueryLog;
use datafusion_common::config::ConfigOptions;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{DataFusionError, Result, internal_err};
use datafusion_common_runtime::SpawnedTask;
use datafusion_datasource::file::FileSource;
use datafusion_datasource::file_groups::{FileGroup, FileGroupPartitioner};
use datafusion_datasource::file_scan_config::FileScanConfig;
use datafusion_datasource::file_stream::{FileOpenFuture, FileOpener};
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion_datasource::{PartitionedFile, TableSchema};
use datafusion_physical_expr::projection::ProjectionExprs;
use datafusion_physical_expr::utils::collect_columns;
use datafusion_physical_expr::{LexOrdering, PhysicalExpr, conjunction};
use datafusion_physical_expr_common::physical_expr::is_volatile;
use datafusion_physical_plan::DisplayFormatType;
use datafusion_physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion_physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use futures::future::{BoxFuture, FutureExt, Shared};
use futures::stream::{self, BoxStream, StreamExt};
use object_store::ObjectStore;
use object_store::path::Path;
use parking_lot::Mutex;

use super::ahead::Ahead;
use super::chunk_source::ChunkSource;
use super::file_scan::FileScan;
use super::filter::Predicate;
use super::ordered::ordered;
use super::stream_scan::StreamScan;
use super::verdict::Verdict;
use super::worker::Worker;
use crate::compress::Codec;
use crate::formats;
use crate::spec::TextLayout;
use crate::spool::ShownAs;

/// The least and the most bytes of a unit: about one batch.
const UNIT_BYTES: std::ops::RangeInclusive<u64> = (128 << 10)..=(1 << 20);

/// The most bytes of units that may wait where the order is kept.
const WAITING_BYTES: u64 = 32 << 20;

/// Reads text files of one layout.
#[derive(Debug, Clone)]
pub struct TextSource {
    format: &'static str,
    layout: Arc<dyn TextLayout>,
    options: Arc<BiotideOptions>,
    table_schema: TableSchema,
    projection: SplitProjection,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
    /// What the statement gathers; set when the scan is planned.
    log: Option<Arc<QueryLog>>,
    /// Keep the input's order: one partition, decoded by this many workers.
    ordered: Option<usize>,
    /// How messages call files: the store's URL, or nothing before a local path.
    url_prefix: String,
    runs: Arc<Mutex<Run>>,
}

/// The state of one run of a plan. Opening a partition a second time starts another run.
#[derive(Debug, Default)]
struct Run {
    opened: HashSet<usize>,
    files: Arc<Files>,
}

/// The files of one run. Each is opened by a task of its own: a partition that waits for it does not
/// depend on a sibling that came first and may not be polled again.
#[derive(Debug, Default)]
struct Files(Mutex<HashMap<Path, Opening>>);

type Opening = Shared<BoxFuture<'static, std::result::Result<Arc<OpenFile>, Arc<DataFusionError>>>>;

/// A file as its first partition found it.
#[derive(Debug)]
enum OpenFile {
    Anywhere(Arc<FileScan>),
    /// Taken by the one partition that reads it.
    Stream(tokio::sync::Mutex<Option<Box<StreamScan>>>),
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
            url_prefix: String::new(),
            runs: Arc::default(),
        }
    }

    /// Ties the source to a statement. `ordered`: keep the input's order, with this many workers.
    #[must_use]
    pub fn with_log(&self, log: Arc<QueryLog>, ordered: Option<usize>, url_prefix: String) -> Self {
        let mut source = self.clone();
        source.log = Some(log);
        source.ordered = ordered;
        source.url_prefix = url_prefix;
        source.runs = Arc::default();
        source
    }

    /// Whether rows must be taken in order whatever the statement says.
    pub(super) fn needs_order(&self) -> bool {
        self.options.max_rows.is_some() || self.layout.fails_on_error()
    }

    /// The options the source reads with.
    pub(super) fn options(&self) -> &BiotideOptions {
        &self.options
    }

    fn unit_bytes(&self, chunk_rows: usize) -> u64 {
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
        let Some(log) = self.log.clone() else {
            return internal_err!("a text source is planned by TextFormat::create_physical_plan");
        };
        let files = {
            let mut run = self.runs.lock();
            if !run.opened.insert(partition) {
                *run = Run::default();
                run.opened.insert(partition);
            }
            Arc::clone(&run.files)
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
            ranges: Arc::new(ranges),
            bytes_scanned: counter("bytes_scanned"),
            rows_rejected: counter("rows_rejected"),
            limited: base_config.limit.is_some(),
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
        let compressed = |file: &PartitionedFile| {
            let path = file.path().as_ref();
            formats::COMPRESSED
                .iter()
                .any(|ending| path.ends_with(ending))
        };
        if self.ordered.is_some()
            || self.layout.transcoded_from().is_some()
            || config
                .file_groups
                .iter()
                .flat_map(FileGroup::iter)
                .any(compressed)
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

/// Opens the files of one partition.
#[derive(Debug, Clone)]
struct TextOpener {
    source: TextSource,
    store: Arc<dyn ObjectStore>,
    files: Arc<Files>,
    log: Arc<QueryLog>,
    ranges: Arc<HashMap<Path, Vec<(u64, u64)>>>,
    bytes_scanned: Count,
    rows_rejected: Count,
    /// Whether LIMIT may end the scan.
    limited: bool,
}

impl FileOpener for TextOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let opener = self.clone();
        Ok(Box::pin(async move {
            let opening = {
                let mut files = opener.files.0.lock();
                let entry = files.entry(file.path().clone());
                entry
                    .or_insert_with(|| opener.clone().opening(file))
                    .clone()
            };
            let open = opening.await.map_err(DataFusionError::Shared)?;
            opener.stream(&open).await
        }))
    }
}

impl TextOpener {
    fn opening(self, file: PartitionedFile) -> Opening {
        let task = SpawnedTask::spawn(async move { self.open_file(&file).await });
        let joined = async move {
            match task.await {
                Ok(opened) => opened.map(Arc::new).map_err(Arc::new),
                Err(join) => Err(Arc::new(DataFusionError::ExecutionJoin(Box::new(join)))),
            }
        };
        joined.boxed().shared()
    }

    async fn open_file(&self, file: &PartitionedFile) -> Result<OpenFile> {
        let name = match file.extensions.get::<ShownAs>() {
            Some(ShownAs(name)) => name.clone(),
            None => format!("{}{}", self.source.url_prefix, file.path()),
        };
        let layout = &self.source.layout;
        let source =
            ChunkSource::open(Arc::clone(&self.store), &file.object_meta, name.clone()).await?;
        let source = Arc::new(source);
        let mut head = Vec::new();
        source.read(0, 64 << 10, &mut head).await?;
        let option = self.source.options.compression.unwrap_or(Compression::Auto);
        let codec = Codec::of(&name, option, &head)?;
        let encoding = layout.transcoded_from();
        let stats = Arc::new(ScanStats::new(name.clone(), source.size()));
        self.log.add_scan(Arc::clone(&stats));
        let threshold = self.source.options.error_threshold.map(|share| share.0);
        let verdict = Verdict::new(
            stats,
            Arc::clone(&self.log),
            threshold,
            layout.min_record_bytes(),
        );
        let counts_only = self.source.projection.file_indices.is_empty();
        let chunk_rows = if counts_only {
            usize::MAX >> 16
        } else {
            self.source.batch_size
        };
        let unit_bytes = self.source.unit_bytes(chunk_rows);
        if codec == Codec::None && encoding.is_none() {
            let start = loop {
                let read = head.len() as u64;
                if let Some(start) = layout.start(&name, &head, read == source.size())? {
                    break start;
                }
                source.read(read, read + (1 << 20), &mut head).await?;
            };
            let whole = vec![(0, source.size())];
            let ranges = self.ranges.get(file.path()).unwrap_or(&whole);
            let layout = Arc::clone(layout);
            let scan = FileScan::new(source, layout, verdict, start, ranges, unit_bytes);
            return Ok(OpenFile::Anywhere(Arc::new(scan)));
        }
        let mut ahead = Ahead::start(Arc::clone(&source), codec, encoding);
        let mut text = Vec::new();
        let mut eof = false;
        let start = loop {
            match ahead.next().await? {
                Some(mut block) => text.append(&mut block),
                None => eof = true,
            }
            if let Some(start) = layout.start(&name, &text, eof)? {
                break start;
            }
        };
        let max_rows = self.source.options.max_rows;
        let unit_bytes = usize::try_from(unit_bytes).unwrap_or(usize::MAX);
        let newline = layout.newline();
        let scan = StreamScan::new(
            source, verdict, ahead, text, start, newline, unit_bytes, max_rows,
        );
        Ok(OpenFile::Stream(tokio::sync::Mutex::new(Some(Box::new(
            scan,
        )))))
    }

    fn worker(&self) -> Result<Worker> {
        let schema = self.source.table_schema.file_schema();
        let predicate = self.source.predicate.as_ref();
        Ok(Worker {
            reader: self
                .source
                .layout
                .reader(&self.source.projection.file_indices)?,
            predicate: predicate
                .map(|expr| Predicate::new(expr, schema))
                .transpose()?,
            buffer: Vec::new(),
            batch_rows: self.source.batch_size,
            bytes_scanned: self.bytes_scanned.clone(),
            rows_rejected: self.rows_rejected.clone(),
        })
    }

    async fn stream(&self, file: &OpenFile) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        match file {
            OpenFile::Anywhere(scan) => {
                let scan = Arc::clone(scan);
                match (self.source.options.max_rows, self.source.ordered) {
                    (Some(max_rows), _) => Ok(limited(scan, self.worker()?, max_rows)),
                    (None, Some(workers)) => self.ordered(scan, workers),
                    (None, None) => Ok(unordered(scan, self.worker()?, self.limited)),
                }
            }
            OpenFile::Stream(scan) => match scan.lock().await.take() {
                Some(scan) => Ok(sequential(*scan, self.worker()?)),
                // Another partition reads it.
                None => Ok(stream::empty().boxed()),
            },
        }
    }

    /// Units decoded by `workers` tasks, handed on in file order; then the verdict, so that what LIMIT ends
    /// before is not judged.
    fn ordered(
        &self,
        scan: Arc<FileScan>,
        workers: usize,
    ) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let workers = workers.max(1);
        let waiting = self.source.options.backpressure_threshold.unwrap_or(10);
        // Bounded in bytes too: a unit is decoded to about its own size.
        let most = usize::try_from(WAITING_BYTES / scan.unit_len(0).max(1)).unwrap_or(1);
        let window = (workers + waiting.min(workers * 2)).min(most.max(1));
        let workers: Vec<Worker> = (0..workers).map(|_| self.worker()).collect::<Result<_>>()?;
        let rows = batches(ordered(&scan, workers, window, !self.limited));
        let verdict = stream::once(async move { scan.finish().await });
        let verdict = verdict.filter_map(async |done| done.err().map(Err));
        Ok(rows.chain(verdict).boxed())
    }
}

/// Flattens a stream of chunks.
fn batches(
    chunks: impl futures::Stream<Item = Result<Vec<RecordBatch>>> + Send + 'static,
) -> BoxStream<'static, Result<RecordBatch>> {
    chunks
        .flat_map(|result| {
            stream::iter(match result {
                Ok(batches) => batches.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
        })
        .boxed()
}

/// Units as this partition gets hold of them.
fn unordered(
    scan: Arc<FileScan>,
    worker: Worker,
    limited: bool,
) -> BoxStream<'static, Result<RecordBatch>> {
    batches(stream::try_unfold(
        (scan, worker, limited),
        async |(scan, mut worker, limited)| {
            let Some(unit) = scan.take() else {
                return Ok(None);
            };
            let (batches, _) = worker.process(&scan, unit, None).await?;
            if scan.passed(!limited)? {
                scan.finish().await?;
            }
            Ok(Some((batches, (scan, worker, limited))))
        },
    ))
}

/// Units one after the other until there are `max_rows` rows.
fn limited(
    scan: Arc<FileScan>,
    worker: Worker,
    max_rows: usize,
) -> BoxStream<'static, Result<RecordBatch>> {
    batches(stream::try_unfold(
        (scan, worker, max_rows),
        async |(scan, mut worker, left)| {
            if left == 0 {
                return Ok(None);
            }
            let Some(unit) = scan.take() else {
                scan.finish().await?;
                return Ok(None);
            };
            let (batches, rows) = worker.process(&scan, unit, Some(left)).await?;
            scan.passed(false)?;
            let left = left - usize::try_from(rows).unwrap_or(left).min(left);
            Ok(Some((batches, (scan, worker, left))))
        },
    ))
}

/// A compressed file, from start to end.
fn sequential(scan: StreamScan, worker: Worker) -> BoxStream<'static, Result<RecordBatch>> {
    batches(stream::try_unfold(
        (scan, worker),
        async |(mut scan, mut worker)| {
            let batches = worker.next(&mut scan).await?;
            Ok(batches.map(|batches| (batches, (scan, worker))))
        },
    ))
}

/// The text source of a scan, if it is one.
pub(super) fn text_source(source: &Arc<dyn FileSource>) -> Option<&TextSource> {
    (&**source as &dyn Any).downcast_ref()
}
