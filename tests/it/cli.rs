//! The command line: results, formats, exit codes, pipes, scripts, settings.

use std::io::{Read, Write};
use std::process::Stdio;

use crate::support::bin::{self, Run};
use crate::support::{self};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn table(folder: &tempfile::TempDir) -> String {
    support::write(
        &folder.path().join("a.tsv"),
        "Gene\tNPX\nTP53\t1.5\nBRCA1\nMYC\t\nEGFR\t2\n",
    )
}

fn sql(args: &[&str]) -> Run {
    bin::run([&["sql"], args].concat())
}

#[test]
fn results_stream_as_csv_when_piped_and_in_any_format() {
    let folder = folder();
    let query = format!("SELECT gene, npx FROM '{}'", table(&folder));
    let run = sql(&[&query]).exits(0);
    assert_eq!(run.stdout, "Gene,NPX\nTP53,1.5\nMYC,\nEGFR,2.0\n");
    let run = run.says("1 of 4 records rejected (1 too_few_fields); see --rejects FILE");
    assert!(!run.stderr.contains("error"), "{run:#?}");
    for (format, expected) in [
        ("tsv", "Gene\tNPX\nTP53\t1.5\nMYC\t\nEGFR\t2.0\n"),
        (
            "jsonl",
            "{\"Gene\":\"TP53\",\"NPX\":1.5}\n{\"Gene\":\"MYC\"}\n{\"Gene\":\"EGFR\",\"NPX\":2.0}\n",
        ),
    ] {
        let run = sql(&[&query, "--output-format", format, "--quiet"]).exits(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected, ""));
    }
    let run = sql(&[&query, "--output-format", "table"]).exits(0);
    for part in ["Gene", "NPX", "TP53", "1.5", "EGFR"] {
        assert!(run.stdout.contains(part), "{run:#?}");
    }
    run.says("3 rows");
}

#[tokio::test]
async fn results_go_to_files() {
    let folder = folder();
    let query = format!("SELECT * FROM '{}'", table(&folder));
    let context = support::context();
    for name in ["out.parquet", "out.arrow", "out.csv", "out.tsv.gz"] {
        let output = folder.path().join(name).display().to_string();
        let run = sql(&[&query, "-o", &output]).exits(0).says("3 rows");
        assert_eq!(run.stdout, "");
        let (rows, _) = support::query(&context, &format!("SELECT * FROM '{output}'")).await;
        assert_eq!(
            rows,
            [["TP53", "1.5"], ["MYC", "NULL"], ["EGFR", "2"]],
            "{name}"
        );
    }
    let output = folder.path().join("named").display().to_string();
    sql(&[&query, "-o", &output, "--output-format", "jsonl"]).exits(0);
    assert_eq!(std::fs::read_to_string(&output).unwrap().lines().count(), 3);
    // To a pipe that takes bytes.
    for format in ["parquet", "arrow"] {
        let output = bin::command(["sql", &query, "--output-format", format]).output();
        let path = folder.path().join(format!("piped.{format}"));
        let path = support::write(&path, output.unwrap().stdout);
        let count = format!("SELECT count(*) FROM '{path}'");
        assert_eq!(support::value(&context, &count).await, "3");
    }
}

