//! Operations work in the order they are written, and rows keep theirs.

use std::time::Duration;

use super::{counted, plus, upto, values};
use crate::{ProcessorError, Stream};

/// 0 to 4 in one batch.
fn five() -> Stream {
    upto(5, 5)
}

async fn result(stream: Stream) -> Vec<i64> {
    values(&stream.collect().await.unwrap().value)
}

#[tokio::test]
async fn a_filter_after_a_transform_sees_transformed_rows() {
    let all = five()
        .map(|batch| plus(&batch, 100))
        .filter(|row| row.i64("n") >= Some(100));
    assert_eq!(result(all).await, [100, 101, 102, 103, 104]);
    let none = five()
        .filter(|row| row.i64("n") >= Some(100))
        .map(|batch| plus(&batch, 100));
    assert!(result(none).await.is_empty());
}

#[tokio::test]
async fn the_seeds_own_pipeline() {
    let stream = upto(20, 6)
        .filter(|row| row.i64("n").is_some_and(|n| n % 2 == 0))
        .map(|batch| plus(&batch, 1))
        .transform(|chunk| {
            let batch = plus(chunk.batch(), 100);
            Ok::<_, ProcessorError>(chunk.with_batch(batch))
        })
        .filter(|row| row.i64("n") > Some(110));
    assert_eq!(result(stream).await, [111, 113, 115, 117, 119]);
}

#[tokio::test]
async fn limit_batch_and_filter_in_any_mix() {
    let odd = |stream: Stream| stream.filter(|row| row.i64("n").is_some_and(|n| n % 2 == 1));
    assert_eq!(result(odd(upto(20, 6)).limit(3)).await, [1, 3, 5]);
    assert_eq!(result(odd(upto(20, 6).limit(3))).await, [1]);
    assert_eq!(result(odd(upto(20, 6)).skip(8)).await, [17, 19]);
    assert_eq!(result(odd(upto(20, 6).skip(8)).limit(2)).await, [9, 11]);
    let batches = odd(upto(100, 6)).batch(8).limit(20).batch(6);
    let sizes: Vec<usize> = batches
        .collect()
        .await
        .unwrap()
        .value
        .iter()
        .map(|batch| batch.num_rows())
        .collect();
    assert_eq!(sizes, [6, 6, 6, 2]);
}

/// Waits for a time that has nothing to do with the order.
fn delayed(stream: Stream) -> Stream {
    stream.then(|batch| async move {
        let n = values([&batch])[0] as u64;
        tokio::time::sleep(Duration::from_millis(n * 7919 % 13)).await;
        Ok::<_, ProcessorError>(batch)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_keeps_the_order() {
    let expected: Vec<i64> = (0..500).collect();
    let ordered = delayed(upto(500, 10).parallel(5).backpressure(10));
    assert_eq!(result(ordered).await, expected);
    let unordered = delayed(upto(500, 10).parallel(5).unordered());
    let mut rows = result(unordered).await;
    assert_ne!(rows, expected, "it would be a strange chance");
    rows.sort_unstable();
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn then_waits_without_tasks_too() {
    assert_eq!(result(delayed(five())).await, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn rows_know_the_items_they_were_made_of() {
    let (dataset, _) = counted(20, 6);
    let items = dataset
        .stream()
        .skip(3)
        .filter(|row| row.i64("n").is_some_and(|n| n % 5 == 0))
        .batch(2)
        .filter(|row| row.item().map(|item| item as i64) == row.i64("n"));
    assert_eq!(result(items).await, [5, 10, 15]);
}
