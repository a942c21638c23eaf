//! Actions of a program in pipelines, datasets and streams of files, and the numbers of steps.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use async_trait::async_trait;
use biotide::pipeline::actions::{Action, INPUT, Kind, OUTPUT, Param};
use biotide::pipeline::run::{PipelineReport, SinkReport, Status};
use biotide::pipeline::spec::{reference_of, schema_of};
use biotide::pipeline::{
    ActionStep, PROCESSOR_PARAMS, Pipeline, PipelineAction, ProcessorAction, RunOptions,
    StepNumbers,
};
use biotide::prelude::*;
use biotide::stream::{Chunk, ErrorKind, Processor, ProcessorError};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{LogicalPlan, ident, lit};

use crate::support;

/// Adds one to `n`, and does to some rows what their number says.
#[derive(Debug)]
struct Plus {
    fails: fn(i64) -> Outcome,
}

enum Outcome {
    Fine,
    Wait(u64),
    Fail(ErrorKind),
    Panic,
    Hang,
}

fn numbers(batch: &RecordBatch) -> Vec<i64> {
    let column = batch.column_by_name("n").unwrap();
    column.as_primitive::<Int64Type>().values().to_vec()
}

#[async_trait]
impl Processor for Plus {
    fn name(&self) -> &str {
        "plus"
    }

    async fn process_chunk(&self, chunk: Chunk) -> Result<Chunk, ProcessorError> {
        let values = numbers(chunk.batch());
        for &n in &values {
            match (self.fails)(n) {
                Outcome::Fine => {}
                Outcome::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Outcome::Fail(kind) => {
                    return Err(ProcessorError::new(kind, format!("{n} is bad")));
                }
                Outcome::Panic => panic!("{n} panicked"),
                Outcome::Hang => std::future::pending().await,
            }
        }
        let more: Int64Array = values.iter().map(|n| n + 1).collect();
        let batch = RecordBatch::try_new(chunk.schema(), vec![Arc::new(more) as ArrayRef])?;
        Ok(chunk.with_batch(batch))
    }
}

/// A context that knows the action `plus`.
fn context(fails: fn(i64) -> Outcome) -> BiotideContext {
    let plus = ProcessorAction::new("plus", "Adds one.", &[], move |_| {
        Ok(Arc::new(Plus { fails }) as Arc<dyn Processor>)
    });
    let builder = BiotideContext::builder().threads(2);
    builder.pipeline_action(Arc::new(plus)).build().unwrap()
}

async fn tried(context: &BiotideContext, yaml: &str) -> Result<PipelineReport, biotide::Error> {
    let pipeline = Pipeline::parse("p.yaml", yaml, &BTreeMap::new(), context.actions())?;
    let options = RunOptions::default();
    context.run_pipeline(&pipeline, &options, &mut ()).await
}

/// The dry-run plan of the one sink.
async fn planned(context: &BiotideContext, yaml: &str) -> String {
    let pipeline = Pipeline::parse("p.yaml", yaml, &BTreeMap::new(), context.actions()).unwrap();
    let options = RunOptions {
        dry_run: true,
        ..RunOptions::default()
    };
    let ran = context.run_pipeline(&pipeline, &options, &mut ()).await;
    ran.unwrap().plans.remove(0).1
}

/// A file of the numbers below `rows`, in their order.
fn file_of(folder: &Path, rows: i64) -> String {
    let lines: String = (0..rows).map(|n| format!("{n}\n")).collect();
    support::write(&folder.join("n.csv"), format!("n\n{lines}"))
}

/// `n.csv`, the action `plus`, and what became of it: the report, and the numbers that were written.
async fn plus(
    rows: i64,
    params: &str,
    fails: fn(i64) -> Outcome,
) -> (Result<PipelineReport, String>, Vec<i64>) {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (file_of(folder.path(), rows), folder.path().join("o.csv"));
    let yaml = format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{name: more, type: plus, params: {{{params}}}}}
- {{type: sink, params: {{to: '{}'}}}}",
        out.display()
    );
    let ran = tried(&context(fails), &yaml).await;
    let text = std::fs::read_to_string(out).unwrap_or_default();
    let written = text.lines().skip(1).map(|line| line.parse().unwrap());
    (ran.map_err(|error| error.to_string()), written.collect())
}

fn steps(sink: &SinkReport) -> Vec<(&str, u64)> {
    let steps = sink.steps.iter();
    steps.map(|step| (step.step.as_str(), step.rows)).collect()
}

/// Keeps the rows below a bound, by DataFusion's frames; then by SQL, as a check of both.
#[derive(Debug)]
struct Below;