#[test]
fn exit_codes() {
    let folder = folder();
    let table = table(&folder);
    let query = format!("SELECT * FROM '{table}'");
    // 0: done, bad rows or not.
    sql(&[&query]).exits(0);
    sql(&["SELECT 1"]).exits(0);
    bin::run(["--help"]).exits(0);
    bin::run(["--version"]).exits(0);
    // 1: failed. The cause on the first line, then the chain, then what to do.
    let run = sql(&[&query, "--on-error", "fail"]).exits(1);
    assert_eq!(run.stdout, "");
    let first = run.stderr.lines().next().unwrap();
    assert!(first.starts_with("error: ") && first.contains("a.tsv: line 3 (record 2, byte 18)"));
    assert!(run.stderr.contains("set on_error = 'reject'"), "{run:#?}");
    sql(&["SELECT * FROM 'no/such/file.tsv'"])
        .exits(1)
        .says("there is no such file");
    sql(&["SELECT nothing FROM system.options"])
        .exits(1)
        .says("nothing");
    sql(&["SELEC 1"]).exits(1);
    // 2: wrong usage.
    bin::run::<&str>([]).exits(2);
    bin::run(["frobnicate"]).exits(2);
    sql(&[]).exits(2);
    sql(&["SELECT 1", "--on-error", "ignore"])
        .exits(2)
        .says("lenient");
    sql(&["SELECT 1", "--set", "on_errror=fail"])
        .exits(2)
        .says("did you mean 'on_error'?");
    sql(&["SELECT 1", "--set", "n.m=2"])
        .exits(2)
        .says("--set n.m=2: there is no option 'n.m'");
    sql(&["SELECT 1", "--set", "datafusion.execution.batch_sise=2"]).exits(2);
    sql(&["SELECT 1", "--set", "datafsion.execution.batch_size=2"])
        .exits(2)
        .says("did you mean 'datafusion.execution.batch_size'?");
    sql(&["SELECT 1", "--threads", "0"]).exits(2);
    sql(&["SELECT 1", "--memory-limit", "lots"])
        .exits(2)
        .says("200MB");
    sql(&["SELECT 1", "--max-rows", "few"])
        .exits(2)
        .says("max_rows");
    bin::run(["convert", &table]).exits(2);
    // 3: done, but with more rejects than allowed.
    sql(&[&query, "--fail-on-rejects", "1"]).exits(0);
    let run = sql(&[&query, "--fail-on-rejects", "0"]).exits(3);
    assert_eq!(
        run.stdout.lines().count(),
        4,
        "the rows are there all the same"
    );
    run.says("1 records rejected; --fail-on-rejects allows 0");
    let output = folder.path().join("o.csv").display().to_string();
    bin::run(["convert", &table, &output, "--fail-on-rejects", "0"]).exits(3);
    assert!(std::path::Path::new(&output).exists());
}

#[test]
fn a_bad_row_of_a_file_that_is_read_twice_counts_once() {
    let folder = folder();
    let table = table(&folder);
    let at = |name: &str| folder.path().join(name).display().to_string();
    for (name, query, rows) in [
        (
            "joined",
            format!("SELECT x.gene FROM '{table}' x JOIN '{table}' y ON x.gene = y.gene"),
            3,
        ),
        (
            "united",
            format!("SELECT gene FROM '{table}' UNION ALL SELECT gene FROM '{table}'"),
            6,
        ),
    ] {
        let run = sql(&[&query, "--fail-on-rejects", "1"]).exits(0);
        run.says("1 of 4 records rejected (1 too_few_fields)");
        let run = sql(&[&query, "--fail-on-rejects", "0"]).exits(3);
        run.says("1 records rejected; --fail-on-rejects allows 0");
        let (output, log) = (at(&format!("{name}.csv")), at(&format!("{name}.jsonl")));
        let written = sql(&[&query, "-o", &output, "--rejects", &log, "--report", "json"]).exits(0);
        let report = written.report();
        for (key, expected) in [
            ("rows", rows),
            ("rejected", 1),
            ("scan.files", 2),
            ("scan.records", 4),
            ("scan.delivered", 3),
            ("scan.rejected", 1),
            ("scan.reasons.too_few_fields", 1),
        ] {
            assert_eq!(bin::number(&report, key), expected, "{name}: {key}");
        }
        let bad = std::fs::read_to_string(&log).unwrap();
        assert_eq!(bad.lines().count(), 1, "{name}");
    }
}

