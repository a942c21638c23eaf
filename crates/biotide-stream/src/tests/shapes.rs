//! Limits, windows, merges, lanes, folds and sinks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use futures::stream;
use tokio::sync::mpsc;

use super::{numbers, plus, schema, upto, values};
use crate::{Chunk, Merge, ProcessorError, Sink, Status, Stream, StreamError, Window};

async fn windows(stream: Stream, window: Window) -> Vec<Vec<i64>> {
    let batches = stream.window(window).collect().await.unwrap().value;
    batches.iter().map(|batch| values([batch])).collect()
}

#[tokio::test]
async fn windows_of_rows() {
    assert_eq!(
        windows(upto(7, 2), Window::rows(3, 3)).await,
        [vec![0, 1, 2], vec![3, 4, 5], vec![6]]
    );
    assert_eq!(
        windows(upto(6, 2), Window::rows(3, 1)).await,
        [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]],
        "the last row has been seen"
    );
    assert_eq!(
        windows(upto(6, 4), Window::rows(3, 2)).await,
        [vec![0, 1, 2], vec![2, 3, 4], vec![4, 5]]
    );
    assert_eq!(
        windows(upto(9, 2), Window::rows(2, 4)).await,
        [vec![0, 1], vec![4, 5], vec![8]]
    );
    assert_eq!(windows(upto(2, 2), Window::rows(5, 1)).await, [[0, 1]]);
}

#[tokio::test]
async fn windows_of_time() {
    let (sender, receiver) = mpsc::channel(4);
    let sent = async move {
        for (n, pause) in [(0, 0), (1, 0), (2, 80), (3, 0)] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            sender.send(numbers(n, 1)).await.unwrap();
        }
    };
    let live = Stream::from_channel("live", schema(), receiver);
    let window = Window::time(Duration::from_millis(30));
    let (batches, ()) = tokio::join!(windows(live, window), sent);
    assert_eq!(batches, [[0, 1], [2, 3]]);
}

#[tokio::test]
async fn merges() {
    let merged = |how| upto(4, 2).merge(upto(4, 2).map(|batch| plus(&batch, 10)), how);
    let rows = |finished: crate::Finished<Vec<RecordBatch>>| values(&finished.value);
    let concat = merged(Merge::Concat).collect().await.unwrap();
    assert_eq!(concat.summary.rows_read, 8, "both are counted");
    assert_eq!(rows(concat), [0, 1, 2, 3, 10, 11, 12, 13]);
    let alternate = merged(Merge::Alternate).collect().await.unwrap();
    assert_eq!(rows(alternate), [0, 1, 10, 11, 2, 3, 12, 13]);
    let mut arrival = rows(merged(Merge::Arrival).collect().await.unwrap());
    arrival.sort_unstable();
    assert_eq!(arrival, [0, 1, 2, 3, 10, 11, 12, 13]);
    let longer = upto(2, 2).merge(upto(6, 2), Merge::Alternate);
    assert_eq!(
        rows(longer.collect().await.unwrap()),
        [0, 1, 0, 1, 2, 3, 4, 5]
    );
}

#[tokio::test]
async fn streams_with_other_columns_do_not_merge() {
    let other: SchemaRef = Arc::new(Schema::new(vec![Field::new("m", DataType::Utf8, true)]));
    let none = stream::empty::<Result<RecordBatch, ProcessorError>>();
    let other = Stream::from_batches("other", other, none);
    let failed = upto(1, 1).merge(other, Merge::Concat).run().await;
    let error = failed.unwrap_err().error;
    assert!(matches!(
        error,
        StreamError::Plan {
            operation: "merge",
            ..
        }
    ));
}

/// Genes and numbers.
fn genes(rows: usize) -> Stream {
    let batches = (0..rows).step_by(50).map(|start| {
        let genes = (start..start + 50).map(|n| format!("G{}", n * 7 % 11));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("gene", Arc::new(StringArray::from_iter_values(genes))),
            (
                "n",
                Arc::new(Int64Array::from_iter_values(
                    start as i64..start as i64 + 50,
                )),
            ),
        ];
        Ok::<_, ProcessorError>(RecordBatch::try_from_iter(columns).unwrap())
    });
    let batches: Vec<_> = batches.collect();
    let schema = batches[0].as_ref().unwrap().schema();
    Stream::from_batches("genes", schema, stream::iter(batches))
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_key_go_the_same_way_in_order() {
    let stream = genes(5_000).distribute("gene", 3, |lane, stream| {
        stream.transform(move |mut chunk| {
            chunk.metadata.insert("lane".to_owned(), lane.into());
            Ok(chunk)
        })
    });
    let mut chunks = stream.into_chunks();
    let mut ways: BTreeMap<String, (u64, Vec<i64>)> = BTreeMap::new();
    while let Some(chunk) = futures::StreamExt::next(&mut chunks).await {
        let chunk = chunk.unwrap();
        let lane = chunk.metadata["lane"].as_u64().unwrap();
        let genes = chunk.batch().column(0).as_string::<i32>();
        let rows = chunk.batch().project(&[1]).unwrap();
        for (gene, n) in genes.iter().zip(values([&rows])) {
            let way = ways.entry(gene.unwrap().to_owned());
            let (first, rows) = way.or_insert_with(|| (lane, Vec::new()));
            assert_eq!(*first, lane, "{gene:?}");
            rows.push(n);
        }
    }
    assert_eq!(ways.len(), 11);
    let rows = ways.values().map(|(_, rows)| rows.len()).sum::<usize>();
    assert_eq!(rows, 5_000);
    assert!(ways.values().all(|(_, rows)| rows.is_sorted()));
}

