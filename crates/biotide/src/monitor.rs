//! Live numbers of a running statement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use biotide_common::session::QueryLog;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use parking_lot::Mutex;

use crate::error::Result;
use crate::memory::pool::Meter;
use crate::pipeline::measure::{self, StepNumbers};
use crate::rejects::errors_by_chunk;

/// Reads the counts of a statement while it runs. Cheap to clone and to ask.
#[derive(Debug, Clone)]
pub struct Monitor {
    log: Arc<QueryLog>,
    meter: Arc<Meter>,
    total: Arc<AtomicU64>,
    /// What runs.
    plan: Arc<Mutex<Option<Arc<dyn ExecutionPlan>>>>,
    flow: Arc<Flow>,
}

/// What goes from a statement to the sink of a pipeline. (Relaxed: nothing is read through them.)
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// Rows that the sink has taken.
    pub(crate) rows: AtomicU64,
    /// Times that rows were there before the sink could take them.
    pub(crate) pressed: AtomicU64,
}

impl Monitor {
    pub(crate) fn new(log: Arc<QueryLog>, meter: Arc<Meter>) -> Self {
        Self {
            log,
            meter,
            total: Arc::default(),
            plan: Arc::default(),
            flow: Arc::default(),
        }
    }

    /// Bytes that operators and readers of the session have reserved.
    pub fn reserved(&self) -> u64 {
        self.meter.reserved_now()
    }

    /// What the process holds, in bytes.
    pub fn memory(&self) -> u64 {
        self.meter.held()
    }

    /// The bad records that were set aside until now, by chunks of so many of the rows that a sink has taken.
    pub(crate) fn chunk_errors(&self, rows: u64, chunk_rows: u64) -> Result<BTreeMap<u64, u64>> {
        if rows == 0 || self.rejected() == 0 {
            return Ok(BTreeMap::new());
        }
        let plan = self.plan.lock().clone();
        errors_by_chunk(&self.log, plan.as_ref(), rows, chunk_rows)
    }

    /// Where a sink counts what it takes.
    pub(crate) fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Rows that a sink of a pipeline has taken; 0 of other statements.
    pub fn written(&self) -> u64 {
        self.flow.rows.load(Ordering::Relaxed)
    }

    /// How often rows for the sink of a pipeline were there before it could take them.
    pub fn backpressure_events(&self) -> u64 {
        self.flow.pressed.load(Ordering::Relaxed)
    }

    /// Takes the size of all inputs from the plan.
    pub(crate) fn planned(&self, plan: &Arc<dyn ExecutionPlan>) {
        self.total.store(input_bytes(plan), Ordering::Relaxed);
        *self.plan.lock() = Some(Arc::clone(plan));
    }

    /// What operators have spilled so far.
    pub fn spilled(&self) -> Spilled {
        self.plan
            .lock()
            .as_ref()
            .map_or_else(Spilled::default, spilled)
    }

    /// What the steps of a pipeline have done until now, in the order in which rows flow; none of other statements.
    pub fn steps(&self) -> Vec<StepNumbers> {
        self.plan.lock().as_ref().map_or_else(Vec::new, measure::of)
    }

    /// How often readers waited for memory, or made do with less.
    pub fn slowed(&self) -> u64 {
        let pace = self.log.pace.report();
        pace.waits + pace.shrunk
    }

    /// Bytes of the inputs read so far.
    pub fn bytes_done(&self) -> u64 {
        self.log.report().bytes
    }

    /// Bytes of all inputs; 0 before the statement is planned.
    pub fn bytes_total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Records read so far, each as often as it was read.
    pub fn records(&self) -> u64 {
        self.log.report().records
    }

    /// Records rejected so far, each as often as it was read: a file or dataset that is used twice may be read twice.
    /// (The report of the statement counts it once.)
    pub fn rejected(&self) -> u64 {
        self.log.report().rejected
    }
}

/// What operators wrote to disk because it did not fit into memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spilled {
    /// Bytes, as they were written.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

fn spilled(plan: &Arc<dyn ExecutionPlan>) -> Spilled {
    let mut sum = Spilled::default();
    if let Some(metrics) = plan.metrics() {
        sum.bytes = metrics.spilled_bytes().unwrap_or(0) as u64;
        sum.files = metrics.spill_count().unwrap_or(0) as u64;
    }
    for child in plan.children() {
        let below = spilled(child);
        sum.bytes += below.bytes;
        sum.files += below.files;
    }
    sum
}

fn input_bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let own = plan
        .downcast_ref::<DataSourceExec>()
        .and_then(|exec| exec.data_source().downcast_ref::<FileScanConfig>())
        .map_or(0, |config| {
            let files = config.file_groups.iter().flat_map(|group| group.iter());
            files.map(|file| file.effective_size()).sum()
        });
    own + plan.children().into_iter().map(input_bytes).sum::<u64>()
}