#[test]
fn read_options_are_flags() {
    let folder = folder();
    let path = folder.path().join("odd.txt");
    let input = support::write(
        &path,
        "# note\nid;npx;name\n1;1,5;x\n;;\n2;-9;y\n3;2,5\n4;3,5;z\n",
    );
    let output = folder.path().join("o.csv").display().to_string();
    let flags = [
        "--delimiter",
        "semicolon",
        "--comment",
        "#",
        "--decimal",
        ",",
        "--null-values",
        "-9,-99",
        "--skip-empty",
        "--on-error",
        "lenient",
        "--columns",
        "npx,id",
        "--max-rows",
        "3",
    ];
    let report = bin::convert(&[&[input.as_str(), &output], &flags[..]].concat());
    let written = std::fs::read_to_string(&output).unwrap();
    assert_eq!(written, "npx,id\n1.5,1\n,2\n2.5,3\n");
    assert_eq!(bin::number(&report, "scan.skipped"), 1);
    assert_eq!(bin::number(&report, "scan.repaired"), 1);
    let query = format!("SELECT column_2 FROM '{input}'");
    let run = sql(&[
        &query,
        "--no-header",
        "--delimiter",
        ";",
        "--skip-rows",
        "4",
    ])
    .exits(0);
    assert_eq!(run.stdout, "column_2\n-9\n\"3,5\"\n");

    // Flag over --set over file; a table's own option over all.
    let config = folder.path().join("biotide.conf");
    let config = support::write(&config, "delimiter = ,\ncomment: #\non_error = fail\n");
    let query = format!("SELECT count(*) AS n FROM '{input}'");
    let args = [&query, "--config", &config, "--set", "delimiter=;"];
    sql(&args.map(|arg| arg as &str))
        .exits(1)
        .says("too_few_fields");
    let args = [
        query.as_str(),
        "--config",
        &config,
        "--set",
        "delimiter=;",
        "--on-error",
        "lenient",
    ];
    assert_eq!(sql(&args).exits(0).stdout, "n\n5\n");
    let query = format!("SELECT count(*) AS n FROM read_csv('{input}', on_error => reject)");
    let args = [&[query.as_str()], &args[1..]].concat();
    assert_eq!(sql(&args).exits(0).stdout, "n\n4\n");
    let bad = support::write(&folder.path().join("bad.conf"), "delimter = ,\n");
    sql(&["SELECT 1", "--config", &bad])
        .exits(2)
        .says("bad.conf:1");
}

#[test]
fn scripts_run_statement_by_statement() {
    let folder = folder();
    let table = table(&folder);
    let script = format!(
        "CREATE VIEW v AS SELECT gene FROM '{table}'; -- a note; with a semicolon\n\
         SELECT count(*) AS n FROM v;\nSELECT ';' AS s;\n"
    );
    let file = support::write(&folder.path().join("s.sql"), &script);
    let run = sql(&["-f", &file]).exits(0);
    assert_eq!(run.stdout, "n\n3\n\ns\n;\n");
    assert_eq!(sql(&[&script]).exits(0).stdout, run.stdout);
    // From standard input.
    let mut child = bin::command(["sql", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let piped = Run::from(child.wait_with_output().unwrap()).exits(0);
    assert_eq!(piped.stdout, run.stdout);
    // The statement that fails is named; what came before stands.
    let run = sql(&["SELECT 1 AS x; SELECT nothing; SELECT 2 AS y"]).exits(1);
    assert_eq!(run.stdout, "x\n1\n");
    run.says("in statement 2 of 3: SELECT nothing");
    // With -o the last result goes to the file.
    let output = folder.path().join("o.csv").display().to_string();
    let run = sql(&["SELECT 1 AS x; SELECT 2 AS y", "-o", &output]).exits(0);
    assert_eq!(run.stdout, "x\n1\n");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "y\n2\n");
    // COPY says how many.
    let target = folder.path().join("c.tsv").display().to_string();
    let copy = format!("COPY (SELECT * FROM '{table}') TO '{target}'");
    let run = sql(&[&copy]).exits(0).says("3 rows written");
    assert_eq!(run.stdout, "");
}

#[test]
fn tables_come_and_go_through_pipes() {
    let folder = folder();
    let table = table(&folder);
    let text = std::fs::read(&table).unwrap();
    let piped = |args: &[&str], input: &[u8]| {
        let mut child = bin::command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input).unwrap();
        drop(stdin);
        Run::from(child.wait_with_output().unwrap())
    };
    let output = folder.path().join("o.csv").display().to_string();
    piped(&["convert", "-", &output], &text).exits(0);
    let expected = "Gene,NPX\nTP53,1.5\nMYC,\nEGFR,2.0\n";
    assert_eq!(std::fs::read_to_string(&output).unwrap(), expected);
    piped(&["convert", "-", &output, "--force"], &support::gzip(&text)).exits(0);
    assert_eq!(std::fs::read_to_string(&output).unwrap(), expected);
    let run = piped(&["convert", "-", "-"], &text).exits(0);
    assert_eq!(run.stdout, expected);
    let run = piped(
        &[
            "convert", &table, "-", "--format", "tsv", "--report", "json",
        ],
        b"",
    );
    let run = run.exits(0);
    assert_eq!(run.stdout, expected.replace(',', "\t"));
    assert!(
        run.stderr.contains("\"rows\":3"),
        "the report must not mix with rows: {run:#?}"
    );
    let run = piped(&["sql", "SELECT count(*) AS n FROM '-'"], &text).exits(0);
    assert_eq!(run.stdout, "n\n3\n");
    for script in [
        "SELECT count(*) AS n FROM read_tsv('-', all_text => true)",
        "CREATE EXTERNAL TABLE t STORED AS TSV LOCATION '-'; SELECT count(*) AS n FROM t",
        "SELECT count(*) AS n FROM '-' a JOIN '-' b ON a.gene = b.gene",
    ] {
        let run = piped(&["sql", script], &text).exits(0);
        assert_eq!(run.stdout, "n\n3\n", "{script}");
    }
    // Bad rows are of what the user named.
    let bad = [&text[..], b"broken\n"].concat();
    let script = "SELECT count(*) AS n FROM '-'; SELECT source, line FROM system.rejects";
    let run = piped(&["sql", script], &bad).exits(0);
    assert_eq!(run.stdout, "n\n3\n\nsource,line\n-,3\n-,6\n");
}