#[async_trait]
impl PipelineAction for Below {
    fn action(&self) -> Action {
        const BOUND: Kind = Kind::Integer { min: 0, max: 100 };
        const PARAMS: &[Param] = &[
            INPUT,
            Param::new("bound", BOUND, "The bound.").needed(),
            OUTPUT,
        ];
        Action::new("below", "Keeps rows below a bound.", PARAMS).also(&["less_than"])
    }

    async fn plan(&self, step: &ActionStep<'_>) -> biotide::Result<LogicalPlan> {
        let bound = step.params().integer("bound").unwrap_or(0);
        if bound == 99 {
            return Err(step.error("99 is no bound"));
        }
        assert_eq!(step.columns("load"), ["n"]);
        let query = format!("SELECT n FROM load WHERE n < {bound}");
        assert_eq!(step.sql(&query).await?.schema().fields().len(), 1);
        let rows = DataFrame::new(step.session(), step.input()?);
        let rows = rows.filter(ident("n").lt(lit(bound)))?;
        Ok(rows.into_unoptimized_plan())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_of_the_program_is_a_step_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (file_of(folder.path(), 1000), folder.path().join("o.csv"));
    let builder = BiotideContext::builder().pipeline_action(Arc::new(Below));
    let context = builder.clone().build().unwrap();
    let yaml = |bound: i64| {
        format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: LESS_THAN, params: {{bound: {bound}}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            out.display()
        )
    };
    let report = tried(&context, &yaml(3)).await.unwrap();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "n\n0\n1\n2\n");
    assert_eq!(report.status, Status::Success);
    assert!(report.processors.is_empty());

