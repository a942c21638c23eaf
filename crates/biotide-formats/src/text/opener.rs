//! Opens files: finds how each is read, and streams its batches.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use biotide_common::BiotideError;
use biotide_common::options::Compression;
use biotide_common::scan::ScanStats;
use biotide_common::session::QueryLog;
use biotide_text::chunk::RowFilter;
use biotide_text::delimited::NOTES_BYTES;
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::SpawnedTask;
use datafusion_datasource::PartitionedFile;
use datafusion_datasource::file_stream::{FileOpenFuture, FileOpener};
use datafusion_physical_plan::metrics::Count;
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
use super::pace::{Memory, Pace, waiting_bytes};
use super::rows_left::RowsLeft;
use super::source::TextSource;
use super::stream_scan::StreamScan;
use super::verdict::Verdict;
use super::worker::Worker;
use crate::compress::Codec;
use crate::spec::{FileStart, TextLayout};

/// The files of one run. Each is opened by a task of its own: a partition that waits for it does not
/// depend on a sibling that came first and may not be polled again.
#[derive(Debug, Default)]
pub(super) struct Files(Mutex<HashMap<String, Opening>>);

type Opening = Shared<BoxFuture<'static, std::result::Result<Arc<OpenFile>, Arc<DataFusionError>>>>;

/// A file as its first partition found it.
#[derive(Debug)]
enum OpenFile {
    Anywhere(Arc<FileScan>),
    /// Taken by the one partition that reads it.
    Stream(tokio::sync::Mutex<Option<Box<StreamScan>>>),
}

/// Opens the files of one partition.
#[derive(Debug, Clone)]
pub(super) struct TextOpener {
    pub(super) source: TextSource,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) files: Arc<Files>,
    pub(super) log: Arc<QueryLog>,
    pub(super) memory: Memory,
    /// Partitions of the scan: so many workers may read a file.
    pub(super) partitions: usize,
    pub(super) ranges: Arc<HashMap<Path, Vec<(u64, u64)>>>,
    pub(super) bytes_scanned: Count,
    pub(super) rows_rejected: Count,
    /// Whether LIMIT may end the scan.
    pub(super) limited: bool,
    /// Rows that may be taken yet, of all files together.
    pub(super) rows_left: Option<RowsLeft>,
}

