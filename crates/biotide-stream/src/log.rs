//! What a run did, gathered while it runs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;

use crate::chunk::Chunk;
use crate::errors::{ErrorSummary, Errors, ItemError, StreamError};

/// How a run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing failed.
    Success,
    /// Some items failed, and others were delivered.
    PartialSuccess,
    /// It ended early, or nothing was delivered for errors.
    Failure,
}

/// What became of one chunk.
#[derive(Debug, Clone, Serialize)]
pub struct ChunkResult {
    /// Its number.
    pub chunk: u64,
    /// Rows that it had.
    pub rows_in: u64,
    /// Rows that were made of them.
    pub rows_out: u64,
    /// Errors that were not caught within the same operations.
    pub errors: u64,
    /// Bytes of the rows before and after.
    pub memory_bytes: u64,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// What a processor or sink said at its end.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessorSummary {
    /// Its name.
    pub name: String,
    /// What it said.
    pub summary: serde_json::Value,
}

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct RunSummary {
    /// How it went.
    pub status: Status,
    /// Chunks that were delivered.
    pub chunks: u64,
    /// Rows that were read from sources, some of them perhaps in vain.
    pub rows_read: u64,
    /// Rows that were delivered.
    pub rows: u64,
    /// Tries after the first.
    pub retries: u64,
    /// How often reading waited for operations.
    pub backpressure_events: u64,
    /// Since the first row was asked for.
    pub elapsed_ms: u64,
    /// All errors.
    pub errors: ErrorSummary,
    /// What processors and sinks said at their end.
    pub processors: Vec<ProcessorSummary>,
    /// The last chunks that operations worked on.
    pub chunk_results: Vec<ChunkResult>,
    /// Chunks before those.
    pub chunk_results_dropped: u64,
}

/// How much a log keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLimits {
    /// Errors in detail. All are counted.
    pub max_error_details: usize,
    /// Whether alike errors are one.
    pub aggregate_similar_errors: bool,
    /// Results of chunks, the last ones.
    pub max_chunk_results: usize,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self {
            max_error_details: 100,
            aggregate_similar_errors: true,
            max_chunk_results: 1000,
        }
    }
}

/// Gathers what a run does, in bounded memory. It can be read while the run goes on.
#[derive(Debug)]
pub struct RunLog {
    pub(crate) counters: Counters,
    inner: Mutex<Inner>,
    limits: LogLimits,
    /// Where everything goes instead, once its stream is merged into another.
    forward: OnceLock<Arc<RunLog>>,
}

/// What is counted. (Relaxed: nothing is read through them.)
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) rows_read: AtomicU64,
    pub(crate) rows: AtomicU64,
    pub(crate) chunks: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) backpressure: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    started: Option<Instant>,
    failed: bool,
    errors: Errors,
    processors: Vec<ProcessorSummary>,
    chunks: VecDeque<ChunkResult>,
    dropped: u64,
}

impl Default for RunLog {
    fn default() -> Self {
        Self::new(LogLimits::default())
    }
}

pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

