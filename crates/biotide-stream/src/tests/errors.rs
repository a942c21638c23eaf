//! One bad row costs one row, and it is told which.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use datafusion_common::DataFusionError;
use futures::{StreamExt, stream};
use parking_lot::Mutex;

use super::{numbers, schema, upto, values};
use crate::{
    CircuitBreaker, ErrorKind, ErrorThreshold, Isolation, ProcessorError, Recovery, RetryPolicy,
    Stage, Status, Stream, StreamError,
};

/// Fails for a batch with one of these.
fn poisoned(bad: &'static [i64]) -> impl Fn(RecordBatch) -> Result<RecordBatch, ProcessorError> {
    move |batch| match values([&batch]).iter().find(|n| bad.contains(n)) {
        Some(n) => {
            Err(ProcessorError::new(ErrorKind::Validation, format!("{n} is bad")).with_code("E7"))
        }
        None => Ok(batch),
    }
}

#[tokio::test]
async fn poison_rows_cost_exactly_themselves() {
    static BAD: [i64; 5] = [0, 17, 18, 1999, 2500];
    for tasks in [1, 4] {
        let stream = upto(10_000, 1000).parallel(tasks).try_map(poisoned(&BAD));
        let finished = stream.skip_errors().collect().await.unwrap();
        let expected: Vec<i64> = (0..10_000).filter(|n| !BAD.contains(n)).collect();
        assert_eq!(values(&finished.value), expected);
        let summary = finished.summary;
        assert_eq!(summary.status, Status::PartialSuccess);
        assert_eq!(summary.chunks, 10, "pieces are put together again");
        let errors = summary.errors;
        assert_eq!((errors.total_errors, errors.failed_rows), (5, 5));
        assert_eq!(errors.error_rate, 5.0 / 10_000.0);
        assert_eq!(errors.samples.len(), 1, "they are alike");
        assert_eq!(
            (errors.samples[0].count, errors.samples[0].code.as_str()),
            (5, "E7")
        );
    }
}

#[tokio::test]
async fn an_error_says_who_failed_and_at_what() {
    let stream = upto(100, 10).try_map(poisoned(&[42]));
    let failed = stream.collect().await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "operation 'try_map' failed at item 42 (chunk 4): 42 is bad"
    );
    let error = failed.error.as_item().unwrap();
    assert_eq!(error.stage(), Stage::Processing);
    assert_eq!((error.item(), error.chunk()), (Some(42), Some(4)));
    assert_eq!(error.record().unwrap(), serde_json::json!({"n": 42}));
    assert!(error.hint().contains("catch the error"));
    let summary = failed.summary;
    assert_eq!(summary.status, Status::Failure);
    // The rows before it in its chunk are delivered too.
    assert_eq!((summary.rows, summary.errors.total_errors), (42, 1));
    assert_eq!(summary.errors.samples[0].context["record"]["n"], 42);
}

#[tokio::test]
async fn the_item_is_known_after_filters_and_batches() {
    let stream = upto(100, 10)
        .filter(|row| row.i64("n").is_some_and(|n| n % 7 == 0))
        .batch(4)
        .try_map(poisoned(&[42]));
    let failed = stream.run().await.unwrap_err();
    assert_eq!(failed.error.as_item().unwrap().item(), Some(42));
}

/// Good, bad, good.
fn broken_source() -> Stream {
    let batches = vec![
        Ok(numbers(0, 3)),
        Err(DataFusionError::Execution("line 4: no JSON".to_owned())),
        Ok(numbers(3, 3)),
    ];
    Stream::from_batches("a.jsonl", schema(), stream::iter(batches))
}

#[tokio::test]
async fn an_error_of_the_source_is_told_apart() {
    let failed = broken_source().run().await.unwrap_err();
    let error = failed.error.as_item().unwrap();
    assert_eq!((error.stage(), error.item()), (Stage::Source, Some(3)));
    assert!(
        failed
            .to_string()
            .starts_with("source 'a.jsonl' failed at item 3: "),
        "{failed}"
    );
    let finished = broken_source().map(|batch| batch).skip_errors().collect();
    let finished = finished.await.unwrap();
    assert_eq!(values(&finished.value), [0, 1, 2, 3, 4, 5]);
    assert_eq!(finished.summary.errors.samples[0].stage, Stage::Source);
}

#[tokio::test]
async fn a_handler_decides_each_time() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let stream = upto(10, 5).try_map(poisoned(&[2, 7])).catch(move |error| {
        told.lock().push((error.stage(), error.item()));
        match error.item() {
            Some(2) => Recovery::Replace(numbers(-2, 1)),
            _ => Recovery::Skip,
        }
    });
    let finished = stream.collect().await.unwrap();
    assert_eq!(values(&finished.value), [0, 1, -2, 3, 4, 5, 6, 8, 9]);
    let at = |item| (Stage::Processing, Some(item));
    assert_eq!(*seen.lock(), [at(2), at(7)]);

    let stopped = upto(10, 5)
        .try_map(poisoned(&[2, 7]))
        .catch(|error| match error.item() {
            Some(2) => Recovery::Skip,
            _ => Recovery::Stop,
        });
    let failed = stopped.run().await.unwrap_err();
    assert_eq!(failed.error.as_item().unwrap().item(), Some(7));
    assert_eq!(failed.summary.errors.total_errors, 2);
}

#[tokio::test]
async fn a_failure_ends_the_chain_for_its_rows() {
    let later = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&later);
    let stream = upto(6, 6)
        .try_map(poisoned(&[3]))
        .map(move |batch| {
            seen.lock().extend(values([&batch]));
            batch
        })
        .skip_errors();
    stream.run().await.unwrap();
    assert_eq!(*later.lock(), [0, 1, 2, 4, 5], "nothing stale");
}

