//! How a run goes about its work: chunks, progress, limits, what is told of it.

use std::path::Path;

use biotide::pipeline::run::{
    PipelineReport, RunObserver, RunProgress, Status, StepReport, StepStarted,
};
use biotide::pipeline::{Pipeline, RunOptions};
use biotide::prelude::*;

use crate::support;

/// Rows `id,name,value`, every so many of them without a value's field.
fn table(folder: &Path, rows: usize, bad: impl Fn(usize) -> bool) -> String {
    let mut text = "id,name,value\n".to_owned();
    for i in 0..rows {
        match bad(i) {
            true => text.push_str(&format!("{i},name {i}\n")),
            false => text.push_str(&format!("{i},name {i},{}.25\n", i % 97)),
        }
    }
    support::write(&folder.join("in.csv"), text)
}

/// Takes down what it is told.
#[derive(Debug, Default)]
struct Told {
    lines: Vec<String>,
    progress: Vec<RunProgress>,
    report: Option<PipelineReport>,
}

impl RunObserver for Told {
    fn step_started(&mut self, step: &StepStarted<'_>) {
        let (number, steps) = (step.number, step.steps);
        self.lines.push(format!("{} {number}/{steps}", step.step));
    }

    fn sink_started(&mut self, step: &str, monitor: &Monitor) {
        assert_eq!(monitor.written(), 0);
        self.lines.push(format!("{step} starts"));
    }

    fn progressed(&mut self, progress: &RunProgress) {
        self.progress.push(progress.clone());
    }

    fn step_finished(&mut self, step: &StepReport) {
        self.lines.push(format!("{} ends", step.name));
    }

    fn finished(&mut self, report: &PipelineReport) {
        self.report = Some(report.clone());
    }

    fn failed(&mut self, report: &PipelineReport) {
        self.report = Some(report.clone());
    }
}

