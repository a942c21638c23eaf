//! Nothing is read before it is asked for, and each stream reads for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datafusion_common::DataFusionError;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::{counted, numbers, plus, schema, values};
use crate::{Dataset, DatasetMetadata, Merge, Stream, Window};

#[tokio::test]
async fn nothing_is_read_before_the_first_row_is_asked_for() {
    let (dataset, read) = counted(1000, 10);
    let stream = dataset
        .stream()
        .map(|batch| batch)
        .parallel(2)
        .filter(|row| row.i64("n") > Some(5))
        .distribute("n", 2, |_, lane| lane)
        .merge(dataset.stream(), Merge::Alternate)
        .window(Window::rows(10, 10))
        .batch(7);
    let mut batches = stream.into_batches();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(read.load(Ordering::SeqCst), 0);
    batches.next().await.unwrap().unwrap();
    assert!(read.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn a_batch_is_read_when_it_is_asked_for() {
    let (dataset, read) = counted(1000, 10);
    let mut batches = dataset.stream().map(|batch| plus(&batch, 1)).into_batches();
    for asked in 1..=5 {
        batches.next().await.unwrap().unwrap();
        assert_eq!(read.load(Ordering::SeqCst), asked);
    }
}

#[test]
fn threads_over_one_dataset_see_the_same_rows() {
    let (dataset, _) = counted(50_000, 1_000);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let dataset = dataset.clone();
            std::thread::spawn(move || {
                let batches = dataset.stream().filter(|row| !row.is_null("n"));
                let batches = batches.into_blocking().unwrap();
                let batches = batches.collect::<Result<Vec<_>, _>>().unwrap();
                values(&batches)
            })
        })
        .collect();
    let expected: Vec<i64> = (0..50_000).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), expected);
    }
}

#[tokio::test]
async fn two_streams_of_a_dataset_do_not_disturb_each_other() {
    let (dataset, _) = counted(100, 10);
    let (mut one, mut two) = (
        dataset.stream().into_batches(),
        dataset.stream().into_batches(),
    );
    let first = one.next().await.unwrap().unwrap();
    one.next().await.unwrap().unwrap();
    assert_eq!(two.next().await.unwrap().unwrap(), first);
}

#[tokio::test]
async fn a_limit_stops_the_source() {
    let (dataset, read) = counted(1_000_000, 10);
    let finished = dataset.stream().limit(25).collect().await.unwrap();
    assert_eq!(values(&finished.value), (0..25).collect::<Vec<_>>());
    assert_eq!(read.load(Ordering::SeqCst), 3);

    let (dataset, read) = counted(1_000_000, 10);
    let parallel = dataset.stream().parallel(4).map(|batch| batch).limit(25);
    assert_eq!(parallel.run().await.unwrap().rows, 25);
    let read = read.load(Ordering::SeqCst);
    assert!(read <= 3 + 8, "{read} batches for 3, of which 8 may wait");

    let (dataset, read) = counted(1_000_000, 10);
    assert_eq!(dataset.stream().limit(0).run().await.unwrap().rows, 0);
    assert_eq!(read.load(Ordering::SeqCst), 0);
}

/// Tells when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_source_without_end_is_let_go_with_the_last_row() {
    let gone = Arc::new(AtomicBool::new(false));
    let held = Dropped(Arc::clone(&gone));
    let endless = stream::iter(0..).map(move |n| {
        let _held = &held;
        Ok::<_, DataFusionError>(numbers(n * 10, 10))
    });
    let mut batches = Stream::from_batches("endless", schema(), endless)
        .filter(|row| row.i64("n").is_some_and(|n| n % 2 == 0))
        .limit(10)
        .into_batches();
    let mut rows = 0;
    while rows < 10 {
        rows += batches.next().await.unwrap().unwrap().num_rows();
    }
    assert!(gone.load(Ordering::SeqCst));
}

#[tokio::test]
async fn what_is_sent_comes_as_it_is_sent() {
    let (sender, receiver) = mpsc::channel(1);
    let stream = Stream::from_channel("live", schema(), receiver).map(|batch| plus(&batch, 100));
    let mut batches = stream.into_batches();
    for n in 0..3 {
        sender.send(numbers(n, 1)).await.unwrap();
        let batch = batches.next().await.unwrap().unwrap();
        assert_eq!(values([&batch]), [n + 100]);
    }
    drop(sender);
    assert!(batches.next().await.is_none());
}

#[test]
fn a_dataset_tells_what_suits_it() {
    let (dataset, _) = counted(1, 1);
    let metadata = dataset.metadata();
    assert!(metadata.streaming_supported);
    assert_eq!(metadata.recommended_batch_size, 65_536);
    assert_eq!(metadata.memory_estimate_mb, 0.524288);
    assert_eq!(metadata.rows, None);
    let memory = Dataset::from_memory("two", schema(), vec![numbers(0, 2)]);
    assert_eq!(memory.metadata().rows, Some(2));
    let told = DatasetMetadata {
        streaming_supported: false,
        ..metadata.clone()
    };
    assert!(!memory.with_metadata(told).metadata().streaming_supported);
}
