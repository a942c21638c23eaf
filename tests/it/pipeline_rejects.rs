//! Which rows a run sets aside, and how they are counted.

use std::path::Path;

use biotide::prelude::*;

use crate::pipeline::{made_file, rows, run, tried};
use crate::support::{self, Settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_counted_once_however_often_a_statement_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let file = made_file(folder.path(), "a.tsv", "k\tv\n1\tx\nbad\n2\ty\n");
    let load = format!(
        "- {{name: a, type: load, params: {{file_path: '{file}'}}}}
- {{name: f, type: filter, params: {{condition: k > 0}}}}"
    );
    for step in [
        "type: merge_datasets, params: {inputs: [a, f]}",
        "type: join, params: {left: a, right: f, on: k}",
        "type: validate, params: {input: a, checks: [{unique: k}, {unique: v}, {not_null: v}]}",
        "type: calculate_set_overlap, params: {inputs: [a, f], column: k}",
    ] {
        let bad = at("bad.jsonl");
        let yaml = format!(
            "streaming: {{error_handling: {{error_output_path: '{bad}'}}}}
steps:
{load}
- {{name: n, {step}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            at("o.csv")
        );
        let report = run(&support::context(), &yaml).await;
        assert_eq!((report.rejected, report.notes), (1, 0), "{step}");
        let lines = std::fs::read_to_string(&bad).unwrap();
        assert_eq!(lines.lines().count(), 1, "{step}");
    }
    // Another step may find another fault of the same record, and a note is none.
    let file = made_file(folder.path(), "i.tsv", "id\tx\nP12345\t1\n\t2\nno\t3\n");
    let steps = |name: &str, validate: bool| {
        format!(
            "- {{name: {name}, type: load_dataset_identifiers, params: {{file_path: '{file}', validate_format: {validate}, \
             column_mappings: [{{column_name: id, identifier_type: uniprot, is_primary: true}}]}}}}\n"
        )
    };
    let yaml = format!(
        "steps:\n{}{}- {{type: merge_datasets, params: {{inputs: [a, b]}}}}\n- {{type: sink, params: {{to: '{}'}}}}",
        steps("a", true),
        steps("b", false),
        at("i.csv")
    );
    let report = run(&support::context(), &yaml).await;
    assert_eq!((report.rows, report.rejected, report.notes), (3, 2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_behind_the_last_that_is_taken_are_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let file = made_file(
        folder.path(),
        "f.tsv",
        "n\tv\n1\tx\n2\ty\n3\tz\nbad\n4\tw\n",
    );
    let steps = |file: &str, more: &str| {
        format!(
            "steps:
- {{type: load, params: {{file_path: {file}, {more}}}}}
- {{type: sink, params: {{to: '{}', mode: replace}}}}",
            at("o.csv")
        )
    };
    let yaml = |file: &str, more: &str| steps(&format!("'{file}'"), more);
    let context = support::context();
    let strict = "continue_on_error: false";
    let report = run(&context, &yaml(&file, &format!("max_rows: 3, {strict}"))).await;
    assert_eq!((report.rows, report.rejected), (3, 0));
    let error = tried(&context, &yaml(&file, &format!("max_rows: 4, {strict}"))).await;
    assert!(error.unwrap_err().contains("line 5"));

    // Whatever the threads, and however the file lies there.
    let mut text = "n\tv\n".to_owned();
    for n in 0..100_000 {
        text.push_str(&match n % 700 {
            699 => "bad\n".to_owned(),
            _ => format!("{n}\tvalue {n}\n"),
        });
    }
    let file = made_file(folder.path(), "in.tsv", &text);
    let packed = at("in.tsv.gz");
    let convert = ["convert", &file, &packed, "--all-text", "--quiet"];
    support::bin::run(convert).exits(0);
    for threads in [1, 4] {
        let context = Settings::new(threads, 100).builder().build().unwrap();
        let more = "max_rows: 3000, chunk_size: 500";
        let report = run(&context, &yaml(&file, more)).await;
        assert_eq!((report.rows, report.rejected), (3000, 4), "{threads}");
        assert_eq!(report.sinks[0].scan.records, 3004);
        // (What was packed has no bad rows any more.)
        let report = run(&context, &yaml(&packed, more)).await;
        assert_eq!((report.rows, report.rejected), (3000, 0));
        // Of several files the rows are those of all, and so are the bad ones.
        let short = made_file(folder.path(), "s.tsv", "n\tv\n1\tx\nbad\n2\ty\n");
        let both = format!("['{short}', '{file}']");
        let report = run(&context, &steps(&both, more)).await;
        assert_eq!((report.rows, report.rejected), (3000, 5), "{threads}");
    }
    // What was taken is judged.
    let error = tried(
        &context,
        &yaml(&file, "max_rows: 3000, error_threshold: 0.001"),
    )
    .await;
    assert!(error.unwrap_err().contains("4 of 3004 records"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_rows_are_written_as_the_ending_of_their_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let text = "k\tv\n1\tx\nbad\n2\ty, \"w\"\tq\n3\tz\n4\tw\n";
    let (file, out) = (made_file(folder.path(), "a.tsv", text), at("o.csv"));
    let yaml = |bad: &str| {
        format!(
            "streaming: {{error_handling: {{error_output_path: '{bad}'}}}}
steps:
- {{type: load, params: {{file_path: '{file}'}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        )
    };
    let context = support::context();
    let mut expected: Option<Vec<Vec<String>>> = None;
    for (name, read, quote) in [
        ("bad.jsonl", "read_jsonl", ""),
        ("bad.csv", "read_csv", ", quote => '\"'"),
        ("bad.tsv", "read_tsv", ", quote => '\"'"),
    ] {
        let bad = at(name);
        // (The second run begins the file anew.)
        for _ in 0..2 {
            let report = run(&context, &yaml(&bad)).await;
            assert_eq!(report.rejected, 2, "{name}");
        }
        let sql = format!(
            "SELECT line, record, reason, message, raw, action FROM {read}('{bad}'{quote}) ORDER BY line"
        );
        let (rows, _) = support::query(&context, &sql).await;
        // (Control characters are shown escaped.)
        assert_eq!(
            (rows.len(), &*rows[1][4]),
            (2, "2\\ty, \"w\"\\tq"),
            "{name}"
        );
        assert_eq!(
            *expected.get_or_insert_with(|| rows.clone()),
            rows,
            "{name}"
        );
    }

    // What is not written is refused before anything is.
    std::fs::remove_file(&out).unwrap();
    let error = tried(&context, &yaml("bad.csv.gz")).await.unwrap_err();
    assert!(
        error.contains("error_output_path: 'bad.csv.gz' ends in .gz"),
        "{error}"
    );
    for name in ["bad.xlsx", "bad.jsonl.zst"] {
        let bad = at(name);
        support::bin::run(["convert", &file, &out, "--rejects", &bad])
            .exits(2)
            .says(&format!("option rejects: '{bad}' ends in ."))
            .says("use .jsonl, .csv, .tsv or .parquet");
        assert!(!Path::new(&bad).exists() && !Path::new(&out).exists());
    }
}

/// What reads a file: a step of its own, identifiers, a query.
fn readers(file: &str) -> [String; 4] {
    [
        format!("type: load, params: {{file_path: '{file}'}}"),
        format!(
            "type: load_dataset_identifiers, params: {{file_path: '{file}', identifier_column: k}}"
        ),
        format!("type: sql, params: {{query: \"SELECT * FROM '{file}'\"}}"),
        format!("type: sql, params: {{query: \"SELECT * FROM read_tsv('{file}')\"}}"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_says_of_bad_rows_holds_whatever_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("o.csv").display().to_string();
    let file = made_file(folder.path(), "a.tsv", "k\tv\na\t1\nbad\nbad\nb\t2\n");
    let yaml = |reader: &str, errors: &str| {
        format!(
            "streaming: {{error_handling: {{{errors}}}}}\nsteps:\n- {{{reader}}}\n- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        )
    };
    let with = |on_error: &str| {
        let builder = BiotideContext::builder().option("on_error", on_error);
        builder.build().unwrap()
    };
    for reader in readers(&file) {
        let context = support::context();
        let report = run(&context, &yaml(&reader, "")).await;
        assert_eq!((report.rows, report.rejected), (2, 2), "{reader}");
        for errors in ["continue_on_error: false", "max_errors_per_chunk: 1"] {
            let error = tried(&context, &yaml(&reader, errors)).await;
            assert!(error.is_err(), "{reader}: {errors}");
        }
        // The session says it before the pipeline does.
        let error = tried(&with("fail"), &yaml(&reader, "")).await;
        assert!(error.unwrap_err().contains("line 3"), "{reader}");
        let report = run(&with("lenient"), &yaml(&reader, "continue_on_error: false")).await;
        assert_eq!((report.rows, report.rejected), (4, 0), "{reader}");
    }
    // And a step before either.
    let reader = format!("type: load, params: {{file_path: '{file}', continue_on_error: true}}");
    let report = run(&with("fail"), &yaml(&reader, "continue_on_error: false")).await;
    assert_eq!((report.rows, report.rejected), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_formats_are_for_files_of_queries_too() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("o.csv").display().to_string();
    let file = made_file(folder.path(), "a.tsv", "k|v;w\n1|x;y\n");
    for reader in readers(&file) {
        let yaml = format!(
            "streaming: {{file_readers: {{tsv: {{delimiter: '|'}}}}}}\nsteps:\n- {{{reader}}}\n- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
        );
        let context = support::context();
        run(&context, &yaml).await;
        assert_eq!(rows(&context, &out).await[0][..2], ["1", "x;y"], "{reader}");
    }
    // What the query says holds before that.
    let yaml = format!(
        "streaming: {{file_readers: {{tsv: {{delimiter: '|'}}}}}}\nsteps:
- {{type: sql, params: {{query: \"SELECT * FROM read_tsv('{file}', delimiter => ';')\"}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}"
    );
    let context = support::context();
    run(&context, &yaml).await;
    assert_eq!(rows(&context, &out).await, [["1|x", "y"]]);
}
