//! What a run keeps, tells and leaves behind.

use std::path::Path;

use biotide::pipeline::run::Status;
use biotide::prelude::*;

use crate::pipeline::{made_file, rows, run, tried};
use crate::support::{self, Settings, bin};

/// Two bad rows of four.
const BAD: &str = "id\tname\n1\ta\n2\n3\tc\n4\n";

fn lines(file: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let line = |line: &str| serde_json::from_str(line).unwrap();
    text.lines().map(line).collect()
}

async fn count(context: &BiotideContext, what: &str) -> usize {
    let mut query = context.sql(&format!("SELECT * FROM {what}")).await.unwrap();
    let batches = query.collect().await.unwrap();
    batches.iter().map(|batch| batch.num_rows()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_rows_are_written_once_however_often_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", BAD);
    let at = |name: &str| folder.path().join(name).display().to_string();
    for log in ["bad.jsonl", "bad.parquet"] {
        let context = support::context();
        let yaml = format!(
            "streaming: {{error_handling: {{error_output_path: '{}'}}}}
steps:
- {{type: load, params: {{file_path: '{file}', error_threshold: 0.9}}}}
- {{type: validate, params: {{checks: [{{column: id, check: not_null}}]}}}}
- {{name: a, type: sink, params: {{to: '{}', mode: replace}}}}
- {{name: b, type: sink, params: {{input: load, to: '{}', mode: replace}}}}",
            at(log),
            at("a.csv"),
            at("b.csv")
        );
        let report = run(&context, &yaml).await;
        assert_eq!((report.rejected, report.rows), (2, 4), "{log}");
        assert_eq!(report.status, Status::PartialSuccess);
        let bad = rows(&context, &at(log)).await;
        assert_eq!(bad.len(), 2, "{bad:?}");
        // (The session shows each statement's, as it does elsewhere.)
        assert!(count(&context, "system.rejects").await >= 2);
    }
    assert_eq!(lines(Path::new(&at("bad.jsonl")))[1]["line"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_says_where_bad_rows_go_before_the_pipeline_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", BAD);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let yaml = format!(
        "streaming: {{error_handling: {{error_output_path: '{}'}}}}
steps:
- {{type: load, params: {{file_path: '{file}', error_threshold: 0.9}}}}
- {{type: sink, params: {{to: '{}'}}}}",
        at("theirs.jsonl"),
        at("o.csv")
    );
    let yaml = made_file(folder.path(), "p.yaml", &yaml);
    let ours = at("ours.jsonl");
    bin::run(["run", &yaml, "--rejects", &ours, "--fail-on-rejects", "1"]).exits(3);
    assert_eq!(lines(Path::new(&ours)).len(), 2);
    assert!(!Path::new(&at("theirs.jsonl")).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_rows_of_a_run_that_fails_are_written_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "id\tname\n".to_owned();
    for n in 0..500 {
        text.push_str(if n % 2 == 0 { "1\ta\n" } else { "1\n" });
    }
    let file = made_file(folder.path(), "f.tsv", &text);
    let log = folder.path().join("bad.jsonl");
    let error = tried(
        &support::context(),
        &format!(
            "streaming: {{error_handling: {{error_output_path: '{}'}}}}
steps:
- {{type: load, params: {{file_path: '{file}', error_threshold: 0.05}}}}
- {{type: sink, params: {{to: '{}'}}}}",
            log.display(),
            folder.path().join("o.csv").display()
        ),
    )
    .await
    .unwrap_err();
    assert!(error.contains("error_threshold"), "{error}");
    assert!(lines(&log).len() > 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_is_of_its_options_and_tells_what_was_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.txt", BAD);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (kept, bad, out) = (at("kept.parquet"), at("bad.jsonl"), at("o.csv"));
    let yaml = |options: &str, more: &str| {
        format!(
            "streaming: {{error_handling: {{error_output_path: '{bad}'}}}}
steps:
- {{type: load, params: {{file_path: '{file}', file_format: tsv, error_threshold: 0.9{options}}}}}
- {{type: cache, params: {{path: '{kept}'}}}}
{more}- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        )
    };
    let made = || std::fs::metadata(&kept).unwrap().modified().unwrap();
    let context = support::context();
    let first = run(&context, &yaml("", "")).await;
    let (before, told) = (made(), std::fs::read_to_string(&bad).unwrap());
    assert_eq!((first.rejected, told.lines().count()), (2, 2));
    // What comes after is no matter, and the bad rows are told as before.
    let filter = "- {type: filter, params: {condition: id > 1}}\n";
    let again = run(&context, &yaml("", filter)).await;
    assert_eq!((again.rows, again.rejected), (1, 2));
    assert_eq!(again.status, Status::PartialSuccess);
    assert_eq!(made(), before);
    assert_eq!(std::fs::read_to_string(&bad).unwrap(), told);
    // Read otherwise it is another one.
    run(&context, &yaml(", null_values: [a]", "")).await;
    assert_ne!(made(), before);
    assert_eq!(rows(&context, &out).await, [["1", "NULL"], ["3", "c"]]);
    for path in [at("kept.csv"), "s3://here/kept.parquet".to_owned()] {
        let elsewhere = yaml("", "").replace(&kept, &path);
        let error = tried(&context, &elsewhere).await.unwrap_err();
        assert!(
            error.contains("path: it is a local file of Parquet"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_with_a_run_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let temp = folder.path().join("temp");
    let file = made_file(folder.path(), "f.tsv", "id\n1\n2\n");
    let out = folder.path().join("o.csv").display().to_string();
    let context = Settings::new(2, 8192).builder().temp_dir(&temp);
    let context = context.build().unwrap();
    let left = || {
        let files = std::fs::read_dir(&temp).unwrap();
        files
            .filter(|file| file.as_ref().unwrap().path().is_file())
            .count()
    };
    // (No folder can be made below a file.)
    let below = format!("{file}/all.csv");
    for sink in [&out, &below] {
        let yaml = format!(
            "{}steps:
- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: cache, params: {{}}}}
- {{type: sink, params: {{to: '{sink}'}}}}",
            mapping(folder.path())
        );
        assert_eq!(tried(&context, &yaml).await.is_ok(), *sink == out);
        assert_eq!(left(), 0);
        assert_eq!(count(&context, "system.mappings").await, 0);
    }
    // Of two mappings the second cannot be made: the first does not stay.
    let yaml = format!(
        "{}  n: /nowhere/map.tsv
steps:
- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: sink, params: {{to: '{out}'}}}}",
        mapping(folder.path())
    );
    let error = tried(&context, &yaml).await.unwrap_err();
    assert!(error.contains("mapping n"), "{error}");
    assert_eq!(count(&context, "system.mappings").await, 0);
}

fn mapping(folder: &Path) -> String {
    let map = made_file(folder, "map.tsv", "a\tb\nchebi:15377\tkegg:C1\n");
    format!("mappings:\n  m: \"pairs('{map}', subject => 'a', object => 'b')\"\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_datasets_are_found_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n2\n");
    let out = folder.path().join("o.csv").display().to_string();
    let context = support::context();
    let yaml = |second: &str, query: &str| {
        format!(
            "- {{name: Proteins, type: load, params: {{file_path: '{file}'}}}}
- {{name: {second}, type: filter, params: {{input: proteins, condition: id > 1}}}}
- {{type: sql, params: {{query: '{query}'}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        )
    };
    for query in [
        "SELECT * FROM Proteins",
        "SELECT * FROM \"Proteins\"",
        "SELECT p.* FROM PROTEINS p JOIN Few f ON p.id = f.id OR p.id = 1",
    ] {
        assert_eq!(run(&context, &yaml("few", query)).await.rows, 2, "{query}");
    }
    let error = tried(&context, &yaml("PROTEINS", "SELECT 1")).await;
    let error = error.unwrap_err();
    assert!(error.contains("p.yaml, line 2"), "{error}");
    assert!(error.contains("there is 'Proteins' already"), "{error}");
    let near = yaml("few", "SELECT 1").replace("input: proteins", "input: protiens");
    let error = tried(&context, &near).await.unwrap_err();
    assert!(error.contains("did you mean 'Proteins'?"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_need_not_write_rows() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n2\n");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let context = support::context();
    // Its only sink is not required, and fails.
    let yaml = format!(
        "steps:
- {{name: a, action: {{type: load, params: {{file_path: '{file}'}}}}}}
- {{name: b, is_required: false, action: {{type: sink, params: {{to: '{file}/all.csv'}}}}}}"
    );
    let report = run(&context, &yaml).await;
    assert_eq!(report.status, Status::PartialSuccess);
    assert!(report.steps[1].failed.is_some());
    // It checks, and that is all.
    let yaml = format!(
        "- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: validate, params: {{checks: [{{column: id, check: unique}}], report_path: '{}'}}}}",
        at("quality.json")
    );
    let report = run(&context, &yaml).await;
    assert_eq!((report.status, report.checks.len()), (Status::Success, 1));
    assert!(Path::new(&at("quality.json")).exists());
    // The condition of its sink does not hold.
    let yaml = format!(
        "steps:
- {{name: a, action: {{type: load, params: {{file_path: '{file}'}}}}}}
- {{name: b, condition: '1 > 2', action: {{type: sink, params: {{to: '{}'}}}}}}",
        at("o.csv")
    );
    assert_eq!(run(&context, &yaml).await.status, Status::Success);
    assert!(!Path::new(&at("o.csv")).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_that_say_nothing_of_a_sink_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n2\n");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (text, table) = (at("o.csv"), format!("sqlite:{}/t", at("o.db")));
    for (to, parameter, problem) in [
        (&text, "key: [id]", "key: it is of a table of a database"),
        (&text, "transaction: once", "transaction: it is of a table"),
        (&text, "create: true", "create: it is of a table"),
        (
            &table,
            "partition_by: [id]",
            "partition_by: it is of a file",
        ),
        (&table, "compression: gzip", "compression: it is of a file"),
        (&table, "format: csv", "format: it is of a file"),
        (&table, "key: [id]", "key: it is of mode: upsert"),
    ] {
        let yaml = format!(
            "- {{type: load, params: {{file_path: '{file}'}}}}\n- {{type: sink, params: {{to: '{to}', {parameter}}}}}"
        );
        let error = tried(&support::context(), &yaml).await.unwrap_err();
        assert!(error.contains(problem), "{problem} is missing in: {error}");
        assert!(error.contains("p.yaml, line 2"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_written_is_told_before_anything_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n2\n");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let database = format!("sqlite:{}/t", at("there.db"));
    bin::convert(&[&file, &database]);
    let (out, odd) = (at("o.csv"), at("o.xyz"));
    let steps = |last: &str| {
        let first = at("first.csv");
        let yaml = format!(
            "steps:
- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: sink, params: {{to: '{first}', mode: replace}}}}
- {{name: last, {last}}}
"
        );
        made_file(folder.path(), "p.yaml", &yaml)
    };
    // (Whether it is told before the first step too.)
    for (last, problem, early) in [
        (
            format!("type: sink, params: {{to: '{odd}'}}"),
            ": to: 'xyz' is not a format that can be written; use parquet, csv, tsv, jsonl, arrow",
            true,
        ),
        (
            format!("type: sink, params: {{to: '{file}'}}"),
            "it is there already; mode: replace",
            true,
        ),
        (
            format!("type: sink, params: {{to: '{database}'}}"),
            "is there already: mode: append",
            true,
        ),
        (
            format!("type: sink, params: {{to: '{database}', mode: upsert}}"),
            "mode: upsert needs it",
            true,
        ),
        (
            format!("type: sink, params: {{to: '{out}', key: id}}"),
            "key: it is of a table",
            true,
        ),
        (
            format!("type: sink, params: {{to: '{out}', partition_by: zz}}"),
            "has no column 'zz'",
            true,
        ),
        (
            format!("type: sink, params: {{to: '{database}', mode: upsert, key: zz}}"),
            "has no column 'zz'",
            true,
        ),
        (
            format!("type: report, params: {{path: '{out}'}}"),
            "has no verdicts of a cross_reference",
            false,
        ),
        (
            format!("type: report, params: {{path: '{odd}'}}"),
            ": path: 'xyz' is not a format that can be written",
            true,
        ),
        (
            format!(
                "type: sink, params: {{to: '{}', mode: replace}}",
                at("./first.csv")
            ),
            "too: name another file",
            true,
        ),
        (
            // The folder of the input, and of the pipeline itself.
            format!(
                "type: sink, params: {{to: '{}', format: csv, partition_by: id, mode: replace}}",
                folder.path().display()
            ),
            "which is no part of what is replaced: name another folder",
            true,
        ),
        (
            format!("type: cache, params: {{path: '{out}'}}"),
            "it is a local file of Parquet",
            true,
        ),
        (
            format!("type: validate, params: {{checks: [{{not_null: id}}], report_path: '{odd}'}}"),
            "is not a format that can be written",
            true,
        ),
    ] {
        let yaml = steps(&last);
        bin::run(["run", &yaml, "--dry-run"]).exits(1).says(problem);
        assert!(!Path::new(&at("first.csv")).exists());
        let ran = bin::run(["run", &yaml]).exits(1).says(problem);
        assert_eq!(Path::new(&at("first.csv")).exists(), !early, "{ran:#?}");
        std::fs::remove_file(at("first.csv")).ok();
    }
    // What need not succeed ends nothing.
    let yaml = steps(&format!(
        "is_required: false, type: sink, params: {{to: '{odd}'}}"
    ));
    bin::run(["run", &yaml]).exits(0);
    assert!(Path::new(&at("first.csv")).exists());
}

#[test]
fn columns_that_a_table_cannot_have_are_told_before_an_earlier_sink_writes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let many: Vec<String> = (0..2001).map(|n| format!("c{n}")).collect();
    for (header, problem) in [
        ("ID,id", "SQLite does not tell the columns ID and id apart"),
        (
            &*many.join(","),
            "2001 columns: a table of SQLite has at most 2000",
        ),
    ] {
        let file = made_file(folder.path(), "a.csv", &format!("{header}\n"));
        let yaml = format!(
            "steps:
- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: sink, params: {{to: '{}'}}}}
- {{name: last, type: sink, params: {{to: 'sqlite:{}/t', mode: append}}}}",
            at("first.csv"),
            at("o.db")
        );
        let yaml = made_file(folder.path(), "p.yaml", &yaml);
        for more in [&["--dry-run"][..], &[]] {
            let args = ["run", yaml.as_str()].into_iter();
            let refused = bin::run(args.chain(more.iter().copied())).exits(1);
            refused.says("step last").says(problem);
            assert!(!Path::new(&at("first.csv")).exists());
        }
    }
}

#[test]
fn folders_of_logs_and_reports_are_made_or_nothing_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", BAD);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let there = |name: &str| Path::new(&at(name)).exists();
    // (No folder can be made below a file.)
    let below = |name: &str| at(&format!("f.tsv/new/{name}"));
    let refusal = "f.tsv is no folder";
    let pipeline = |log: &str, checks: &str, cache: &str| {
        let yaml = format!(
            "streaming: {{error_handling: {{error_output_path: '{log}'}}}}
steps:
- {{type: load, params: {{file_path: '{file}', error_threshold: 0.9}}}}
- {{type: validate, params: {{checks: [{{not_null: id}}], report_path: '{checks}'}}}}
- {{type: cache, params: {{path: '{cache}'}}}}
- {{type: sink, params: {{to: '{}'}}}}",
            at("out/o.csv")
        );
        made_file(folder.path(), "p.yaml", &yaml)
    };
    let yaml = pipeline(&at("a/bad.jsonl"), &at("b/c/q.json"), &at("d/k.parquet"));
    bin::run(["run", &yaml, "--dry-run"]).exits(0);
    assert!(!there("a") && !there("b") && !there("d"));
    bin::run(["run", &yaml, "--report", &at("e/r.json")]).exits(0);
    for made in ["a/bad.jsonl", "b/c/q.json", "d/k.parquet", "e/r.json"] {
        assert!(there(made), "{made}");
    }
    std::fs::remove_dir_all(at("out")).unwrap();

    let (log, checks, cache) = (at("bad.jsonl"), at("q.json"), at("k.parquet"));
    for yaml in [
        (&below("bad.jsonl"), &checks, &cache),
        (&log, &below("q.json"), &cache),
        (&log, &below("q.csv"), &cache),
        (&log, &checks, &below("k.parquet")),
    ] {
        let yaml = pipeline(yaml.0, yaml.1, yaml.2);
        bin::run(["run", &yaml, "--dry-run"]).exits(1).says(refusal);
        bin::run(["run", &yaml]).exits(1).says(refusal);
        assert!(!there("out"));
    }
    let yaml = pipeline(&log, &checks, &cache);
    for option in ["--rejects", "--report"] {
        let run = bin::run(["run", &yaml, option, &below("new")]).exits(1);
        run.says(refusal);
        assert!(!there("out"));
    }

    let (query, out) = (format!("SELECT id FROM '{file}'"), at("out/o.csv"));
    for verb in [
        &["sql", query.as_str(), "-o", out.as_str()][..],
        &["convert", file.as_str(), out.as_str()],
    ] {
        let run = |rejects: &str, report: &str| {
            let more = ["--rejects", rejects, "--report", report];
            bin::run(verb.iter().copied().chain(more))
        };
        run(&below("bad.csv"), &at("r.json")).exits(1).says(refusal);
        run(&at("bad.csv"), &below("r.json")).exits(1).says(refusal);
        assert!(!there("out"));
        run(&at("g/bad.csv"), &at("h/r.json")).exits(0);
        assert!(there("g/bad.csv") && there("h/r.json"));
        for made in ["g", "h", "out"] {
            std::fs::remove_dir_all(at(made)).unwrap();
        }
    }
}

#[test]
fn a_step_that_fails_and_need_not_succeed_is_told_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = made_file(folder.path(), "f.tsv", "id\n1\n2\n");
    let out = folder.path().join("o.csv").display().to_string();
    let steps = |input: &str| {
        let yaml = format!(
            "steps:
- {{name: a, type: load, params: {{file_path: '{file}'}}}}
- {{name: b, is_required: false, type: filter, params: {{condition: nope = 1}}}}
- {{type: sink, params: {{input: {input}, to: '{out}', mode: replace}}}}"
        );
        made_file(folder.path(), "p.yaml", &yaml)
    };
    let problem = "there is no column nope";
    for more in [&["--quiet"][..], &["--quiet", "--dry-run"], &[]] {
        let yaml = steps("a");
        let args = ["run", yaml.as_str()].into_iter();
        let run = bin::run(args.chain(more.iter().copied())).exits(0);
        assert_eq!(run.stderr.matches(problem).count(), 1, "{run:#?}");
        assert!(run.stderr.contains("warning: "), "{run:#?}");
    }
    // Who needs what it was to make is told why there is none.
    let run = bin::run(["run", &steps("b"), "--quiet"]).exits(1);
    run.says("input: 'b' is not made").says(problem);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_tell_counts_and_what_has_no_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let ids = "id\tn\nchebi:15377\t1\nchebi:15422\t1\nchebi:15422\t1\nchebi:17234\nchebi:17234\t1\nchebi:15377\t1\n";
    let file = made_file(folder.path(), "f.tsv", ids);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let context = support::context();
    let steps = |path: &str, more: &str| {
        format!(
            "{}steps:
- {{type: load, params: {{file_path: '{file}', error_threshold: 0.9}}}}
- {{type: cross_reference, params: {{columns: [id], mapping: m}}}}
- {{type: report, params: {{path: '{path}'{more}}}}}",
            mapping(folder.path())
        )
    };
    let report = run(&context, &steps(&at("r.json"), "")).await;
    assert_eq!(
        (report.rejected, report.status),
        (1, Status::PartialSuccess)
    );
    let text = std::fs::read_to_string(at("r.json")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let count = |verdict: &str| {
        let counts = told["counts"].as_array().unwrap();
        let of = counts.iter().find(|count| count["verdict"] == verdict);
        of.map(|count| count["rows"].as_u64().unwrap())
    };
    assert_eq!(
        (count("ok"), count("unmapped")),
        (Some(2), Some(3)),
        "{text}"
    );
    let unmapped = told["unmapped"].as_array().unwrap();
    assert_eq!(unmapped.len(), 2, "{text}");
    assert_eq!(unmapped[0]["identifier"], "chebi:15422");
    assert_eq!(
        (&unmapped[0]["rows"], &unmapped[0]["column"]),
        (&2.into(), &"id".into())
    );

    run(&context, &steps(&at("r.md"), "")).await;
    let text = std::fs::read_to_string(at("r.md")).unwrap();
    assert!(
        text.starts_with("| verdict | hops | predicate | rows | percent |\n"),
        "{text}"
    );
    assert!(
        text.contains("| id | chebi:15422 | unmapped | 2 |\n"),
        "{text}"
    );
    run(&context, &steps(&at("r.csv"), "")).await;
    assert!(rows(&context, &at("r.csv")).await.len() >= 2);
    let error = tried(&context, &steps(&at("r.md"), ", columns: [di]"))
        .await
        .unwrap_err();
    assert!(
        error.contains("no column 'di'; did you mean 'id'?"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_of_each_column_that_was_cross_referenced() {
    let folder = tempfile::tempdir().unwrap();
    let map = made_file(
        folder.path(),
        "m.tsv",
        "subject_id\tobject_id\nuniprot:P12345\thgnc:1\nncbigene:11\thgnc:1\n",
    );
    let ids = "k\tup\tgene\tverdict\n1\tuniprot:P12345\tncbigene:11\tmine\n2\tuniprot:P12345\tncbigene:98\tmine\n\
               3\tuniprot:P29459\tncbigene:98\tmine\n";
    let file = made_file(folder.path(), "f.tsv", ids);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let context = support::context();
    let steps = |xref: &str, report: &str| {
        format!(
            "mappings: {{m: '{map}'}}
steps:
- {{name: a, type: load, params: {{file_path: '{file}'}}}}
- {{type: cross_reference, params: {{columns: [up, gene], mapping: m{xref}}}}}
- {{type: filter, params: {{condition: k > 0}}}}
- {{type: report, params: {{path: '{}', {report}}}}}",
            at("r.json")
        )
    };
    let told = || -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(at("r.json")).unwrap()).unwrap()
    };
    for xref in [", policy: first", ", policy: list"] {
        run(&context, &steps(xref, "format: json")).await;
        let told = told();
        let counts: Vec<String> = told["counts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| format!("{} {} {}", row["column"], row["verdict"], row["rows"]))
            .collect();
        let expected = [
            r#""up" "ok" 2"#,
            r#""up" "unmapped" 1"#,
            r#""gene" "unmapped" 2"#,
            r#""gene" "ok" 1"#,
        ];
        assert_eq!(counts, expected);
        let unmapped = told["unmapped"].as_array().unwrap();
        let unmapped: Vec<String> = unmapped
            .iter()
            .map(|row| format!("{} {}", row["column"], row["identifier"]))
            .collect();
        assert_eq!(
            unmapped,
            [r#""up" "uniprot:P29459""#, r#""gene" "ncbigene:98""#]
        );
    }
    run(&context, &steps(", policy: first", "columns: gene")).await;
    assert_eq!(told()["counts"][0]["rows"], 2);
    assert_eq!(told()["unmapped"][0]["column"], "gene");
    for (report, problem) in [
        (
            "columns: k",
            "columns: k was not cross-referenced, but up, gene",
        ),
        ("input: a", "input: a has no verdicts of a cross_reference"),
    ] {
        let error = tried(&context, &steps("", report)).await.unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
}
