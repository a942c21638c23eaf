//! Rows on their way to one place.

use std::time::{Duration, Instant};

use biotide_formats::sink::resumable::Durable;
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;

use super::inputs::Input;
use super::state::{RunState, SinkState};
use crate::context::BiotideContext;
use crate::error::Result;
use crate::monitor::Monitor;
use crate::pipeline::run::{RunObserver, RunProgress, SinkReport};
use crate::pump::{PumpOptions, Pumped, RowSink, Watch, pump};
use crate::statement::Statement;

/// Rows that are made durable together, where nobody says how many, unless they come faster than that.
const CHECKPOINT_ROWS: u64 = 1_000_000;
const CHECKPOINT_AFTER: Duration = Duration::from_secs(2);

/// So many batches may wait for a sink in any case: with fewer the one stands still for the other.
const WAITING_BATCHES: usize = 4;

/// Of the pool, as a divisor, so much may wait for a sink.
const WAITING_SHARE: usize = 16;

/// How a sink is fed.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Rows of a chunk.
    pub(crate) chunk_rows: usize,
    /// Chunks that may wait for the sink.
    pub(crate) waiting_chunks: usize,
    /// After how many rows it is told how far it is, if it is.
    pub(crate) progress_rows: Option<u64>,
    /// After how many rows they are made durable; 0: a million, and two seconds.
    pub(crate) checkpoint_rows: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            chunk_rows: 1000,
            waiting_chunks: 10,
            progress_rows: None,
            checkpoint_rows: 0,
        }
    }
}

/// Rows on their way to one place.
pub(crate) struct Job<'a> {
    pub(crate) context: &'a BiotideContext,
    pub(crate) session: SessionState,
    /// What the state and reports call it.
    pub(crate) name: &'a str,
    pub(crate) pace: Pace,
    /// Rows may come in any order.
    pub(crate) unordered: bool,
    /// Rows come in the same order each time, so that it can be gone on where it was broken off.
    pub(crate) resumable: bool,
    /// Where it is noted how far it is, and that it is complete.
    pub(crate) state: Option<&'a mut RunState>,
    pub(crate) observer: &'a mut dyn RunObserver,
}

impl Job<'_> {
    /// Whether it can be gone on with.
    pub(super) fn is_resumable(&self) -> bool {
        self.resumable && self.state.is_some()
    }

    /// The statement of a plan.
    pub(super) fn statement(&self, plan: LogicalPlan) -> Statement {
        let context = self.context.clone();
        let mut statement = Statement::of_rows_to_write(context, &self.session, plan);
        if self.unordered {
            statement = statement.unordered();
        }
        statement.count_identifiers();
        statement
    }

    /// How far it is.
    pub(super) fn known(&self, inputs: &[Input]) -> Result<SinkState> {
        match &self.state {
            Some(state) => state.sink(self.name, inputs),
            None => Ok(SinkState::default()),
        }
    }

    /// Reads once more what a place was made of that is complete: what is set aside is told as in a run that was not
    /// broken off. Nothing is written.
    pub(crate) async fn read_again(
        &mut self,
        plan: LogicalPlan,
        report: &mut SinkReport,
    ) -> Result<()> {
        let mut statement = self.statement(plan);
        let mut rows = statement.stream().await?;
        self.observer.sink_started(self.name, &statement.monitor());
        let read = async {
            while rows.try_next().await?.is_some() {}
            Ok::<_, DataFusionError>(())
        }
        .await;
        report.read(statement)?;
        Ok(read?)
    }

    /// Takes notes from now on.
    pub(super) fn noting<'n>(
        &'n mut self,
        to: &'n str,
        inputs: &'n [Input],
        known: SinkState,
    ) -> Noting<'n> {
        Noting {
            name: self.name,
            pace: &self.pace,
            state: self.state.as_deref_mut(),
            observer: &mut *self.observer,
            to,
            inputs,
            waiting_bytes: self.context.meter.budget().pool / WAITING_SHARE,
            known,
            monitor: None,
        }
    }
}

/// Notes how far a sink is, and tells who looks on.
pub(super) struct Noting<'a> {
    name: &'a str,
    pace: &'a Pace,
    state: Option<&'a mut RunState>,
    observer: &'a mut dyn RunObserver,
    to: &'a str,
    inputs: &'a [Input],
    /// So much may wait for the sink.
    waiting_bytes: usize,
    pub(super) known: SinkState,
    monitor: Option<Monitor>,
}

impl Noting<'_> {
    /// Notes how far it is, durably.
    pub(super) fn note(&mut self) -> Result<()> {
        match &mut self.state {
            Some(state) => state.note(self.name, self.to, self.inputs, self.known.clone()),
            None => Ok(()),
        }
    }

    /// Notes that it is complete, with so many rows. `report` tells what was read for it.
    pub(super) fn note_done(&mut self, rows: u64, report: &SinkReport) -> Result<()> {
        (self.known.rows, self.known.done) = (rows, true);
        self.known.clean = report.is_clean();
        self.note()
    }

    /// Notes that all rows were taken, and the sink is told to complete.
    pub(super) fn note_finishing(&mut self) -> Result<()> {
        self.known.finishing = true;
        self.note()
    }

    /// All rows of a statement to a sink, but for the first `skip`. `commits`: it is made durable now and then. What was
    /// read goes into the report, however it ended.
    pub(super) async fn pump(
        &mut self,
        statement: Statement,
        rows: SendableRecordBatchStream,
        sink: &mut dyn RowSink,
        skip: u64,
        commits: bool,
        report: &mut SinkReport,
    ) -> Result<Pumped> {
        let (every, commit_after) = match self.pace.checkpoint_rows {
            0 => (CHECKPOINT_ROWS, CHECKPOINT_AFTER),
            rows => (rows, Duration::ZERO),
        };
        let waiting = self
            .pace
            .waiting_chunks
            .saturating_mul(self.pace.chunk_rows);
        let options = PumpOptions {
            skip,
            commit_rows: commits.then_some(every),
            commit_after,
            chunk_rows: self.pace.chunk_rows,
            waiting_rows: waiting.max(WAITING_BATCHES * statement.batch_size()),
            waiting_bytes: self.waiting_bytes,
            progress_rows: self.pace.progress_rows,
        };
        let monitor = statement.monitor();
        self.observer.sink_started(self.name, &monitor);
        self.monitor = Some(monitor.clone());
        let pumped = pump(rows, sink, &options, &monitor, self).await;
        report.read(statement)?;
        pumped
    }
}

impl Watch for Noting<'_> {
    fn durable(&mut self, rows: u64, file: Option<Durable>, all: bool) -> Result<()> {
        self.known.rows = rows;
        self.known.durable = file;
        self.known.finishing = all;
        self.note()
    }

    fn passed(&mut self, rows: u64, since: Instant) {
        let Some(monitor) = &self.monitor else {
            return;
        };
        let elapsed = since.elapsed();
        let (done, total) = (monitor.bytes_done(), monitor.bytes_total());
        let rest = total.saturating_sub(done) as f64 / done.max(1) as f64;
        let remaining = Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest);
        self.observer.progressed(&RunProgress {
            step: self.name.to_owned(),
            rows,
            rows_per_second: monitor.written() as f64 / elapsed.as_secs_f64().max(1e-9),
            bytes: done,
            bytes_total: total,
            errors: monitor.rejected(),
            backpressure_events: monitor.backpressure_events(),
            memory: monitor.memory(),
            elapsed,
            remaining: remaining.ok().filter(|_| total > 0 && done > 0),
        });
    }
}
