//! The loop.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use biotide_formats::sink::resumable::Durable;
use datafusion::arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use serde::Serialize;

use super::RowSink;
use super::ahead::{Ahead, Room};
use super::chunks::{Chunks, ChunksReport};
use crate::error::Result;
use crate::monitor::Monitor;

/// Where rows come slowly they are made durable after this time, however few they are.
const COMMIT_ANYWAY: Duration = Duration::from_secs(10);

/// How rows are pumped.
#[derive(Debug, Clone)]
pub(crate) struct PumpOptions {
    /// Rows that are durable already: so many are left out first.
    pub(crate) skip: u64,
    /// After how many rows the sink makes them durable, and at the end; `None`: the sink is not told to.
    pub(crate) commit_rows: Option<u64>,
    /// They are not made durable sooner than that after the last time: it costs the disk's time.
    pub(crate) commit_after: Duration,
    /// Rows of a chunk.
    pub(crate) chunk_rows: usize,
    /// Rows that may wait for the sink, and their bytes.
    pub(crate) waiting_rows: usize,
    pub(crate) waiting_bytes: usize,
    /// After how many rows it is told how far it is, if it is.
    pub(crate) progress_rows: Option<u64>,
}

/// Hears how far it is.
pub(crate) trait Watch: Send {
    /// So many rows are durable, those that were left out included. `all`: there are no more.
    fn durable(&mut self, _rows: u64, _file: Option<Durable>, _all: bool) -> Result<()> {
        Ok(())
    }

    /// The sink has passed a multiple of `progress_rows`.
    fn passed(&mut self, _rows: u64, _since: Instant) {}
}

/// Nobody.
impl Watch for () {}

/// What the time went to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FlowReport {
    /// Seconds from the first row that was asked for to the last that was taken.
    pub seconds: f64,
    /// Seconds that the sink waited for rows.
    pub waiting_for_rows: f64,
    /// Seconds that rows waited for the sink, and nothing was read.
    pub waiting_for_sink: f64,
    /// How often they did.
    pub backpressure_events: u64,
    /// Seconds that the task at the end of the plan was at work: of a plan that keeps the order, all steps.
    pub steps: f64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Pumped {
    pub(crate) chunks: ChunksReport,
    pub(crate) flow: FlowReport,
}

/// Leaves out rows that are written already.
fn rest(batch: RecordBatch, skip: &mut u64) -> Option<RecordBatch> {
    let rows = batch.num_rows() as u64;
    if *skip >= rows {
        *skip -= rows;
        return None;
    }
    let from = usize::try_from(std::mem::take(skip)).unwrap_or(usize::MAX);
    Some(match from {
        0 => batch,
        from => batch.slice(from, batch.num_rows() - from),
    })
}

/// Writes all rows.
pub(crate) async fn pump(
    rows: SendableRecordBatchStream,
    sink: &mut dyn RowSink,
    options: &PumpOptions,
    monitor: &Monitor,
    watch: &mut dyn Watch,
) -> Result<Pumped> {
    let begin = Instant::now();
    let most = Room {
        rows: options.waiting_rows,
        bytes: options.waiting_bytes,
    };
    let mut ahead = Ahead::start(rows, most, monitor.clone());
    let mut pumping = Pumping {
        sink,
        options,
        monitor,
        watch,
        begin,
        waited: Duration::ZERO,
        chunks: Chunks::new(options.chunk_rows as u64, options.skip),
    };
    if let Err(error) = pumping.all(&mut ahead).await {
        ahead.stop().await;
        return Err(error);
    }
    let (steps, waiting_for_sink) = ahead.seconds();
    let Pumping { waited, chunks, .. } = pumping;
    let errors = monitor.chunk_errors(chunks.rows(), options.chunk_rows as u64)?;
    Ok(Pumped {
        chunks: chunks.finish(monitor.reserved(), &errors),
        flow: FlowReport {
            seconds: begin.elapsed().as_secs_f64(),
            waiting_for_rows: waited.as_secs_f64(),
            waiting_for_sink,
            backpressure_events: monitor.backpressure_events(),
            steps,
        },
    })
}

struct Pumping<'a> {
    sink: &'a mut dyn RowSink,
    options: &'a PumpOptions,
    monitor: &'a Monitor,
    watch: &'a mut dyn Watch,
    begin: Instant,
    /// How long the sink has waited for rows.
    waited: Duration,
    chunks: Chunks,
}

impl Pumping<'_> {
    async fn all(&mut self, ahead: &mut Ahead) -> Result<()> {
        let mut skip = self.options.skip;
        let (mut total, mut since) = (skip, 0);
        let (mut last, mut committed) = (self.begin, self.begin);
        let every = self.options.commit_rows;
        let least = self.options.commit_after;
        let is_due = |since: u64, committed: Instant| {
            let time = committed.elapsed();
            let enough = |every| since >= every && time >= least;
            every.is_some_and(|every| enough(every) || time >= COMMIT_ANYWAY)
        };
        loop {
            let asked = Instant::now();
            let next = ahead.next().await?;
            self.waited += asked.elapsed();
            let Some(batch) = next else {
                break;
            };
            let Some(batch) = rest(batch, &mut skip) else {
                last = Instant::now();
                continue;
            };
            self.sink.write(&batch).await?;
            let rows = batch.num_rows() as u64;
            total += rows;
            since += rows;
            self.took(rows, total, last.elapsed());
            last = Instant::now();
            if is_due(since, committed) {
                let file = self.sink.commit().await?;
                self.watch.durable(total, file, false)?;
                (since, committed) = (0, Instant::now());
            }
        }
        if self.options.commit_rows.is_some() {
            let file = self.sink.commit().await?;
            self.watch.durable(total, file, true)?;
        }
        Ok(())
    }

    /// The sink took rows, and has `total` of them.
    fn took(&mut self, rows: u64, total: u64, time: Duration) {
        self.monitor.flow().rows.fetch_add(rows, Ordering::Relaxed);
        self.chunks.add(rows, time, self.monitor.reserved());
        if let Some(every) = self.options.progress_rows
            && total / every.max(1) > (total - rows) / every.max(1)
        {
            self.watch.passed(total, self.begin);
        }
    }
}
