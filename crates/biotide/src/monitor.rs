//! Live numbers of a running statement.

use std::collections::{BTreeMap, HashMap};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use biotide_common::reject::RejectRecord;
use biotide_common::session::QueryLog;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use parking_lot::Mutex;

use crate::error::Result;
use crate::memory::pool::Meter;
use crate::pipeline::measure::{self, StepNumbers};
use crate::rejects::SetAside;

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

    /// The bad records that were set aside until now, by chunks of so many of the rows that a sink has taken. Each is in
    /// one chunk, however often it was read.
    ///
    /// Rows are not followed through a plan. So a record is in the chunk that it would have come to if rows of its file
    /// had become those of the sink evenly: where each good one became one, that is its own chunk. The last chunk has
    /// what would come behind it, and what stands in no file.
    pub(crate) fn chunk_errors(&self, rows: u64, chunk_rows: u64) -> Result<BTreeMap<u64, u64>> {
        let mut errors: BTreeMap<u64, u64> = BTreeMap::new();
        let chunk_rows = chunk_rows.max(1);
        if rows == 0 || self.rejected() == 0 {
            return Ok(errors);
        }
        let last = (rows - 1) / chunk_rows;
        let delivered = self.delivered();
        let mut placed = 0;
        let aside = SetAside::of(slice::from_ref(&self.log), |record, is_note| {
            placed += 1;
            if !is_note {
                let delivered = delivered.get(&record.source);
                let row = delivered.map(|&delivered| row_of(record, delivered, rows));
                let chunk = row.map_or(last, |row| last.min(row / chunk_rows));
                *errors.entry(chunk).or_default() += 1;
            }
        })?;
        let elsewhere = aside.rejected.saturating_sub(placed);
        if elsewhere > 0 {
            *errors.entry(last).or_default() += elsewhere;
        }
        Ok(errors)
    }

    /// Rows of each file that readers have handed on: of one that is read several times, those of one time.
    fn delivered(&self) -> HashMap<String, u64> {
        let mut files: HashMap<String, u64> = HashMap::new();
        for scan in self.log.scans() {
            let rows = scan.delivered.load(Ordering::Relaxed);
            let most = files.entry(scan.file.clone()).or_default();
            *most = rows.max(*most);
        }
        files
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

/// The row of a sink's that a bad record would have become, of a file that has given so many others.
fn row_of(record: &RejectRecord, delivered: u64, rows: u64) -> u64 {
    // (Of a row that a step has refused there is the line alone, and the first one has the names of columns.)
    let before = match record.record {
        None => record.line.saturating_sub(2),
        Some(number) => number.saturating_sub(1),
    };
    let row = u128::from(before) * u128::from(rows) / u128::from(delivered.max(1));
    u64::try_from(row).unwrap_or(u64::MAX)
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
