//! Where chunks begin and end.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StringViewArray};
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::{numbers, schema, upto, values};
use crate::{Chunk, Chunking, Dataset, ProcessorError, Stream};

async fn chunks(stream: Stream) -> Vec<Chunk> {
    stream
        .into_chunks()
        .map(Result::unwrap)
        .collect::<Vec<_>>()
        .await
}

async fn sizes(stream: Stream) -> Vec<usize> {
    chunks(stream).await.iter().map(Chunk::rows).collect()
}

#[tokio::test]
async fn rows_are_exact_and_the_last_are_fewer() {
    let chunks = chunks(upto(100, 7).batch(32)).await;
    let sizes: Vec<usize> = chunks.iter().map(Chunk::rows).collect();
    assert_eq!(sizes, [32, 32, 32, 4]);
    let ids: Vec<u64> = chunks.iter().map(|chunk| chunk.id).collect();
    assert_eq!(ids, [0, 1, 2, 3]);
    let firsts: Vec<u64> = chunks.iter().map(Chunk::first_row).collect();
    assert_eq!(firsts, [0, 32, 64, 96]);
    let rows: Vec<_> = chunks.iter().map(Chunk::batch).collect();
    assert_eq!(values(rows), (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_multiple_has_no_empty_end() {
    assert_eq!(sizes(upto(64, 64).batch(32)).await, [32, 32]);
    assert!(sizes(upto(0, 64).batch(32)).await.is_empty());
}

#[tokio::test]
async fn rebatch_cuts_and_does_not_wait() {
    assert_eq!(
        sizes(upto(25, 10).rebatch(4)).await,
        [4, 4, 2, 4, 4, 2, 4, 1]
    );
}

#[tokio::test]
async fn bytes_fit() {
    // 8 bytes a row.
    let stream = upto(100, 30).chunk(Chunking::Bytes(200));
    assert_eq!(sizes(stream).await, [25, 25, 25, 25]);
    let tiny = upto(3, 3).chunk(Chunking::Bytes(1));
    assert_eq!(sizes(tiny).await, [1, 1, 1], "a row at least");
}

#[tokio::test]
async fn bytes_of_text_fit() {
    let texts: Vec<String> = (0..200).map(|n| "x".repeat(n * 37 % 100)).collect();
    let plain: ArrayRef = Arc::new(StringArray::from_iter_values(&texts));
    let views: ArrayRef = Arc::new(StringViewArray::from_iter_values(&texts));
    for column in [plain, views] {
        let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
        let dataset = Dataset::from_memory("texts", batch.schema(), vec![batch]);
        let chunks = chunks(dataset.stream().chunk(Chunking::Bytes(1000))).await;
        assert!(chunks.iter().all(|chunk| chunk.bytes() <= 1000));
        // (One more row could not be over it by more than its length.)
        let full = &chunks[..chunks.len() - 1];
        assert!(full.iter().all(|chunk| chunk.bytes() > 1000 - 150));
        assert_eq!(chunks.iter().map(Chunk::rows).sum::<usize>(), 200);
    }
}

#[tokio::test]
async fn adaptive_follows_the_time() {
    let chunking = Chunking::Adaptive {
        min: 10,
        max: 80,
        target_ms: 50,
    };
    let mut chunks = upto(1000, 100).chunk(chunking).into_chunks();
    let mut sizes = Vec::new();
    for wait in [0, 0, 0, 0, 300, 300] {
        sizes.push(chunks.next().await.unwrap().unwrap().rows());
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    sizes.push(chunks.next().await.unwrap().unwrap().rows());
    assert_eq!(sizes, [10, 20, 40, 80, 80, 40, 20]);
}

/// One column `key`, in batches of `batch` rows.
fn keyed(keys: &[i64], batch: usize) -> Stream {
    let batches: Vec<_> = keys
        .chunks(batch)
        .map(|keys| {
            let column: ArrayRef = Arc::new(Int64Array::from(keys.to_vec()));
            RecordBatch::try_from_iter([("key", column)]).unwrap()
        })
        .collect();
    let schema = batches[0].schema();
    let batches = batches.into_iter().map(Ok::<_, ProcessorError>);
    Stream::from_batches("keys", schema, stream::iter(batches))
}

async fn by_key(keys: &[i64], batch: usize, max_rows: usize) -> Vec<(Vec<i64>, bool)> {
    let column = "key".to_owned();
    let stream = keyed(keys, batch).chunk(Chunking::ByKey { column, max_rows });
    let chunks = chunks(stream).await;
    let shown = chunks.iter().map(|chunk| {
        let continues = chunk.metadata.contains_key("continues");
        (values([chunk.batch()]), continues)
    });
    shown.collect()
}

#[tokio::test]
async fn a_key_is_not_parted() {
    let keys = [1, 1, 2, 2, 2, 3, 4, 4, 4, 4, 5];
    for batch in 1..=keys.len() {
        let chunks = by_key(&keys, batch, 4).await;
        let expected = [vec![1, 1], vec![2, 2, 2, 3], vec![4, 4, 4, 4], vec![5]];
        let expected: Vec<_> = expected.into_iter().map(|rows| (rows, false)).collect();
        assert_eq!(chunks, expected, "batches of {batch}");
    }
}

#[tokio::test]
async fn a_key_with_too_many_rows_is_parted_and_says_so() {
    let keys = [1, 2, 2, 2, 2, 2, 2, 3];
    for batch in 1..=keys.len() {
        let chunks = by_key(&keys, batch, 3).await;
        let expected = [
            (vec![1], false),
            (vec![2, 2, 2], false),
            (vec![2, 2, 2], true),
            (vec![3], false),
        ];
        assert_eq!(chunks, expected, "batches of {batch}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_there() {
    let column = "gene".to_owned();
    let failed = upto(3, 3).chunk(Chunking::ByKey {
        column,
        max_rows: 3,
    });
    let failed = failed.run().await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "operation 'chunk': there is no column 'gene'"
    );
}

#[tokio::test]
async fn time_does_not_wait_for_more() {
    let (sender, receiver) = mpsc::channel(4);
    let live = Stream::from_channel("live", schema(), receiver);
    let mut chunks = live
        .chunk(Chunking::Time(Duration::from_millis(20)))
        .into_chunks();
    sender.send(numbers(0, 2)).await.unwrap();
    sender.send(numbers(2, 1)).await.unwrap();
    let chunk = chunks.next().await.unwrap().unwrap();
    assert_eq!(values([chunk.batch()]), [0, 1, 2]);
    sender.send(numbers(3, 1)).await.unwrap();
    drop(sender);
    assert_eq!(chunks.next().await.unwrap().unwrap().rows(), 1);
    assert!(chunks.next().await.is_none());
}

#[tokio::test]
async fn rows_are_not_copied_when_they_are_cut() {
    let batch = numbers(0, 100);
    let start = |batch: &RecordBatch| {
        let data = batch.column(0).to_data();
        data.buffers()[0].as_ptr() as usize
    };
    let dataset = Dataset::from_memory("numbers", schema(), vec![batch.clone()]);
    let chunks = chunks(dataset.stream().batch(50)).await;
    assert_eq!(start(chunks[0].batch()), start(&batch));
    assert_eq!(start(chunks[1].batch()), start(&batch) + 400);
}
