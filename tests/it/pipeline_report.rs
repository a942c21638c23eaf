//! What the report of a run says of bad rows: each once, whatever reads them.

use std::path::Path;

use biotide::ChunksReport;
use biotide::pipeline::run::PipelineReport;

use crate::pipeline::{made_file, run};
use crate::support::{self, Settings, bin};

/// Six thousand rows, some of them without a value's field.
fn table(folder: &Path, bad: impl Fn(usize) -> bool) -> String {
    let mut text = "id,name,value\n".to_owned();
    for i in 0..6000 {
        match bad(i) {
            true => text.push_str(&format!("{i},name {i}\n")),
            false => text.push_str(&format!("{i},name {i},{}\n", i % 97)),
        }
    }
    made_file(folder, "in.csv", &text)
}

fn chunks(report: &PipelineReport) -> &ChunksReport {
    report.sinks[0].chunks.as_ref().unwrap()
}

fn errors(report: &PipelineReport) -> Vec<u64> {
    let results = chunks(report).results.iter();
    results.map(|chunk| chunk.errors).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_row_is_in_one_chunk_of_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv").display().to_string();
    let yaml = |file: &str, more: &str| {
        format!(
            "streaming: {{chunk_size: 1000}}
steps:
- {{name: a, type: load, params: {{file_path: '{file}'}}}}
{more}- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        )
    };
    let third = "- {type: filter, params: {condition: 'id % 3 <> 0'}}\n";
    let file = table(folder.path(), |i| i % 37 == 0);
    let mut seen = Vec::new();
    for threads in [1, 4] {
        let context = Settings::new(threads, 100).context();
        let report = run(&context, &yaml(&file, third)).await;
        assert_eq!((report.rejected, report.sinks[0].rejected), (163, 163));
        // (Of 3892 rows.)
        assert_eq!((chunks(&report).total, chunks(&report).with_errors), (4, 4));
        assert_eq!(errors(&report).iter().sum::<u64>(), 163);
        // The last chunk is nearly full.
        assert!(errors(&report).iter().all(|&errors| errors >= 35));
        seen.push(errors(&report));
    }
    assert_eq!(seen[0], seen[1], "whatever the threads");
    // As many rows as there are records twice over.
    let context = support::context();
    let twice = "- {type: merge_datasets, params: {inputs: [a, a]}}\n";
    let report = run(&context, &yaml(&file, twice)).await;
    assert_eq!((report.rows, report.sinks[0].rejected), (2 * 5837, 163));
    assert_eq!(errors(&report).iter().sum::<u64>(), 163);
    assert_eq!(errors(&report).len(), 12);
    // None is beyond the last.
    let file = table(folder.path(), |i| i >= 5900 && i % 2 == 0);
    let report = run(&context, &yaml(&file, third)).await;
    assert_eq!(errors(&report), [0, 0, 0, 50]);
    let none = "- {type: filter, params: {condition: 'id < 0'}}\n";
    let report = run(&context, &yaml(&file, none)).await;
    assert_eq!((chunks(&report).total, chunks(&report).with_errors), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_rows_are_counted_with_the_row_that_they_stand_behind() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv").display().to_string();
    let good = |rows: std::ops::Range<usize>| -> String {
        rows.map(|i| format!("P12345,{i}\n")).collect()
    };
    // One after every tenth row.
    let every_tenth = |name: &str, bad: &str| {
        let tens = (0..500).map(|ten| format!("{}{bad}\n", good(ten * 10..ten * 10 + 10)));
        let text = format!("id,n\n{}", tens.collect::<String>());
        made_file(folder.path(), name, &text)
    };
    let by_reader = every_tenth("reader.csv", "bad");
    let by_step = every_tenth("step.csv", "bad,0");
    let preamble = "# a note\n".repeat(3000);
    let text = std::fs::read_to_string(&by_step).unwrap();
    let below_notes = made_file(folder.path(), "notes.csv", &format!("{preamble}{text}"));
    // Five near the start of a file, which is read after another one.
    let before = made_file(folder.path(), "b.csv", &format!("id,n\n{}", good(0..1500)));
    let (start, rest) = (good(0..10), good(10..1500));
    let bad = "bad\n".repeat(5);
    let behind = made_file(folder.path(), "a.csv", &format!("id,n\n{start}{bad}{rest}"));
    let validated =
        "column_mappings: [{column_name: id, identifier_type: uniprot}], validate_format: true";
    for (step, expected) in [
        (
            format!("type: load, params: {{chunk_size: 1000, file_path: '{by_reader}'}}"),
            vec![100; 5],
        ),
        (
            format!(
                "type: load_dataset_identifiers, params: {{chunk_size: 1000, file_path: '{by_step}', {validated}}}"
            ),
            vec![100; 5],
        ),
        (
            format!(
                "type: load_dataset_identifiers, params: {{chunk_size: 1000, file_path: '{below_notes}', {validated}}}"
            ),
            vec![100; 5],
        ),
        (
            format!(
                "type: load, params: {{chunk_size: 1000, file_path: ['{before}', '{behind}']}}"
            ),
            vec![0, 5, 0],
        ),
    ] {
        let yaml = format!(
            "steps:\n- {{{step}}}\n- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        );
        for threads in [1, 4] {
            let report = run(&Settings::new(threads, 100).context(), &yaml).await;
            assert_eq!(errors(&report), expected, "{step}");
        }
    }
}

#[test]
fn a_run_that_cannot_begin_has_a_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let file = made_file(folder.path(), "a.tsv", "k\tv\n1\tx\n");
    let yaml = |more: &str| {
        let text = format!(
            "steps:
- {{type: load, params: {{file_path: '{file}'{more}}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            at("o.csv")
        );
        made_file(folder.path(), "p.yaml", &text)
    };
    let told = |yaml: &str, code: i32| -> serde_json::Value {
        bin::run(["run", yaml, "--report", &at("r.json")]).exits(code);
        let text = std::fs::read_to_string(at("r.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(told(&yaml(""), 0)["status"], "success");
    for (more, part) in [(", max_rows: 0", "max_rows is 0"), (", [", "p.yaml")] {
        let report = told(&yaml(more), 1);
        assert_eq!(report["name"], "p");
        assert_eq!(report["status"], "failure");
        let error = report["error"].as_str().unwrap();
        assert!(error.contains(part), "{error}");
    }
    // Not even the pipeline is there.
    assert_eq!(told(&yaml(""), 0)["status"], "success");
    let report = told(&at("none.yaml"), 1);
    assert_eq!(report["name"], "none");
    assert_eq!(report["status"], "failure");
}

#[test]
fn a_report_replaces_nothing_but_a_report_where_the_pipeline_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "steps: [{type: load, params: {file_path: 'a.tsv'}";
    let yaml = made_file(folder.path(), "p.yaml", broken);
    let input = made_file(folder.path(), "a.tsv", "k\tv\n1\tx\n");
    let other = made_file(folder.path(), "o.json", "{\"status\": \"mine\"}");
    for file in [&yaml, &input, &other] {
        let before = std::fs::read_to_string(file).unwrap();
        let run = bin::run(["run", &yaml, "--report", file]).exits(1);
        assert!(run.stderr.contains("is not written over"), "{}", run.stderr);
        assert!(run.stderr.contains("line 1"), "{}", run.stderr);
        assert_eq!(std::fs::read_to_string(file).unwrap(), before);
    }
    let empty = made_file(folder.path(), "e.json", "");
    for _ in 0..2 {
        bin::run(["run", &yaml, "--report", &empty]).exits(1);
        let text = std::fs::read_to_string(&empty).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["status"], "failure");
    }
}

#[test]
fn a_bad_row_of_a_dataset_that_is_used_twice_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let file = made_file(folder.path(), "a.tsv", "k\tv\n1\tx\nbad\n2\ty\n3\tz\n");
    for step in [
        "type: merge_datasets, params: {inputs: [a, a]}",
        "type: join, params: {left: a, right: f, on: k}",
    ] {
        let yaml = format!(
            "steps:
- {{name: a, type: load, params: {{file_path: '{file}'}}}}
- {{name: f, type: filter, params: {{condition: k > 0}}}}
- {{{step}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            at("o.csv")
        );
        let yaml = made_file(folder.path(), "p.yaml", &yaml);
        let ran = bin::run(["run", &yaml, "--report", "json"]).exits(0);
        let ran = ran.says("1 of 4 records rejected (1 too_few_fields)");
        let report = ran.report();
        assert_eq!(bin::number(&report, "rejected"), 1, "{step}");
        let sink = &report["sinks"][0];
        assert_eq!(bin::number(sink, "rejected"), 1, "{step}");
        for (name, expected) in [("records", 4), ("delivered", 3), ("rejected", 1)] {
            let found = bin::number(sink, &format!("scan.{name}"));
            assert_eq!(found, expected, "{step}: {name}");
        }
        assert_eq!(bin::number(&sink["chunks"]["results"][0], "errors"), 1);
    }
}

#[test]
fn the_bad_row_that_ends_a_run_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    // (Two, in different units: the first ends it.)
    let mut text = "id,name\n".to_owned();
    for n in 0..60_000 {
        text.push_str(&match n {
            30_000 | 59_000 => "bad\n".to_owned(),
            _ => format!("{n},name {n}\n"),
        });
    }
    let plain = made_file(folder.path(), "a.csv", &text);
    let packed = folder.path().join("b.csv.gz");
    let packed = support::write(&packed, support::gzip(text.as_bytes()));
    let (log, report) = (at("bad.jsonl"), at("r.json"));
    let read = |file: &str| std::fs::read_to_string(file).unwrap();
    for (file, more) in [
        (&plain, ""),
        (&plain, ", max_rows: 50000"),
        (&packed, ""),
        (&plain, ", columns: [id]"),
    ] {
        let yaml = format!(
            "streaming: {{error_handling: {{continue_on_error: false}}}}
steps:
- {{type: load, params: {{file_path: '{file}'{more}}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            at("o.csv")
        );
        let yaml = made_file(folder.path(), "p.yaml", &yaml);
        for threads in ["1", "4"] {
            let more = [
                "--threads",
                threads,
                "--rejects",
                &*log,
                "--report",
                &*report,
            ];
            let args = ["run", yaml.as_str()].into_iter().chain(more);
            bin::run(args).exits(1).says("line 30002 (record 30001");
            let entries = read(&log);
            assert_eq!(entries.lines().count(), 1, "{file} {threads}: {entries}");
            let entry: serde_json::Value = serde_json::from_str(&entries).unwrap();
            assert_eq!(entry["line"], 30_002);
            assert_eq!(entry["offset"], text.find("bad").unwrap());
            assert_eq!(entry["reason"], "too_few_fields");
            assert_eq!(
                (&entry["action"], &entry["raw"]),
                (&"rejected".into(), &"bad".into())
            );
            let told: serde_json::Value = serde_json::from_str(&read(&report)).unwrap();
            assert_eq!(
                (&told["status"], &told["rejected"]),
                (&"failure".into(), &1.into())
            );
        }
    }
}

#[test]
fn a_run_that_ends_with_too_many_bad_rows_says_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let file = made_file(folder.path(), "a.tsv", "k\tv\n1\tx\nbad\n2\ty\n");
    let yaml = format!(
        "steps:
- {{type: load, params: {{file_path: '{file}', error_threshold: 0.1}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
        at("o.csv")
    );
    let yaml = made_file(folder.path(), "p.yaml", &yaml);
    bin::run(["run", &yaml])
        .exits(1)
        .says("See them with --rejects FILE");
    let log = at("bad.jsonl");
    bin::run(["run", &yaml, "--rejects", &log])
        .exits(1)
        .says(&format!("See them in {log}"));
}

#[test]
fn a_dataset_that_was_kept_says_what_was_set_aside_then() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let text = "k\tv\n1\t5\nbad\n2\t6\n3\t7\n";
    let file = made_file(folder.path(), "a.tsv", text);
    let yaml = format!(
        "steps:
- {{name: a, type: load, params: {{file_path: '{file}'}}}}
- {{name: k, type: cache, params: {{path: '{}'}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
        at("k.parquet"),
        at("o.csv")
    );
    let yaml = made_file(folder.path(), "p.yaml", &yaml);
    let first = bin::run(["run", &yaml, "--report", "json"]).exits(0);
    let first = first.says("1 of 4 records rejected (1 too_few_fields)");
    assert!(first.report()["steps"][1]["kept"].is_null());
    let again = bin::run(["run", &yaml, "--report", "json"]).exits(0);
    let again = again.says(
        "k: as an earlier run has made it, with 1 record rejected (1 too_few_fields); see --rejects FILE",
    );
    assert!(!again.stderr.contains("records rejected"), "{again:?}");
    let (first, again) = (first.report(), again.report());
    assert_eq!(again["steps"][1]["kept"], true);
    for name in ["rejected", "rows"] {
        assert_eq!(bin::number(&again, name), bin::number(&first, name));
    }
    // A file that has changed is read.
    made_file(folder.path(), "a.tsv", &format!("{text}4\t8\n"));
    let made = bin::run(["run", &yaml]).exits(0);
    made.says("1 of 5 records rejected");
}

#[test]
fn what_does_not_run_has_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("r.json").display().to_string();
    bin::run(["run", "p.yaml", "--dry-run", "--report", &report])
        .exits(2)
        .says("cannot be used with");
}