#[tokio::test]
async fn lanes_that_end_early_do_not_hold_the_others_up() {
    let stream = genes(5_000).distribute("gene", 2, |lane, stream| {
        stream.limit(if lane == 0 { 1 } else { u64::MAX })
    });
    let summary = stream.run().await.unwrap();
    assert!(summary.rows > 1 && summary.rows < 5_000, "{}", summary.rows);
}

#[tokio::test]
async fn errors_in_lanes_are_errors() {
    let stream = genes(100).distribute("gene", 2, |_, lane| {
        lane.try_filter(|row| match row.i64("n") {
            Some(77) => Err("seventy-seven"),
            _ => Ok(true),
        })
    });
    let failed = stream.run().await.unwrap_err();
    assert_eq!(failed.error.as_item().unwrap().item(), Some(77));
    let failed = genes(100).distribute("gen", 2, |_, lane| lane).run().await;
    let failed = failed.unwrap_err().to_string();
    assert_eq!(failed, "operation 'distribute': there is no column 'gen'");
}

#[tokio::test]
async fn folds() {
    let sum = upto(100, 7).fold(0, |sum, batch| sum + values([&batch]).iter().sum::<i64>());
    assert_eq!(sum.await.unwrap().value, 4950);
    let all = upto(10, 3).reduce(|one, two| concat_batches(&one.schema(), [&one, &two]).unwrap());
    assert_eq!(all.await.unwrap().value, Some(numbers(0, 10)));
    let none = upto(0, 3).reduce(|one, _| one).await.unwrap();
    assert_eq!((none.value, none.summary.status), (None, Status::Success));
}

#[derive(Default)]
struct Kept {
    rows: Vec<i64>,
    calls: Vec<&'static str>,
    full: Option<usize>,
}

#[async_trait]
impl Sink for Kept {
    fn name(&self) -> &str {
        "kept"
    }

    async fn initialize(&mut self, schema: Option<&SchemaRef>) -> Result<(), ProcessorError> {
        assert!(schema.is_some());
        self.calls.push("initialize");
        Ok(())
    }

    async fn write_chunk(&mut self, chunk: Chunk) -> Result<(), ProcessorError> {
        if self.full.is_some_and(|full| self.rows.len() >= full) {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull).into());
        }
        self.rows.extend(values([chunk.batch()]));
        Ok(())
    }

    async fn finalize(&mut self) -> Result<serde_json::Value, ProcessorError> {
        self.calls.push("finalize");
        Ok(serde_json::json!({"rows": self.rows.len()}))
    }

    async fn abort(&mut self) {
        self.calls.push("abort");
    }
}

#[tokio::test]
async fn a_sink_begins_writes_and_ends() {
    let mut sink = Kept::default();
    let summary = upto(25, 10).batch(4).sink(&mut sink).await.unwrap();
    assert_eq!(sink.rows, (0..25).collect::<Vec<_>>());
    assert_eq!(sink.calls, ["initialize", "finalize"]);
    assert_eq!((summary.rows, summary.chunks), (25, 7));
    assert_eq!(summary.processors[0].name, "kept");
    assert_eq!(summary.processors[0].summary["rows"], 25);
}

#[tokio::test]
async fn a_sink_that_fails_ends_the_run() {
    let mut sink = Kept {
        full: Some(10),
        ..Kept::default()
    };
    let failed = upto(25, 10).sink(&mut sink).await.unwrap_err();
    assert_eq!(sink.calls, ["initialize", "abort"]);
    assert!(
        failed
            .to_string()
            .contains("operation 'kept' failed at items 10 to 19")
    );
    assert_eq!(failed.summary.status, Status::Failure);
    let mut sink = Kept::default();
    let bad = upto(25, 10).try_filter(|row| match row.i64("n") {
        Some(13) => Err("thirteen"),
        _ => Ok(true),
    });
    bad.sink(&mut sink).await.unwrap_err();
    assert_eq!(sink.calls, ["initialize", "abort"]);
    assert_eq!(sink.rows.len(), 13);
}
