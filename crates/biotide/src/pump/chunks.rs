//! What became of the chunks of a sink.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;

/// Results that are kept, the last ones. All are counted.
const KEPT: usize = 1000;

/// The chunks of a sink.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChunksReport {
    /// Rows of a chunk; the last one may have fewer.
    pub size: u64,
    /// How many there were.
    pub total: u64,
    /// Chunks with bad records.
    pub with_errors: u64,
    /// Milliseconds that a chunk took, on average.
    pub mean_ms: f64,
    /// The last ones.
    pub results: Vec<SinkChunk>,
    /// How many came before those.
    pub earlier: u64,
    /// Bad records of these.
    pub earlier_errors: u64,
}

/// A chunk of a sink.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SinkChunk {
    /// Its number, from 0.
    pub chunk: u64,
    /// Its rows.
    pub rows: u64,
    /// Bad records of the inputs that were set aside where its rows come from; notes are none. Each of them is in one
    /// chunk, so that all chunks have as many as the sink has `rejected`, less notes; a sink that takes no rows has no
    /// chunks. Where each good record becomes a row, of one file or of several one after the other, these are the bad
    /// ones behind the rows of the chunk (rows that a step has refused are placed by their lines: in files with records
    /// of several lines they may come to a later chunk). Of a plan that drops rows or makes several of one, and of files
    /// with blank lines, they are in proportion: the record in the middle of a file is in the chunk in the middle, of
    /// several files each by itself.
    pub errors: u64,
    /// Bytes that operators and readers had reserved when it was complete.
    pub memory_bytes: u64,
    /// What it took since the chunk before.
    pub elapsed_ms: f64,
}

/// Counts the chunks of a sink.
#[derive(Debug)]
pub(super) struct Chunks {
    size: u64,
    /// Those that an earlier run has written.
    before: u64,
    total: u64,
    /// Rows and time of the one that is not complete.
    rows: u64,
    time: Duration,
    spent: Duration,
    last: VecDeque<SinkChunk>,
}

impl Chunks {
    /// `before`: rows of chunks that an earlier run has written.
    pub(super) fn new(size: u64, before: u64) -> Self {
        let size = size.max(1);
        Self {
            size,
            before: before / size,
            total: before / size,
            rows: before % size,
            time: Duration::ZERO,
            spent: Duration::ZERO,
            last: VecDeque::new(),
        }
    }

    /// Rows that the sink has taken in this time; `memory`: what was reserved then.
    pub(super) fn add(&mut self, rows: u64, time: Duration, memory: u64) {
        self.spent += time;
        let each = time.div_f64(rows.max(1) as f64);
        let mut rows = rows;
        while self.rows + rows >= self.size {
            let now = self.size - self.rows;
            rows -= now;
            self.time += each.mul_f64(now as f64);
            self.rows = self.size;
            self.complete(memory);
        }
        self.rows += rows;
        self.time += each.mul_f64(rows as f64);
    }

    fn complete(&mut self, memory: u64) {
        let time = std::mem::take(&mut self.time);
        self.last.push_back(SinkChunk {
            chunk: self.total,
            rows: std::mem::take(&mut self.rows),
            errors: 0,
            memory_bytes: memory,
            elapsed_ms: time.as_secs_f64() * 1e3,
        });
        self.total += 1;
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
    }

    /// All rows until now, those that an earlier run has written included.
    pub(super) fn rows(&self) -> u64 {
        self.total * self.size + self.rows
    }

    /// The end. `errors`: bad records by chunk.
    pub(super) fn finish(mut self, memory: u64, errors: &BTreeMap<u64, u64>) -> ChunksReport {
        if self.rows > 0 {
            self.complete(memory);
        }
        for chunk in &mut self.last {
            chunk.errors = errors.get(&chunk.chunk).copied().unwrap_or(0);
        }
        let earlier = self.total - self.last.len() as u64;
        let written = (self.total - self.before).max(1);
        ChunksReport {
            size: self.size,
            total: self.total,
            with_errors: errors.len() as u64,
            mean_ms: self.spent.as_secs_f64() * 1e3 / written as f64,
            results: self.last.into(),
            earlier,
            earlier_errors: errors.range(..earlier).map(|(_, errors)| errors).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_counted_whatever_batches_they_come_in() {
        for batch in [1, 7, 1000, 1001, 8192, 10_000] {
            let mut chunks = Chunks::new(1000, 0);
            let mut left = 10_000;
            while left > 0 {
                let rows = batch.min(left);
                chunks.add(rows, Duration::from_micros(rows), 5);
                left -= rows;
            }
            let errors = BTreeMap::from([(3, 2)]);
            assert_eq!(chunks.rows(), 10_000);
            let report = chunks.finish(5, &errors);
            assert_eq!(
                (report.total, report.with_errors, report.earlier),
                (10, 1, 0)
            );
            assert!(report.results.iter().all(|chunk| chunk.rows == 1000));
            assert_eq!(report.results[3].errors, 2);
            assert!((report.mean_ms - 1.0).abs() < 0.1, "{}", report.mean_ms);
        }
    }

    #[test]
    fn results_are_bounded_and_a_resumed_run_goes_on_counting() {
        let mut chunks = Chunks::new(10, 25);
        chunks.add(20_000, Duration::from_millis(1), 0);
        assert_eq!(chunks.rows(), 20_025);
        let errors = BTreeMap::from([(0, 4), (1002, 1), (1003, 2)]);
        let report = chunks.finish(0, &errors);
        assert_eq!((report.total, report.results.len()), (2003, KEPT));
        assert_eq!(report.results.last().map(|chunk| chunk.rows), Some(5));
        assert_eq!((report.earlier, report.earlier_errors), (1003, 5));
        assert_eq!((report.with_errors, report.results[0].errors), (3, 2));
    }
}