    let out_of_range = tried(&context, &yaml(101)).await.unwrap_err().to_string();
    assert!(out_of_range.contains("bound is 101"), "{out_of_range}");
    let refused = tried(&context, &yaml(99)).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("p.yaml, line 2, column 3: 99 is no bound"),
        "{refused}"
    );
    // A file that is read elsewhere does not know it.
    let unknown = Pipeline::parse(
        "p.yaml",
        &yaml(3),
        &BTreeMap::new(),
        support::context().actions(),
    );
    assert!(unknown.unwrap_err().to_string().contains("no action"));
    let twice = builder.pipeline_action(Arc::new(Below)).build();
    assert!(twice.unwrap_err().to_string().contains("already"));

    let schema = schema_of(context.actions());
    let bound = &schema["$defs"]["below"]["properties"]["bound"];
    assert_eq!(bound["description"], "The bound.");
    assert!(reference_of(context.actions()).contains("### below"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_rows_cost_themselves() {
    let fails = |n| match n {
        17 | 5_000 | 9_999 => Outcome::Fail(ErrorKind::Validation),
        _ => Outcome::Fine,
    };
    let (report, written) = plus(10_000, "chunk_size: 1000", fails).await;
    let report = report.unwrap();
    assert_eq!((report.rows, written.len()), (9_997, 9_997));
    assert!(written.is_sorted(), "the order of the file");
    assert_eq!(report.status, Status::PartialSuccess);
    let [run] = &report.processors[..] else {
        panic!("{:?}", report.processors);
    };
    assert_eq!(run.step, "more");
    let summary = &run.summary;
    assert_eq!((summary.chunks, summary.chunk_results.len()), (10, 10));
    assert_eq!((summary.rows_read, summary.rows), (10_000, 9_997));
    assert_eq!(summary.errors.total_errors, 3);
    assert_eq!(
        summary
            .errors
            .samples
            .iter()
            .map(|it| it.count)
            .sum::<u64>(),
        3
    );
    let sample = &summary.errors.samples[0];
    assert!(sample.message.ends_with("is bad") && sample.operation == "plus");
    let n = sample.context["record"]["n"].as_i64().unwrap();
    assert_eq!(sample.context["item"], n);
    assert_eq!(sample.context["chunk"], n / 1000);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["status"], "partial_success");
    assert_eq!(json["processors"][0]["errors"]["total_errors"], 3);
    assert_eq!(steps(&report.sinks[0]), [("load", 10_000), ("more", 9_997)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_that_ends_the_run_names_the_step() {
    let always = |_| Outcome::Fail(ErrorKind::Connection);
    let (report, written) = plus(10_000, "max_retries: 0", always).await;
    let error = report.unwrap_err();
    assert!(
        error.starts_with("p.yaml, line 2, column 3, step more: ")
            && error.contains("more than the share of 0.1")
            && error.contains("is bad"),
        "{error}"
    );
    assert!(written.is_empty(), "what is not complete has no name");

    let once = |n| match n {
        4_321 => Outcome::Fail(ErrorKind::Validation),
        _ => Outcome::Fine,
    };
    let (report, _) = plus(10_000, "continue_on_error: false", once).await;
    let error = report.unwrap_err();
    assert!(
        error.contains("step more: operation 'plus' failed at item 4321 (chunk 4): 4321 is bad"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_costs_its_row() {
    let panics = |n| match n {
        77 => Outcome::Panic,
        _ => Outcome::Fine,
    };
    let (report, written) = plus(10_000, "", panics).await;
    let errors = &report.unwrap().processors[0].summary.errors;
    assert_eq!(written.len(), 9_999);
    assert_eq!(errors.error_types[&ErrorKind::Panic], 1);
    let (report, _) = plus(10_000, "continue_on_error: false", panics).await;
    let error = report.unwrap_err();
    assert!(
        error.contains("step more") && error.contains("77"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_is_given_up() {
    let hangs = |n| match n {
        2_500 => Outcome::Hang,
        _ => Outcome::Fine,
    };
    let params = "timeout_s: 1, max_retries: 0, continue_on_error: false";
    let (report, _) = plus(5_000, params, hangs).await;
    let error = report.unwrap_err();
    assert!(
        error.contains("step more") && error.contains("given up after 1000 ms"),
        "{error}"
    );
    let params = "timeout_s: 1, max_retries: 0, error_threshold: 0.5";
    let (report, written) = plus(5_000, params, hangs).await;
    assert_eq!(report.unwrap().status, Status::PartialSuccess);
    assert_eq!(written.len(), 4_000, "the chunk is lost, and no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rows_keep_their_order_whatever_a_chunk_takes() {
    let waits = |n| match n % 100 {
        0 => Outcome::Wait(n as u64 * 7919 % 11),
        _ => Outcome::Fine,
    };
    let (report, written) = plus(10_000, "chunk_size: 100, max_concurrent_chunks: 8", waits).await;
    assert_eq!(written, (1..10_001).collect::<Vec<_>>());
    assert_eq!(report.unwrap().processors[0].summary.chunks, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_read_is_no_error_of_a_processor() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..5_000).map(|n| format!("{n}\n")).collect();
    let whole = support::gzip(format!("n\n{lines}").as_bytes());
    let file = folder.path().join("n.csv.gz");
    let file = support::write(&file, &whole[..whole.len() - 2_000]);
    let out = folder.path().join("o.csv");
    let yaml = format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: plus}}
- {{type: sink, params: {{to: '{}'}}}}",
        out.display()
    );
    let error = tried(&context(|_| Outcome::Fine), &yaml).await.unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("p.yaml, line 1, column 3, step load: ") && error.contains("n.csv.gz"),
        "{error}"
    );
    assert!(!out.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_tells_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (file_of(folder.path(), 10_000), folder.path().join("o.csv"));
    let run = async |steps: &str| -> Vec<StepNumbers> {
        let yaml = format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}
{steps}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            out.display()
        );
        let report = tried(&context(|_| Outcome::Fine), &yaml).await.unwrap();
        let numbers = report.sinks[0].steps.clone();
        for step in &numbers {
            assert!(step.batches > 0 && step.seconds >= 0.0, "{step:?}");
            let mean = step.seconds * 1e3 / step.batches as f64;
            assert!((step.mean_batch_ms - mean).abs() < 1e-9, "{step:?}");
        }
        numbers
    };
    let rows = |numbers: &[StepNumbers]| -> Vec<(String, u64)> {
        let numbers = numbers.iter();
        numbers.map(|it| (it.step.clone(), it.rows)).collect()
    };
    let named = |rows: &[(&str, u64)]| -> Vec<(String, u64)> {
        let rows = rows.iter();
        rows.map(|(name, rows)| ((*name).to_owned(), *rows))
            .collect()
    };
    // What the filter leaves out is left out by the reader.
    let numbers = run("- {type: derive, params: {columns: {m: n * 2}}}
- {type: filter, params: {condition: 'n >= 2500'}}")
    .await;
    let expected = named(&[("load", 7_500), ("derive", 7_500), ("filter", 7_500)]);
    assert_eq!(rows(&numbers), expected);
    // A filter of what a processor made cannot.
    let numbers = run("- {type: plus}
- {type: filter, params: {condition: 'n > 4000'}}")
    .await;
    let expected = named(&[("load", 10_000), ("plus", 10_000), ("filter", 6_000)]);
    assert_eq!(rows(&numbers), expected);
    // One that is used twice is one.
    let query = "SELECT n FROM load UNION ALL SELECT n FROM load";
    let numbers = run(&format!("- {{type: sql, params: {{query: '{query}'}}}}")).await;
    assert_eq!(rows(&numbers), named(&[("load", 20_000), ("sql", 20_000)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_hide_nothing_from_the_optimizer() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..100).map(|n| format!("{n},x{n},{}\n", n % 7)).collect();
    let file = support::write(&folder.path().join("f.csv"), format!("id,name,v\n{lines}"));
    let context = support::context();
    let scan = |plan: &str| -> String {
        let line = plan.lines().find(|line| line.contains("DataSourceExec"));
        line.unwrap().trim().to_owned()
    };
    let predicate = |scan: &str| -> String {
        let predicate = scan.split_once("predicate=").unwrap().1;
        predicate.trim_end_matches("\\n").to_owned()
    };
    let load = format!("- {{type: load, params: {{file_path: '{file}'}}}}");
    let yaml = format!(
        "{load}
- {{type: derive, params: {{columns: {{w: v + 1}}}}}}
- {{type: filter, params: {{condition: 'id > 90'}}}}
- {{type: sink, params: {{to: x.csv, columns: [w]}}}}"
    );
    let plan = planned(&context, &yaml).await;
    for step in ["StepExec: load", "StepExec: derive", "StepExec: filter"] {
        assert!(plan.contains(step), "{plan}");
    }
    assert!(
        !plan.contains("FilterExec"),
        "the filter is the reader's:\n{plan}"
    );
    let sql = format!("EXPLAIN SELECT v + 1 AS w FROM '{file}' WHERE id > 90");
    let of_sql = support::query(&context, &sql).await.0;
    let of_sql = of_sql.iter().find(|row| row[0] == "physical_plan").unwrap();
    let (ours, of_sql) = (scan(&plan), scan(&of_sql[1]));
    assert_eq!(predicate(&ours), predicate(&of_sql));
    assert!(
        !ours.contains("name"),
        "a column that nobody asks for:\n{plan}"
    );

    let yaml = format!(
        "{load}
- {{type: sql, params: {{query: 'SELECT name FROM load LIMIT 3'}}}}
- {{type: sink, params: {{to: x.csv}}}}"
    );
    let plan = planned(&context, &yaml).await;
    let scan = scan(&plan);
    assert!(
        scan.contains("projection=[name]") && scan.contains("limit=3"),
        "{plan}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dataset_is_read_by_many_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = file_of(folder.path(), 20_000);
    let context = support::context();
    let dataset = context.dataset(&file).await.unwrap();
    assert_eq!(dataset.metadata().rows, None);
    assert!(dataset.metadata().streaming_supported);
    assert!(dataset.metadata().recommended_batch_size > 0);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let dataset = dataset.clone();
            std::thread::spawn(move || {
                let batches = dataset.stream().into_blocking().unwrap();
                let read = batches.flat_map(|batch| numbers(&batch.unwrap()));
                read.collect::<Vec<_>>()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), (0..20_000).collect::<Vec<_>>());
    }

    let sql = format!("CREATE VIEW many AS SELECT n FROM '{file}'");
    context.sql(&sql).await.unwrap();
    let summary = context.dataset("many").await.unwrap().stream().run().await;
    assert_eq!(summary.unwrap().rows, 20_000);
    let query = format!("SELECT n FROM '{file}' ORDER BY n DESC");
    let sorted = context.query_dataset(&query).await.unwrap();
    assert!(!sorted.metadata().streaming_supported);
    let first = sorted.stream().limit(1).collect().await.unwrap();
    assert_eq!(numbers(&first.value[0]), [19_999]);
    assert!(context.dataset("nowhere.csv").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_a_file_keeps_its_order_through_operations() {
    let folder = tempfile::tempdir().unwrap();
    let file = file_of(folder.path(), 10_000);
    let add = |k: i64| {
        move |chunk: Chunk| {
            let more: Int64Array = numbers(chunk.batch()).iter().map(|n| n + k).collect();
            let batch = RecordBatch::try_new(chunk.schema(), vec![Arc::new(more) as ArrayRef])?;
            Ok(chunk.with_batch(batch))
        }
    };
    let stream = biotide::stream(&file).await.unwrap();
    let rows = stream
        .batch(100)
        .parallel(4)
        .filter(|row| row.i64("n").is_some_and(|n| n % 3 == 0))
        .transform(add(1))
        .transform(add(10))
        .filter(|row| row.i64("n").is_some_and(|n| n % 2 == 0))
        .collect()
        .await
        .unwrap();
    let found: Vec<i64> = rows.value.iter().flat_map(numbers).collect();
    let expected = (0..10_000).filter(|n| n % 3 == 0).map(|n| n + 11);
    assert_eq!(found, expected.filter(|n| n % 2 == 0).collect::<Vec<_>>());
}

#[test]
fn parameters_of_processors_have_a_default_or_none() {
    let without = PROCESSOR_PARAMS
        .iter()
        .filter(|param| param.default.is_none());
    let names: Vec<&str> = without.map(|param| param.name).collect();
    assert_eq!(names, ["timeout_s"]);
}