async fn run(context: &BiotideContext, yaml: &str) -> (Result<PipelineReport, String>, Told) {
    let pipeline =
        Pipeline::parse("p.yaml", yaml, &Default::default(), &Default::default()).unwrap();
    let mut told = Told::default();
    let ran = context
        .run_pipeline(&pipeline, &RunOptions::default(), &mut told)
        .await;
    (ran.map_err(|error| error.to_string()), told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_rows_are_ten_chunks_of_a_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 10_000, |_| false);
    for ending in ["csv", "jsonl", "parquet", "arrow"] {
        let out = folder.path().join(format!("out.{ending}"));
        let yaml = format!(
            "steps:
- {{type: STREAMING_DATA_PROCESSOR, params: {{file_path: '{input}', chunk_size: 1000, output_context_key: r}}}}
- {{type: sink, params: {{to: '{}'}}}}",
            out.display()
        );
        let (ran, told) = run(&support::context(), &yaml).await;
        let report = ran.unwrap();
        assert_eq!(
            (report.rows, report.rejected, report.status),
            (10_000, 0, Status::Success)
        );
        let chunks = report.sinks[0].chunks.as_ref().unwrap();
        assert_eq!(
            (chunks.size, chunks.total, chunks.with_errors),
            (1000, 10, 0)
        );
        let rows: Vec<u64> = chunks.results.iter().map(|chunk| chunk.rows).collect();
        assert_eq!(rows, [1000; 10]);
        // (In the megabytes, as the pool has them.)
        assert!(
            chunks
                .results
                .iter()
                .all(|chunk| chunk.memory_bytes < 50_000_000)
        );
        assert_eq!(
            told.lines,
            [
                "load 1/2",
                "load ends",
                "sink 2/2",
                "sink starts",
                "sink ends"
            ]
        );
        assert_eq!(told.report.map(|report| report.rows), Some(10_000));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_told_when_an_interval_is_crossed() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 100_001, |_| false);
    let out = folder.path().join("out.csv").display().to_string();
    for (more, least, most) in [
        ("progress_interval: 30000", 3, 3),
        ("progress_interval: 1000, max_rows: 10500", 2, 10),
        ("report_progress: false, progress_interval: 10", 0, 0),
        ("progress_interval: 200000", 0, 0),
    ] {
        let yaml = format!(
            "steps:
- {{type: load, params: {{file_path: '{input}', {more}}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        );
        let (ran, told) = run(&support::context(), &yaml).await;
        let rows = ran.unwrap().rows;
        let seen = told.progress.len();
        assert!((least..=most).contains(&seen), "{more}: {seen}");
        assert!(told.progress.is_sorted_by_key(|progress| progress.rows));
        assert!(told.progress.iter().all(|progress| progress.rows <= rows
            && progress.memory > 0
            && progress.bytes <= progress.bytes_total));
        if more.contains("max_rows") {
            assert_eq!(rows, 10_500);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_has_no_more_errors_than_it_may_have() {
    let folder = tempfile::tempdir().unwrap();
    // Three bad rows in the fifth chunk of the file, one in the seventh.
    let input = table(folder.path(), 10_000, |i| {
        matches!(i, 4100 | 4500 | 4999 | 6000)
    });
    let out = folder.path().join("out.csv");
    let to = out.display();
    let rejects = folder.path().join("bad.jsonl");
    let yaml = |most: u64| {
        format!(
            "streaming:
  chunk_size: 1000
  error_handling: {{max_errors_per_chunk: {most}, error_output_path: '{}'}}
steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: sink, params: {{to: '{to}', mode: replace}}}}",
            rejects.display()
        )
    };
    let (ran, _) = run(&support::context(), &yaml(3)).await;
    let report = ran.unwrap();
    assert_eq!((report.rows, report.rejected), (9996, 4));
    assert_eq!(report.status, Status::PartialSuccess);
    let chunks = report.sinks[0].chunks.as_ref().unwrap();
    assert_eq!((chunks.total, chunks.with_errors), (10, 2));
    let errors: Vec<u64> = chunks.results.iter().map(|chunk| chunk.errors).collect();
    // (The last one stands behind row 5997 of those that are good.)
    assert_eq!(errors, [0, 0, 0, 0, 3, 1, 0, 0, 0, 0]);
    let bad = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(bad.lines().count(), 4);
    assert!(bad.contains("\"line\":4102"), "{bad}");

    std::fs::remove_file(&out).unwrap();
    let (ran, told) = run(&support::context(), &yaml(2)).await;
    let error = ran.unwrap_err();
    for word in ["in.csv", "4001 to 5000", "max_errors_per_chunk"] {
        assert!(error.contains(word), "{error}");
    }
    // Nothing half written, and the report says what happened.
    assert!(!out.exists());
    let report = told.report.unwrap();
    assert_eq!(report.status, Status::Failure);
    assert_eq!(report.error.as_deref(), Some(error.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_has_its_share_of_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 200_000, |_| false);
    let out = folder.path().join("out.csv").display().to_string();
    let context = BiotideContext::builder()
        .threads(2)
        .memory_limit(1 << 30)
        .build()
        .unwrap();
    let limit_of = async |streaming: &str, step: &str| {
        let yaml = format!(
            "streaming: {{{streaming}}}
steps:
- {{type: load, params: {{file_path: '{input}'{step}}}}}
- {{type: sql, params: {{query: 'SELECT * FROM load ORDER BY name DESC, id'}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        );
        let (ran, _) = run(&context, &yaml).await;
        let report = ran.unwrap();
        assert_eq!(report.rows, 200_000);
        let memory = &report.sinks[0].memory;
        assert!(memory.pool_peak <= memory.pool, "{memory:?}");
        let sorted = std::fs::read(&out).unwrap();
        (memory.limit >> 20, memory.spilled_bytes > 0, sorted)
    };
    let (limit, spills, whole) = limit_of("", "").await;
    assert_eq!((limit, spills), (500, false));
    let (limit, spills, sorted) = limit_of("", ", memory_limit_mb: 50").await;
    assert_eq!((limit, spills), (50, true));
    assert!(sorted == whole);
    let section = "memory_management: {max_memory_mb: 60}";
    let (limit, _, sorted) = limit_of(section, "").await;
    assert_eq!(limit, 60);
    assert!(sorted == whole);
    // More than the session has it cannot give.
    let section = "memory_management: {max_memory_mb: 5000}";
    assert_eq!(limit_of(section, "").await.0, 1024);
    assert_eq!(context.session().runtime_env().memory_pool.reserved(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_bounded_a_run_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 300_000, |_| false);
    let out = folder.path().join("out.jsonl").display().to_string();
    let yaml = format!(
        "steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: derive, name: heavy, params: {{columns: {{found: 'levenshtein(repeat(name, 9), repeat(reverse(name), 9))'}}}}}}
- {{type: sink, params: {{to: '{out}'}}}}"
    );
    let (ran, _) = run(&support::context(), &yaml).await;
    let report = ran.unwrap();
    let flow = report.sinks[0].flow.as_ref().unwrap();
    assert!(flow.seconds > 0.0 && flow.steps <= flow.seconds, "{flow:?}");
    let [tuning] = report.tuning.as_slice() else {
        panic!("{:?}", report.tuning);
    };
    assert_eq!(tuning.sink, "sink");
    assert!(!tuning.because.is_empty() && !tuning.change.is_empty());
}

/// The functions of a step are called once, whatever parts of their answers it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_calls_its_function_once() {
    let folder = tempfile::tempdir().unwrap();
    let input = support::write(
        &folder.path().join("in.csv"),
        "id\nP12345\nsp|P04637|P53_HUMAN\nzzz\n",
    );
    let out = folder.path().join("out.csv").display().to_string();
    let yaml = format!(
        "steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: parse, params: {{column: id, identifier_type: uniprot}}}}
- {{type: sink, params: {{to: '{out}'}}}}"
    );
    let pipeline = Pipeline::parse("p.yaml", &yaml, &Default::default(), &Default::default());
    let options = RunOptions {
        dry_run: true,
        ..RunOptions::default()
    };
    let context = support::context();
    let report = context
        .run_pipeline(&pipeline.unwrap(), &options, &mut ())
        .await;
    let plan = &report.unwrap().plans[0].1;
    assert_eq!(plan.matches("id_split(").count(), 1, "{plan}");
    assert!(!plan.contains("RoundRobin"), "{plan}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identifiers_are_found_without_being_told_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "id\nP12345\nENSG00000141510\nzzz\n\"P58401, Q9P2S2\"\nsp|P04637|P53_HUMAN\nC00031\n";
    let input = support::write(&folder.path().join("in.csv"), text);
    let out = folder.path().join("out.csv").display().to_string();
    let made = async |format: &str, columns: &str| {
        let yaml = format!(
            "steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: parse, params: {{column: id, output_format: {format}}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        );
        let context = support::context();
        run(&context, &yaml).await.0.unwrap();
        support::query(&context, &format!("SELECT {columns} FROM '{out}'"))
            .await
            .0
    };
    let rows = made("columns", "id_id, id_namespace, id_verdict").await;
    let expected = [
        ["P12345", "uniprot", "ok"],
        ["ENSG00000141510", "ensembl", "ok"],
        ["NULL", "NULL", "unmapped"],
        ["P58401", "uniprot", "ok"],
        ["P04637", "uniprot", "repaired"],
        ["C00031", "kegg.compound", "ok"],
    ];
    assert_eq!(rows, expected.map(|row| row.map(str::to_owned).to_vec()));
    let rows = made("rows", "id_id").await;
    let ids: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let expected = [
        "P12345",
        "ENSG00000141510",
        "NULL",
        "P58401",
        "Q9P2S2",
        "P04637",
        "C00031",
    ];
    assert_eq!(ids, expected);
}
