//! No more is held than what is worked on and what may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use datafusion_execution::memory_pool::{GreedyMemoryPool, MemoryPool};

use super::{counted, upto, values};
use crate::{ProcessorError, Stream};

/// Watches how many chunks were read and not yet delivered, and how many were worked on at a time.
async fn most(
    batches: usize,
    shape: impl Fn(Stream) -> Stream,
    unordered: bool,
) -> (usize, usize, u64) {
    let (dataset, read) = counted(batches * 10, 10);
    let working = Arc::new(AtomicUsize::new(0));
    let most_working = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&working), Arc::clone(&most_working));
    let mut stream = shape(dataset.stream());
    if unordered {
        stream = stream.unordered();
    }
    let stream = stream.then(move |batch| {
        let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
        async move {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // The first is slow, so that the others wait for it in order.
            let first = values([&batch])[0] == 0;
            tokio::time::sleep(Duration::from_millis(if first { 20 } else { 0 })).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, ProcessorError>(batch)
        }
    });
    let mut most_alive = 0;
    let mut delivered = 0;
    let finished = stream.fold((), |(), _| {
        most_alive = most_alive.max(read.load(Ordering::SeqCst) - delivered);
        delivered += 1;
    });
    let summary = finished.await.unwrap().summary;
    assert_eq!(delivered, batches);
    let working = most_working.load(Ordering::SeqCst);
    (most_alive, working, summary.backpressure_events)
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_source() {
    for unordered in [false, true] {
        for batches in [100, 5_000] {
            let shape = |stream: Stream| stream.parallel(3).backpressure(6);
            let (alive, working, events) = most(batches, shape, unordered).await;
            assert!(alive <= 6 + 3, "{alive} of {batches}");
            assert!((2..=3).contains(&working), "{working}");
            assert!(events > 0);
        }
    }
    let (alive, working, events) = most(100, |stream| stream, false).await;
    assert_eq!((alive, working, events), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_are_bounded() {
    let (dataset, read) = counted(50_000, 10);
    let stream = dataset.stream().distribute("n", 2, |_, lane| lane);
    let mut chunks = stream.into_chunks();
    futures::StreamExt::next(&mut chunks)
        .await
        .unwrap()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let read = read.load(Ordering::SeqCst);
    assert!(read < 20, "{read} batches were read for one chunk");
}

#[tokio::test]
async fn bytes_are_those_of_the_pool() {
    // 80 bytes a batch: three at a time.
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(250));
    let seen = Arc::new(AtomicUsize::new(0));
    let (peak, watched) = (Arc::clone(&seen), Arc::clone(&pool));
    let stream = upto(200, 10)
        .parallel(8)
        .memory_pool(&pool)
        .map(move |batch| {
            peak.fetch_max(watched.reserved(), Ordering::SeqCst);
            batch
        });
    let finished = stream.collect().await.unwrap();
    assert_eq!(values(&finished.value), (0..200).collect::<Vec<_>>());
    assert!((80..=240).contains(&seen.load(Ordering::SeqCst)));
    assert!(finished.summary.backpressure_events > 0);
    assert_eq!(pool.reserved(), 0, "all of it is given back");
}

#[tokio::test]
async fn what_does_not_fit_is_halved() {
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(30));
    let stream = upto(20, 10)
        .parallel(2)
        .memory_pool(&pool)
        .map(|batch| batch);
    let finished = stream.collect().await.unwrap();
    assert_eq!(values(&finished.value), (0..20).collect::<Vec<_>>());
    assert!(finished.value.iter().all(|batch| batch.num_rows() <= 3));

    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(7));
    let stream = upto(20, 10)
        .parallel(2)
        .memory_pool(&pool)
        .map(|batch| batch);
    // It is no fault of a row: who skips those does not lose it.
    let failed = stream.skip_errors().run().await.unwrap_err();
    assert!(failed.error.as_item().is_none());
    assert!(failed.error.to_string().contains("parallel"), "{failed}");
}
