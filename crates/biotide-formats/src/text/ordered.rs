//! Units decoded by several tasks, their batches handed on in the order of the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion_common::{DataFusionError, Result};
use datafusion_common_runtime::JoinSet;
use futures::Stream;
use futures::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::file_scan::FileScan;
use super::worker::Worker;

/// What came of a unit.
struct Decoded {
    batches: Result<Vec<RecordBatch>>,
    /// Where it ends in the file.
    end: u64,
    /// Its place among those that may be on their way.
    _place: OwnedSemaphorePermit,
}

/// Reads the file with a task for each worker. At most `window` units are on their way: taken, but not
/// handed on. `judge`: see [`FileScan::passed`].
pub(super) fn ordered(
    scan: &Arc<FileScan>,
    workers: Vec<Worker>,
    window: usize,
    judge: bool,
) -> impl Stream<Item = Result<Vec<RecordBatch>>> + Send + 'static {
    // The place in line is taken before the unit is: the unit that is due is always on its way.
    let places = Arc::new(Semaphore::new(window.max(workers.len())));
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for worker in workers {
        let (scan, places) = (Arc::clone(scan), Arc::clone(&places));
        tasks.spawn(work(scan, places, worker, sender.clone(), judge));
    }
    let line = Line {
        scan: Arc::clone(scan),
        tasks,
        receiver,
        early: BTreeMap::new(),
        due: 0,
    };
    stream::try_unfold(line, async |mut line| {
        let decoded = line.next().await?;
        Ok(decoded.map(|batches| (batches, line)))
    })
}

async fn work(
    scan: Arc<FileScan>,
    places: Arc<Semaphore>,
    mut worker: Worker,
    sender: mpsc::UnboundedSender<(u64, Decoded)>,
    judge: bool,
) {
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let (Ok(place), Some((number, unit))) = (place, scan.take()) else {
            return;
        };
        let decoded = worker.process(&scan, unit, None).await;
        let decoded = decoded.and_then(|(batches, _)| {
            scan.passed(unit, judge)?;
            Ok(batches)
        });
        let failed = decoded.is_err();
        let decoded = Decoded {
            batches: decoded,
            end: unit.end,
            _place: place,
        };
        if sender.send((number, decoded)).is_err() || failed {
            return;
        }
    }
}

/// Units that were decoded before their turn.
struct Line {
    scan: Arc<FileScan>,
    tasks: JoinSet<()>,
    receiver: mpsc::UnboundedReceiver<(u64, Decoded)>,
    early: BTreeMap<u64, Decoded>,
    due: u64,
}

impl Line {
    /// The batches of the unit that is due; `None` at the end of the file.
    async fn next(&mut self) -> Result<Option<Vec<RecordBatch>>> {
        loop {
            if let Some(decoded) = self.early.remove(&self.due) {
                self.due += 1;
                if decoded.batches.is_err() {
                    self.scan.verdict.log_fatal_before(decoded.end)?;
                }
                return decoded.batches.map(Some);
            }
            tokio::select! {
                decoded = self.receiver.recv() => match decoded {
                    Some((number, decoded)) => drop(self.early.insert(number, decoded)),
                    None => break,
                },
                // One that has panicked has lost its unit: the others would wait for it for ever.
                Some(ended) = self.tasks.join_next() => {
                    ended.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
                }
            }
        }
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
        }
        Ok(None)
    }
}
