//! Processors in plans.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use datafusion_common::DataFusionError;
use datafusion_execution::TaskContext;
use datafusion_physical_plan::test::TestMemoryExec;
use datafusion_physical_plan::{ExecutionPlan, collect, displayable};
use parking_lot::Mutex;

use super::{numbers, plus, schema, values};
use crate::{
    Chunk, ErrorKind, Processor, ProcessorError, ProcessorExec, ProcessorOptions, RetryPolicy,
    RunLog, Status,
};

/// Adds one, and does to some chunks what `odd` says.
#[derive(Debug)]
pub(super) struct Plus {
    odd: fn(i64) -> Odd,
    pub(super) calls: Mutex<Vec<&'static str>>,
    rows: AtomicUsize,
}

pub(super) enum Odd {
    Fine,
    Wait(u64),
    Fail(ErrorKind),
    Panic,
    Hang,
    Columns,
}

impl Plus {
    pub(super) fn new(odd: fn(i64) -> Odd) -> Arc<Self> {
        Arc::new(Self {
            odd,
            calls: Mutex::default(),
            rows: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Processor for Plus {
    fn name(&self) -> &str {
        "plus"
    }

    async fn initialize(&self) -> Result<(), ProcessorError> {
        self.calls.lock().push("initialize");
        Ok(())
    }

    async fn process_chunk(&self, chunk: Chunk) -> Result<Chunk, ProcessorError> {
        for n in values([chunk.batch()]) {
            match (self.odd)(n) {
                Odd::Fine => {}
                Odd::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Odd::Fail(kind) => return Err(ProcessorError::new(kind, format!("{n} failed"))),
                Odd::Panic => panic!("{n} panicked"),
                Odd::Hang => std::future::pending().await,
                Odd::Columns => {
                    let schema = Schema::new(vec![Field::new("m", DataType::Int64, true)]);
                    let columns = chunk.batch().columns().to_vec();
                    let batch = RecordBatch::try_new(Arc::new(schema), columns)?;
                    return Ok(chunk.with_batch(batch));
                }
            }
        }
        self.rows.fetch_add(chunk.rows(), Ordering::SeqCst);
        let batch = plus(chunk.batch(), 1);
        Ok(chunk.with_batch(batch))
    }

    async fn finalize(&self) -> Result<serde_json::Value, ProcessorError> {
        self.calls.lock().push("finalize");
        Ok(serde_json::json!({"rows": self.rows.load(Ordering::SeqCst)}))
    }
}

fn plan(
    rows: usize,
    batch: usize,
    processors: Vec<Arc<dyn Processor>>,
    options: ProcessorOptions,
) -> Arc<ProcessorExec> {
    let batches = (0..rows)
        .step_by(batch)
        .map(|start| numbers(start as i64, batch.min(rows - start)));
    let input = TestMemoryExec::try_new_exec(&[batches.collect()], schema(), None).unwrap();
    let log = Arc::new(RunLog::new(options.limits.clone()));
    Arc::new(ProcessorExec::try_new(input, processors, options, log).unwrap())
}

async fn run(plan: &Arc<ProcessorExec>) -> Result<Vec<i64>, DataFusionError> {
    let plan = Arc::clone(plan) as Arc<dyn ExecutionPlan>;
    let batches = collect(plan, Arc::new(TaskContext::default())).await?;
    Ok(values(&batches))
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rows_are_ten_chunks() {
    let plus = Plus::new(|_| Odd::Fine);
    let processors: Vec<Arc<dyn Processor>> =
        vec![Arc::<Plus>::clone(&plus), Arc::<Plus>::clone(&plus)];
    let plan = plan(10_000, 777, processors, ProcessorOptions::default());
    let rows = run(&plan).await.unwrap();
    assert_eq!(rows, (2..10_002).collect::<Vec<_>>());
    let summary = plan.log().summary();
    assert_eq!(summary.status, Status::Success);
    assert_eq!(
        (summary.chunks, summary.rows, summary.rows_read),
        (10, 10_000, 10_000)
    );
    assert_eq!(summary.errors.total_errors, 0);
    assert_eq!(summary.chunk_results.len(), 10);
    for result in &summary.chunk_results {
        assert_eq!(
            (result.rows_in, result.rows_out, result.errors),
            (1000, 1000, 0)
        );
        assert!(result.memory_bytes < 50_000_000);
    }
    assert_eq!(summary.processors.len(), 2);
    assert_eq!(summary.processors[1].summary["rows"], 20_000);
    let metric = |name: &str| {
        let metrics = plan.metrics().unwrap();
        metrics.sum_by_name(name).map(|value| value.as_usize())
    };
    assert_eq!(metric("chunks"), Some(10));
    assert_eq!(metric("errors"), Some(0));
    assert_eq!(plan.metrics().unwrap().output_rows(), Some(10_000));
    assert!(serde_json::to_value(&summary).unwrap()["status"] == "success");
}

#[tokio::test]
async fn it_is_explained() {
    let plan = plan(
        10,
        10,
        vec![Plus::new(|_| Odd::Fine)],
        ProcessorOptions::default(),
    );
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert_eq!(
        shown.lines().next().unwrap(),
        "ProcessorExec: processors=[plus], chunking=Rows(1000), max_concurrent_chunks=5, \
         backpressure_threshold=10, ordered=true"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_keep_their_order_whatever_they_take() {
    let plus = Plus::new(|n| {
        if n % 100 == 0 {
            Odd::Wait(n as u64 * 7919 % 11)
        } else {
            Odd::Fine
        }
    });
    let options = ProcessorOptions {
        chunking: crate::Chunking::Rows(100),
        ..ProcessorOptions::default()
    };
    let plan = plan(5_000, 450, vec![plus], options);
    assert_eq!(run(&plan).await.unwrap(), (1..5_001).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_cost_themselves() {
    let first = Plus::new(|n| match n {
        1_234 | 4_000 => Odd::Fail(ErrorKind::Validation),
        7_777 => Odd::Panic,
        _ => Odd::Fine,
    });
    let second = Plus::new(|n| match n {
        9_001 => Odd::Fail(ErrorKind::Parse),
        _ => Odd::Fine,
    });
    let plan = plan(
        10_000,
        8_192,
        vec![first, second],
        ProcessorOptions::default(),
    );
    let rows = run(&plan).await.unwrap();
    // The second sees what the first has made.
    let bad = [1_234, 4_000, 7_777, 9_000];
    let expected: Vec<i64> = (0..10_000)
        .filter(|n| !bad.contains(n))
        .map(|n| n + 2)
        .collect();
    assert_eq!(rows, expected);
    let summary = plan.log().summary();
    assert_eq!(summary.status, Status::PartialSuccess);
    assert_eq!(
        (summary.errors.total_errors, summary.errors.failed_rows),
        (4, 4)
    );
    assert_eq!(summary.errors.error_types[&ErrorKind::Panic], 1);
    let items: Vec<_> = summary
        .errors
        .samples
        .iter()
        .map(|it| it.context["item"].clone())
        .collect();
    assert!(
        items.contains(&9_000.into()),
        "the item of the source: {items:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_hangs_is_given_up() {
    let plus = Plus::new(|n| if n == 2_500 { Odd::Hang } else { Odd::Fine });
    let options = ProcessorOptions {
        timeout: Some(Duration::from_millis(100)),
        retry: RetryPolicy::never(),
        error_threshold: None,
        ..ProcessorOptions::default()
    };
    let plan = plan(5_000, 1_000, vec![plus], options);
    assert_eq!(run(&plan).await.unwrap().len(), 4_000);
    let sample = &plan.log().summary().errors.samples[0];
    assert_eq!(
        (sample.error_type, &sample.context["chunk"]),
        (ErrorKind::Timeout, &2.into())
    );
}

#[tokio::test]
async fn errors_can_end_the_statement() {
    let plus = Plus::new(|n| {
        if n == 42 {
            Odd::Fail(ErrorKind::Validation)
        } else {
            Odd::Fine
        }
    });
    let options = ProcessorOptions {
        continue_on_error: false,
        ..ProcessorOptions::default()
    };
    let plan = plan(100, 10, vec![Arc::<Plus>::clone(&plus) as _], options);
    let error = run(&plan).await.unwrap_err().to_string();
    assert!(
        error.contains("operation 'plus' failed at item 42 (chunk 0): 42 failed"),
        "{error}"
    );
    assert_eq!(plan.log().summary().status, Status::Failure);
    assert_eq!(
        *plus.calls.lock(),
        ["initialize", "finalize"],
        "it ends all the same"
    );
}

#[tokio::test]
async fn too_many_errors_end_the_statement() {
    let plus = Plus::new(|n| {
        if n % 5 == 0 {
            Odd::Fail(ErrorKind::Validation)
        } else {
            Odd::Fine
        }
    });
    let plan = plan(5_000, 1_000, vec![plus], ProcessorOptions::default());
    let error = run(&plan).await.unwrap_err();
    assert!(
        error.to_string().contains("more than the share of 0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn other_columns_than_promised_end_the_statement() {
    let plus = Plus::new(|n| if n == 5 { Odd::Columns } else { Odd::Fine });
    let options = ProcessorOptions {
        chunking: crate::Chunking::Rows(2),
        ..ProcessorOptions::default()
    };
    let plan = plan(10, 10, vec![plus], options);
    let error = run(&plan).await.unwrap_err().to_string();
    assert!(
        error.contains("the columns are (m Int64), not (n Int64)"),
        "{error}"
    );
}
