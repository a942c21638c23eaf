//! Processors in streams, and the node of logical plans.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion_expr::{LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion_physical_plan::ExecutionPlan;
use datafusion_physical_plan::test::TestMemoryExec;
use futures::StreamExt;

use super::exec::{Odd, Plus};
use super::{plus, schema, upto, values};
use crate::{
    Chunk, ErrorKind, Processor, ProcessorError, ProcessorExec, ProcessorNode, ProcessorOptions,
    RunLog,
};

#[tokio::test]
async fn a_stream_runs_processors_too() {
    let plus = Plus::new(|_| Odd::Fine);
    let stream = upto(100, 10).process(Arc::<Plus>::clone(&plus) as _);
    assert!(plus.calls.lock().is_empty(), "not before it runs");
    // The limit ends the stream before its source does.
    let finished = stream.limit(15).collect().await.unwrap();
    assert_eq!(values(&finished.value), (1..16).collect::<Vec<_>>());
    assert_eq!(*plus.calls.lock(), ["initialize", "finalize"]);
    assert_eq!(finished.summary.processors[0].name, "plus");
}

#[tokio::test]
async fn who_lets_go_of_rows_ends_processors_too() {
    let plus = Plus::new(|_| Odd::Fine);
    let stream = upto(100, 10).process(Arc::<Plus>::clone(&plus) as _);
    let log = stream.log();
    let mut batches = stream.into_batches();
    assert!(batches.next().await.unwrap().is_ok());
    drop(batches);
    while log.summary().processors.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(*plus.calls.lock(), ["initialize", "finalize"]);
}

#[derive(Debug)]
struct Unable;

#[async_trait]
impl Processor for Unable {
    fn name(&self) -> &str {
        "unable"
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, ProcessorError> {
        match input.index_of("n") {
            Ok(_) => Ok(Arc::clone(input)),
            Err(error) => Err(error.into()),
        }
    }

    async fn initialize(&self) -> Result<(), ProcessorError> {
        Err(ProcessorError::new(ErrorKind::Connection, "no database"))
    }

    async fn process_chunk(&self, chunk: Chunk) -> Result<Chunk, ProcessorError> {
        Ok(chunk)
    }
}

/// Never begins, or panics at its end.
#[derive(Debug)]
struct Stuck {
    begins: bool,
}

#[async_trait]
impl Processor for Stuck {
    fn name(&self) -> &str {
        "stuck"
    }

    async fn initialize(&self) -> Result<(), ProcessorError> {
        if !self.begins {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn process_chunk(&self, chunk: Chunk) -> Result<Chunk, ProcessorError> {
        Ok(chunk)
    }

    async fn finalize(&self) -> Result<serde_json::Value, ProcessorError> {
        panic!("no end")
    }
}

#[tokio::test]
async fn what_never_begins_can_be_cancelled() {
    let token = tokio_util::sync::CancellationToken::new();
    let stuck = Arc::new(Stuck { begins: false });
    let stream = upto(10, 10).process(stuck).cancel(token.clone());
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        token.cancel();
    };
    let (failed, ()) = tokio::join!(stream.run(), cancel);
    let error = failed.unwrap_err().error;
    assert!(matches!(error, crate::StreamError::Cancelled { rows: 0 }));
}

#[tokio::test]
async fn a_panic_at_the_end_is_an_error() {
    let stuck = Arc::new(Stuck { begins: true });
    let failed = upto(10, 10).process(stuck).run().await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "operation 'stuck' failed: it panicked: no end"
    );
    assert_eq!(failed.summary.rows, 10);
}

#[tokio::test]
async fn what_cannot_begin_ends_what_has() {
    let (dataset, read) = super::counted(100, 10);
    let plus = Plus::new(|_| Odd::Fine);
    let stream = dataset
        .stream()
        .process(Arc::<Plus>::clone(&plus) as _)
        .process(Arc::new(Unable));
    let failed = stream.run().await.unwrap_err();
    assert_eq!(failed.to_string(), "operation 'unable' failed: no database");
    assert_eq!(*plus.calls.lock(), ["initialize", "finalize"]);
    assert_eq!(read.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_stream_is_a_plan_can_read() {
    let stream = upto(20, 7)
        .map(|batch| plus(&batch, 1))
        .expect_schema(schema());
    let batches = stream.into_datafusion().unwrap();
    let batches = datafusion_physical_plan::common::collect(batches)
        .await
        .unwrap();
    let all = concat_batches(&schema(), &batches).unwrap();
    assert_eq!(values([&all]), (1..21).collect::<Vec<_>>());
}

#[test]
fn the_logical_node_keeps_all_columns() {
    let input = LogicalPlan::EmptyRelation(datafusion_expr::EmptyRelation {
        produce_one_row: false,
        schema: Arc::new(datafusion_common::DFSchema::try_from(schema()).unwrap()),
    });
    let processors: Vec<Arc<dyn Processor>> = vec![Plus::new(|_| Odd::Fine)];
    let log = Arc::new(RunLog::default());
    let options = ProcessorOptions::default();
    let node = ProcessorNode::try_new(input.clone(), processors, options, log).unwrap();
    assert_eq!(node.necessary_children_exprs(&[]), Some(vec![vec![0]]));
    let same = node.with_exprs_and_inputs(Vec::new(), vec![input]).unwrap();
    assert_eq!(node, same);
    let shown = format!(
        "{}",
        LogicalPlan::Extension(datafusion_expr::Extension {
            node: Arc::new(node.clone())
        })
        .display_indent()
    );
    assert!(shown.starts_with("Processor: processors=[plus]"), "{shown}");
    let physical = TestMemoryExec::try_new_exec(&[vec![]], schema(), None).unwrap();
    assert_eq!(node.physical(physical).unwrap().schema(), schema());

    let other: SchemaRef = Arc::new(Schema::empty());
    let physical = TestMemoryExec::try_new_exec(&[vec![]], other, None).unwrap();
    let unable: Vec<Arc<dyn Processor>> = vec![Arc::new(Unable)];
    let failed = ProcessorExec::try_new(
        physical,
        unable,
        ProcessorOptions::default(),
        Arc::new(RunLog::default()),
    );
    assert!(
        failed
            .unwrap_err()
            .to_string()
            .contains("operation 'unable' failed")
    );
}