/// `biotide convert <(zcat odd.gz) out.csv`: a path that can be read once only.
#[cfg(unix)]
#[test]
fn a_named_pipe_is_read_like_a_file() {
    let folder = folder();
    let text = std::fs::read(table(&folder)).unwrap();
    let pipe = folder.path().join("pipe").display().to_string();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let writer = std::thread::spawn({
        let (pipe, text) = (pipe.clone(), text.clone());
        move || std::fs::write(pipe, [&text[..], b"broken\n"].concat())
    });
    let output = folder.path().join("o.csv").display().to_string();
    let log = folder.path().join("bad.jsonl").display().to_string();
    bin::run(["convert", &pipe, &output, "--rejects", &log]).exits(0);
    writer.join().unwrap().unwrap();
    let expected = "Gene,NPX\nTP53,1.5\nMYC,\nEGFR,2.0\n";
    assert_eq!(std::fs::read_to_string(&output).unwrap(), expected);
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains(&format!("{{\"source\":\"{pipe}\"")), "{log}");

    // By two names it is still read once.
    let pipe = folder.path().join("pipe.csv").display().to_string();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, "gene,desc\nTP53,y\n")
    });
    let query = format!(
        "SELECT a.\"desc\" FROM '{pipe}' a JOIN '{}/./pipe.csv' b USING (\"desc\")",
        folder.path().display()
    );
    let run = sql(&[&query]).exits(0);
    writer.join().unwrap().unwrap();
    assert_eq!(run.stdout, "desc\ny\n");
}

/// Standard input that is broken off leaves no copy behind.
#[cfg(unix)]
#[test]
fn an_input_that_is_broken_off_is_not_kept() {
    let folder = folder();
    let temp = folder.path().join("temp");
    let mut child = bin::command(["sql", "SELECT * FROM '-'", "--temp-dir"])
        .arg(&temp)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&b"a\tb\n1\t2\n".repeat(100_000)).unwrap();
    let pid = child.id().to_string();
    let kept = || std::fs::read_dir(&temp).map_or(0, Iterator::count);
    while kept() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // (It listens to signals from when it reads on.)
    std::thread::sleep(std::time::Duration::from_millis(300));
    std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    drop(stdin);
    run.exits(130);
    assert_eq!(kept(), 0);
}

/// Who reads no further is no error: `biotide … | head -1`.
#[test]
fn a_closed_pipe_ends_the_run_quietly() {
    let folder = folder();
    let rows: String = (0..2_000_000)
        .map(|i| format!("{i}\tsome text\n"))
        .collect();
    let input = support::write(&folder.path().join("big.tsv"), format!("id\ttext\n{rows}"));
    let query = format!("SELECT * FROM '{input}'");
    for args in [
        vec!["sql", &query],
        vec!["sql", &query, "--output-format", "jsonl"],
        vec!["convert", &input, "-"],
    ] {
        let mut child = bin::command(&args).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0; 100]).unwrap();
        drop(out);
        let run = Run::from(child.wait_with_output().unwrap()).exits(0);
        assert!(!run.stderr.contains("error"), "{args:?}: {run:#?}");
    }
    // A disk that is full is one.
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let child = bin::command(["sql", &query]).stdout(full).spawn().unwrap();
        Run::from(child.wait_with_output().unwrap())
            .exits(1)
            .says("No space left on device");
    }
}