#[tokio::test]
async fn a_panic_is_an_error_of_its_row() {
    for tasks in [1, 3] {
        let stream = upto(100, 10).parallel(tasks).map(|batch| {
            assert!(!values([&batch]).contains(&33), "thirty-three");
            batch
        });
        let finished = stream.skip_errors().collect().await.unwrap();
        let expected: Vec<i64> = (0..100).filter(|n| *n != 33).collect();
        assert_eq!(values(&finished.value), expected);
        let sample = &finished.summary.errors.samples[0];
        assert_eq!(sample.error_type, ErrorKind::Panic);
        assert!(
            sample.message.contains("thirty-three"),
            "{}",
            sample.message
        );
    }
}

#[tokio::test]
async fn a_misspelt_column_is_no_empty_result() {
    let failed = upto(10, 10)
        .filter(|row| row.i64("m") > Some(3))
        .run()
        .await;
    let failed = failed.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "operation 'filter' failed at items 0 to 9 (chunk 0): there is no column 'm'; there are 'n'"
    );
}

#[tokio::test]
async fn so_many_errors_in_a_chunk_are_enough() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let isolation = Isolation {
        max_errors_per_chunk: Some(3),
        ..Isolation::default()
    };
    let stream = upto(1024, 1024).isolate(isolation).try_map(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Err::<RecordBatch, _>("no")
    });
    let summary = stream.skip_errors().run().await.unwrap();
    assert_eq!(summary.status, Status::Failure, "nothing was delivered");
    assert_eq!(summary.errors.failed_rows, 1024);
    assert!(calls.load(Ordering::SeqCst) < 20);
}

#[tokio::test]
async fn too_large_a_share_of_errors_ends_the_stream() {
    let threshold = ErrorThreshold {
        rate: 0.1,
        minimum_rows: 1000,
    };
    let bad = |n: i64| !(5..=2000).contains(&n);
    let stream = move || {
        upto(10_000, 100)
            .try_filter(move |row| match row.i64("n") {
                Some(n) if bad(n) => Err("bad"),
                _ => Ok(true),
            })
            .skip_errors()
    };
    let failed = stream().error_threshold(threshold).run().await.unwrap_err();
    let StreamError::TooManyErrors {
        failed: bad,
        rows,
        summary,
        ..
    } = failed.error
    else {
        panic!("{failed}");
    };
    assert!(
        rows >= 2000 && bad * 10 > rows,
        "5 of the first 100 are no twentieth of all"
    );
    assert_eq!((summary.rows, summary.status), (1996, Status::Failure));
    assert!(stream().run().await.is_ok());
}

fn down() -> ProcessorError {
    ProcessorError::new(ErrorKind::Connection, "down")
}

#[tokio::test]
async fn what_may_go_away_is_tried_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let policy = RetryPolicy {
        delay: Duration::from_millis(20),
        ..RetryPolicy::default()
    };
    let start = Instant::now();
    let stream = upto(10, 10)
        .then(move |batch| {
            let call = counter.fetch_add(1, Ordering::SeqCst);
            async move { if call < 2 { Err(down()) } else { Ok(batch) } }
        })
        .retry(policy);
    let summary = stream.run().await.unwrap();
    assert_eq!((summary.retries, summary.status), (2, Status::Success));
    assert!(start.elapsed() >= Duration::from_millis(60), "20 and 40");
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_service_that_is_down_is_left_alone() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let breaker = Arc::new(CircuitBreaker::new(3, Duration::from_secs(60)));
    let stream = upto(100, 10)
        .then(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            async { Err::<RecordBatch, _>(down()) }
        })
        .breaker(breaker, "uniprot")
        .skip_errors();
    let summary = stream.run().await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 3, "neither halves nor more");
    let types = summary.errors.error_types;
    assert_eq!(types[&ErrorKind::Connection], 3);
    assert_eq!(types[&ErrorKind::CircuitBreakerOpen], 7);
}

/// Errors of no kind may be of rows, and of a service: rows that are found one by one say which.
#[tokio::test]
async fn a_poison_row_is_not_a_service_that_is_down() {
    let breaker = Arc::new(CircuitBreaker::new(5, Duration::from_secs(60)));
    let stream = upto(10_000, 1000)
        .try_map(|batch| match values([&batch]).contains(&3) {
            true => Err("poison"),
            false => Ok(batch),
        })
        .breaker(Arc::clone(&breaker), "uniprot")
        .skip_errors();
    let finished = stream.collect().await.unwrap();
    assert_eq!(values(&finished.value).len(), 9_999);
    assert!(!breaker.is_open("uniprot"));

    let stream = upto(10_000, 1000)
        .try_map(|_| Err::<RecordBatch, _>("down"))
        .breaker(Arc::clone(&breaker), "uniprot")
        .skip_errors();
    let summary = stream.run().await.unwrap();
    assert!(breaker.is_open("uniprot"));
    assert_eq!(summary.errors.error_types[&ErrorKind::Other], 5);
}

#[tokio::test]
async fn what_cannot_work_says_so_when_it_runs() {
    let failed = upto(10, 10).batch(0).run().await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "operation 'chunk': a chunk has at least 1 row or byte"
    );
    let unknown = upto(10, 10).map(|batch| batch).into_datafusion();
    assert!(unknown.err().unwrap().to_string().contains("expect_schema"));
}

#[tokio::test]
async fn a_source_that_repeats_its_error_ends() {
    let endless = stream::repeat_with(|| Err::<RecordBatch, _>("broken")).boxed();
    let stream = Stream::from_batches("broken", schema(), endless);
    let summary = stream.skip_errors().run().await.unwrap();
    assert_eq!(summary.status, Status::Failure);
}