impl FileOpener for TextOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let opener = self.clone();
        Ok(Box::pin(async move {
            let opening = {
                let mut files = opener.files.0.lock();
                let entry = files.entry(opener.source.name_of(&file));
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
        let name = self.source.name_of(file);
        let layout = &self.source.layout;
        let mut source =
            ChunkSource::open(Arc::clone(&self.store), &file.object_meta, name.clone()).await?;
        let stored = source.size();
        let mut head = Vec::new();
        source.read(0, 64 << 10, &mut head).await?;
        let option = self.source.options.compression.unwrap_or(Compression::Auto);
        let mut codec = Codec::of(&name, option, &head)?;
        let encoding = layout.transcoded_from();
        let stats = Arc::new(ScanStats {
            table: self.source.options.table,
            ..ScanStats::new(name.clone(), stored)
        });
        let whole = vec![(0, stored)];
        let mut ranges = self.ranges.get(file.path()).unwrap_or(&whole);
        let all = vec![(0, u64::MAX)];
        let has_all = ranges.iter().map(|(from, to)| to - from).sum::<u64>() >= stored;
        // (Of what another process reads a part, this one cannot know which blocks that is.)
        if encoding.is_none() && has_all && source.unpack(codec, &head).await? {
            codec = Codec::None;
            ranges = &all;
            head.clear();
            source.read(0, 64 << 10, &mut head).await?;
        }
        self.log.add_scan(Arc::clone(&stats));
        if codec == Codec::None && encoding.is_none() {
            let start = loop {
                let read = head.len() as u64;
                if let Some(start) = layout.start(&name, &head, read == source.size())? {
                    break start;
                }
                source.read(read, read + (1 << 20), &mut head).await?;
            };
            if layout.reads_anywhere(start.variant) {
                if let Some(end) = start.end {
                    source.cut(end);
                }
                if let Some(lines) = self.source.options.skip_footer.filter(|&lines| lines > 0) {
                    let newline = layout.record_end(start.variant).byte();
                    source.cut_lines(lines, newline, start.offset).await?;
                }
                let notes = notes_below(&source, &**layout, &start).await?;
                let pace = self.pace(&name, Some(source.size())).await?;
                let source = Arc::new(source);
                let ahead = self.rows_left().is_none() && self.source.ordered.is_some();
                let verdict = self.verdict(stats, &start).ahead(ahead);
                let layout = Arc::clone(layout);
                let scan = FileScan::new(source, layout, verdict, start, notes, ranges, pace);
                return Ok(OpenFile::Anywhere(Arc::new(scan)));
            }
        }
        if self
            .source
            .options
            .skip_footer
            .is_some_and(|lines| lines > 0)
        {
            let problem = "skip_footer needs a file that can be read from its end: unpack it first, or leave \
                           its last rows out by a condition";
            return Err(BiotideError::file(name, problem).into());
        }
        let source = Arc::new(source);
        let pace = self.pace(&name, None).await?;
        let mut ahead = Ahead::start(Arc::clone(&source), codec, encoding, pace.level());
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
        let left = self.rows_left();
        let verdict = self.verdict(stats, &start);
        let layout = Arc::clone(layout);
        let scan = StreamScan::new(source, layout, verdict, ahead, text, start, left, pace);
        Ok(OpenFile::Stream(tokio::sync::Mutex::new(Some(Box::new(
            scan,
        )))))
    }

    /// Rows that may be taken of a file, if they are bounded.
    fn rows_left(&self) -> Option<RowsLeft> {
        let of_file = || self.source.options.max_rows.map(RowsLeft::new);
        self.rows_left.clone().or_else(of_file)
    }

    /// Reserves memory for a file, of this size if it can be read anywhere.
    async fn pace(&self, file: &str, size: Option<u64>) -> Result<Pace> {
        let wanted = self.source.wanted(&self.memory, self.partitions, size);
        Pace::reserve(self.memory.clone(), Arc::clone(&self.log), file, wanted).await
    }

    fn verdict(&self, stats: Arc<ScanStats>, start: &FileStart) -> Verdict {
        stats.lines_before.store(start.lines, Ordering::Relaxed);
        let least = self.source.layout.min_record_bytes(start.variant);
        Verdict::new(stats, Arc::clone(&self.log), &self.source.options, least)
    }

    fn worker(&self, variant: usize) -> Result<Worker> {
        let schema = self.source.table_schema.file_schema();
        let predicate = self.source.predicate.as_ref();
        let predicate = predicate
            .map(|expr| Predicate::new(expr, schema))
            .transpose()?;
        let projection = &self.source.projection.file_indices;
        let mut reader = self.source.layout.reader(variant, projection)?;
        if let Some(predicate) = &predicate {
            reader.expect_filter(predicate.columns());
        }
        Ok(Worker {
            reader,
            predicate,
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
                let variant = scan.variant;
                match (self.rows_left(), self.source.ordered) {
                    (Some(left), _) => Ok(limited(scan, self.worker(variant)?, left)),
                    (None, Some(workers)) => self.ordered(scan, workers),
                    (None, None) => Ok(unordered(scan, self.worker(variant)?, self.limited)),
                }
            }
            OpenFile::Stream(scan) => match scan.lock().await.take() {
                Some(scan) => {
                    let worker = self.worker(scan.variant())?;
                    Ok(sequential(*scan, worker))
                }
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
        let most = waiting_bytes(&self.memory.pool) / scan.pace.most();
        let most = usize::try_from(most).unwrap_or(1);
        let window = (workers + waiting.min(workers * 2)).min(most.max(1));
        let workers: Vec<Worker> = (0..workers)
            .map(|_| self.worker(scan.variant))
            .collect::<Result<_>>()?;
        let rows = batches(ordered(&scan, workers, window, !self.limited));
        let verdict = stream::once(async move { scan.finish().await });
        let verdict = verdict.filter_map(async |done| done.err().map(Err));
        Ok(rows.chain(verdict).boxed())
    }
}

/// Where notes below the table start, in a file that is read anywhere.
async fn notes_below(
    source: &ChunkSource,
    layout: &dyn TextLayout,
    start: &FileStart,
) -> Result<Option<u64>> {
    if !layout.finds_notes() {
        return Ok(None);
    }
    let from = source.size().saturating_sub(NOTES_BYTES as u64);
    let from = from.max(start.offset);
    let mut tail = Vec::new();
    source.read(from, source.size(), &mut tail).await?;
    let found = layout.notes_below(start.variant, &tail, from == start.offset);
    Ok(found.map(|at| from + at as u64))
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
            let Some((_, unit)) = scan.take() else {
                return Ok(None);
            };
            let (batches, _) = worker.process(&scan, unit, None).await?;
            if scan.passed(unit, !limited)? {
                scan.finish().await?;
            }
            Ok(Some((batches, (scan, worker, limited))))
        },
    ))
}

/// Units one after the other until there are `max_rows` rows. What is behind the last of them is not judged.
fn limited(
    scan: Arc<FileScan>,
    worker: Worker,
    left: RowsLeft,
) -> BoxStream<'static, Result<RecordBatch>> {
    batches(stream::try_unfold(
        (scan, worker, left),
        async |(scan, mut worker, left)| {
            if left.get() == 0 {
                return Ok(None);
            }
            let Some((_, unit)) = scan.take() else {
                scan.finish().await?;
                return Ok(None);
            };
            let (batches, rows) = worker.process(&scan, unit, Some(left.get())).await?;
            scan.passed(unit, false)?;
            if left.took(rows) {
                scan.verdict.judge(0)?;
            }
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
