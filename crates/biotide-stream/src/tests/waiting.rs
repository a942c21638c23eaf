//! What hangs, what is cancelled, and what is told meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::{counted, numbers, schema, upto, values};
use crate::{Chunk, Dataset, ErrorKind, ProcessorError, Sink, Status, StreamError};

#[tokio::test]
async fn what_hangs_is_given_up_by_its_number() {
    let start = Instant::now();
    let stream = upto(100, 10)
        .parallel(3)
        .then(|batch| async move {
            if values([&batch])[0] == 40 {
                std::future::pending::<()>().await;
            }
            Ok::<_, ProcessorError>(batch)
        })
        .timeout(Duration::from_millis(50))
        .skip_errors();
    let finished = stream.collect().await.unwrap();
    let rows = values(&finished.value);
    assert_eq!(rows.len(), 90);
    assert!(!rows.contains(&40));
    let sample = &finished.summary.errors.samples[0];
    assert_eq!(sample.error_type, ErrorKind::Timeout);
    assert_eq!(sample.message, "chunk 4 (10 rows) was given up after 50 ms");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_closure_that_never_waits_is_given_up_too() {
    let start = Instant::now();
    let stream = upto(30, 10)
        .map(|batch| {
            if values([&batch])[0] == 10 {
                std::thread::sleep(Duration::from_secs(1));
            }
            batch
        })
        .timeout(Duration::from_millis(50))
        .skip_errors();
    let finished = stream.collect().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(900));
    assert_eq!(values(&finished.value).len(), 20);
    assert_eq!(finished.summary.status, Status::PartialSuccess);
}

#[tokio::test]
async fn cancelling_ends_what_waits() {
    let token = CancellationToken::new();
    let stream = upto(100, 10)
        .cancel(token.clone())
        .then(|batch| async move {
            if values([&batch])[0] == 30 {
                std::future::pending::<()>().await;
            }
            Ok::<_, ProcessorError>(batch)
        });
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        token.cancel();
    };
    let (failed, ()) = tokio::join!(stream.run(), cancel);
    let failed = failed.unwrap_err();
    assert!(matches!(failed.error, StreamError::Cancelled { rows: 30 }));
    assert_eq!(failed.summary.status, Status::Failure);
}

#[tokio::test]
async fn a_cancelled_stream_reads_nothing() {
    let (dataset, read) = counted(100, 10);
    let token = CancellationToken::new();
    token.cancel();
    let mut batches = dataset.stream().cancel(token).into_batches();
    let error = batches.next().await.unwrap().unwrap_err();
    assert!(matches!(error, StreamError::Cancelled { rows: 0 }));
    assert!(batches.next().await.is_none());
    assert_eq!(read.load(Ordering::SeqCst), 0);
}

/// What a sink does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    Hang,
    Panic,
}

struct BadSink(Does, Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Sink for BadSink {
    async fn write_chunk(&mut self, _: Chunk) -> Result<(), ProcessorError> {
        match self.0 {
            Does::Hang => std::future::pending().await,
            Does::Panic => panic!("bad sink"),
        }
    }

    async fn abort(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_sink_that_hangs_is_cancelled_and_a_panic_aborts_it() {
    for does in [Does::Hang, Does::Panic] {
        let (token, aborted) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let stream = upto(100, 10).cancel(token.clone());
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            token.cancel();
        };
        let sink = BadSink(does, Arc::clone(&aborted));
        let (failed, ()) = tokio::join!(stream.sink(sink), cancel);
        let failed = failed.unwrap_err();
        let is_cancelled = matches!(failed.error, StreamError::Cancelled { .. });
        assert_eq!(is_cancelled, does == Does::Hang, "{failed}");
        assert_eq!(failed.summary.status, Status::Failure);
        assert_eq!(aborted.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn progress_is_told_on_crossing() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let batches = (0..100).map(|i| numbers(i * 7, 7)).collect();
    let dataset = Dataset::from_memory("sevens", schema(), batches);
    let stream = dataset
        .stream()
        .progress(100, move |progress| heard.lock().push(progress.clone()));
    stream.run().await.unwrap();
    let told = told.lock();
    let rows: Vec<u64> = told.iter().map(|progress| progress.rows).collect();
    // No multiple of 7 below 700 is one of 100.
    assert_eq!(rows, [105, 203, 301, 406, 504, 602, 700]);
    assert_eq!(told[0].bytes, 105 * 8);
    assert!(told.iter().all(|progress| progress.rows_per_second > 0.0));
    assert_eq!(told[6].remaining, Some(Duration::ZERO));
    assert!(told[0].remaining.unwrap() > Duration::ZERO);
}

#[tokio::test]
async fn a_chunk_that_crosses_often_is_told_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let stream = upto(1000, 500).progress(10, move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    stream.run().await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