pub(crate) fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl RunLog {
    /// A log of a run that is to come.
    pub fn new(limits: LogLimits) -> Self {
        let errors = Errors::new(limits.max_error_details, limits.aggregate_similar_errors);
        Self {
            counters: Counters::default(),
            inner: Mutex::new(Inner {
                started: None,
                failed: false,
                errors,
                processors: Vec::new(),
                chunks: VecDeque::new(),
                dropped: 0,
            }),
            limits,
            forward: OnceLock::new(),
        }
    }

    /// What was done until now.
    pub fn summary(&self) -> RunSummary {
        let log = self.target();
        let inner = log.inner.lock();
        let counters = &log.counters;
        let (rows_read, rows) = (get(&counters.rows_read), get(&counters.rows));
        let errors = inner.errors.summary(rows_read);
        let status = match (inner.failed, errors.total_errors) {
            (false, 0) => Status::Success,
            (false, _) if rows > 0 => Status::PartialSuccess,
            _ => Status::Failure,
        };
        RunSummary {
            status,
            chunks: get(&counters.chunks),
            rows_read,
            rows,
            retries: get(&counters.retries),
            backpressure_events: get(&counters.backpressure),
            elapsed_ms: inner.started.map_or(0, milliseconds),
            errors,
            processors: inner.processors.clone(),
            chunk_results: inner.chunks.iter().cloned().collect(),
            chunk_results_dropped: inner.dropped,
        }
    }

    /// From now on, all of it goes to another log.
    pub(crate) fn forward_to(&self, other: &Arc<Self>) {
        let (from, to) = (self.target(), other.target());
        if !std::ptr::eq(from, to) {
            // (A target forwards nowhere yet.)
            let _ = from.forward.set(Arc::clone(other));
        }
    }

    pub(crate) fn target(&self) -> &Self {
        let mut log = self;
        while let Some(next) = log.forward.get() {
            log = next;
        }
        log
    }

    /// When the run began, which is now unless it has.
    pub(crate) fn start(&self) -> Instant {
        let mut inner = self.target().inner.lock();
        *inner.started.get_or_insert_with(Instant::now)
    }

    pub(crate) fn read(&self, rows: usize) {
        add(&self.target().counters.rows_read, rows as u64);
    }

    pub(crate) fn retried(&self, retries: u32) {
        add(&self.target().counters.retries, u64::from(retries));
    }

    pub(crate) fn pressed(&self) {
        add(&self.target().counters.backpressure, 1);
    }

    pub(crate) fn delivered(&self, chunk: &Chunk) {
        let counters = &self.target().counters;
        add(&counters.chunks, 1);
        add(&counters.rows, chunk.rows() as u64);
    }

    /// An error that was caught.
    pub(crate) fn caught(&self, error: &ItemError) {
        self.target().inner.lock().errors.record(error);
    }

    pub(crate) fn end_early(&self) {
        self.target().inner.lock().failed = true;
    }

    /// An error that ended the run.
    pub(crate) fn ended_by(&self, error: &StreamError) {
        self.end_early();
        if let Some(error) = error.as_item() {
            self.caught(error);
        }
    }

    /// Errors, and the rows that they cost.
    pub(crate) fn errors(&self) -> (u64, u64) {
        let inner = self.target().inner.lock();
        (inner.errors.total(), inner.errors.failed_rows())
    }

    /// Chunks, errors, retries and events of backpressure.
    pub(crate) fn counts(&self) -> [u64; 4] {
        let counters = &self.target().counters;
        let (errors, _) = self.errors();
        let (chunks, retries) = (get(&counters.chunks), get(&counters.retries));
        [chunks, errors, retries, get(&counters.backpressure)]
    }

    pub(crate) fn finished(&self, name: &str, summary: serde_json::Value) {
        let name = name.to_owned();
        let summary = ProcessorSummary { name, summary };
        self.target().inner.lock().processors.push(summary);
    }

    pub(crate) fn chunk(&self, result: ChunkResult) {
        let log = self.target();
        let mut inner = log.inner.lock();
        inner.chunks.push_back(result);
        if inner.chunks.len() > log.limits.max_chunk_results {
            inner.chunks.pop_front();
            inner.dropped += 1;
        }
    }
}

pub(crate) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_chunks_are_bounded() {
        let log = RunLog::new(LogLimits {
            max_chunk_results: 3,
            ..LogLimits::default()
        });
        for chunk in 0..10 {
            log.chunk(ChunkResult {
                chunk,
                rows_in: 1,
                rows_out: 1,
                errors: 0,
                memory_bytes: 0,
                elapsed_ms: 0,
            });
        }
        let summary = log.summary();
        let kept: Vec<u64> = summary.chunk_results.iter().map(|it| it.chunk).collect();
        assert_eq!(
            (kept, summary.chunk_results_dropped),
            (vec![7, 8, 9], 7),
            "the last ones are kept"
        );
    }

    #[test]
    fn a_log_that_forwards_counts_in_the_other() {
        let (one, two) = (Arc::new(RunLog::default()), Arc::new(RunLog::default()));
        one.forward_to(&two);
        two.forward_to(&one);
        one.read(3);
        two.read(4);
        assert_eq!(one.summary().rows_read, 7);
        assert_eq!(two.summary().rows_read, 7);
    }
}
