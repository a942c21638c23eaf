//! `biotide convert`, through the real binary: reports, outputs, and that nothing half-written stays.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{self, bin, context, query, value};

const BAD: &str = "gene,panel,npx\nTP53,Oncology,1.5\nBRCA1\nMYC,Oncology,2.5\n\nAPOE,Neurology,3,x\nEGFR,Neurology,4\n";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// What lies in a folder, sorted.
fn listing(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn jsonl(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_report_tells_all() {
    let folder = folder();
    let input = support::write(&folder.path().join("in.csv"), BAD);
    let output = path(&folder, "out.parquet");
    let report = bin::convert(&[&input, &output]);
    for (key, n) in [
        ("rows", 3),
        ("rejected", 2),
        ("bytes_in", BAD.len() as u64),
        ("scan.files", 1),
        ("scan.records", 6),
        ("scan.delivered", 3),
        ("scan.rejected", 2),
        ("scan.blank", 1),
        ("scan.skipped", 0),
        ("scan.nulled", 0),
        ("scan.repaired", 0),
        ("scan.reasons.too_few_fields", 1),
        ("scan.reasons.too_many_fields", 1),
    ] {
        assert_eq!(bin::number(&report, key), n, "{key} in {report}");
    }
    assert_eq!(report["scan"]["complete"], true);
    assert_eq!(report["files"], serde_json::json!([output]));
    let size = std::fs::metadata(&output).unwrap().len();
    assert_eq!(bin::number(&report, "bytes_out"), size);
    assert!(report["seconds"].as_f64().unwrap() >= 0.0);
    assert!(bin::number(&report, "peak_rss") > 1 << 20);
    assert_eq!(listing(folder.path()), ["in.csv", "out.parquet"]);

    // To a file, and what is said to people.
    let file = path(&folder, "report.json");
    let run = bin::run(["convert", &input, &output, "--force", "--report", &file]).exits(0);
    assert_eq!(run.stdout, "");
    let run = run.says("3 rows").says("2 of 6 records rejected");
    run.says("1 too_few_fields, 1 too_many_fields")
        .says("--rejects FILE");
    assert_eq!(bin::number(&jsonl(&file)[0], "rows"), 3);
}

#[test]
fn nothing_is_replaced_unasked() {
    let folder = folder();
    let input = support::write(&folder.path().join("in.csv"), BAD);
    let output = support::write(&folder.path().join("out.tsv"), "mine\n");
    bin::run(["convert", &input, &output])
        .exits(1)
        .says("out.tsv: it is there already; use --force to replace it");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "mine\n");
    bin::run(["convert", &input, &output, "--force"]).exits(0);
    assert!(
        std::fs::read_to_string(&output)
            .unwrap()
            .starts_with("gene\t")
    );
    // Never the input itself.
    bin::run(["convert", &input, &input, "--force"])
        .exits(1)
        .says("input and output are the same file");
    assert_eq!(std::fs::read_to_string(&input).unwrap(), BAD);
}

/// A run that fails leaves no output, and the old one where there was one.
#[test]
fn a_failed_run_leaves_what_was_there() {
    let folder = folder();
    let rows: String = (0..300_000).map(|i| format!("{i}\tx\n")).collect();
    let late = folder.path().join("late.tsv");
    let late = support::write(&late, format!("a\tb\n{rows}broken\n"));
    let half: String = (0..20_000).map(|i| format!("{i}\n{i}\tx\n")).collect();
    let half = support::write(&folder.path().join("half.tsv"), format!("a\tb\n{half}"));
    for (input, options, message) in [
        (
            &late,
            &["--on-error", "fail"][..],
            "line 300002 (record 300001",
        ),
        (&half, &[], "more than error_threshold (0.1) allows"),
    ] {
        for ending in ["parquet", "csv", "tsv.gz", "jsonl", "arrow"] {
            let output = path(&folder, &format!("out.{ending}"));
            let args = [&["convert", input, &output, "--threads", "2"], options].concat();
            bin::run(&args).exits(1).says(message);
            assert_eq!(listing(folder.path()), ["half.tsv", "late.tsv"], "{ending}");
            std::fs::write(&output, "old").unwrap();
            bin::run([&args[..], &["--force"]].concat()).exits(1);
            assert_eq!(std::fs::read_to_string(&output).unwrap(), "old", "{ending}");
            std::fs::remove_file(&output).unwrap();
            assert_eq!(listing(folder.path()), ["half.tsv", "late.tsv"], "{ending}");
        }
    }
}

#[tokio::test]
async fn rejects_go_to_a_file() {
    let folder = folder();
    let input = support::write(&folder.path().join("in.csv"), BAD);
    let output = path(&folder, "out.parquet");
    let log = path(&folder, "bad.jsonl");
    let args = ["convert", &input, &output, "--rejects", &log];
    bin::run(args).exits(0).says("see ").says("bad.jsonl");
    let entries = jsonl(&log);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["source"], input.as_str());
    assert_eq!(entries[0]["line"], 3);
    assert_eq!(entries[0]["record"], 2);
    assert_eq!(entries[0]["offset"], 33);
    assert_eq!(entries[0]["raw"], "BRCA1");
    assert_eq!(entries[1]["reason"], "too_many_fields");
    assert_eq!(entries[1]["action"], "rejected");

    let parquet = path(&folder, "bad.parquet");
    let args = ["convert", &input, &output, "--force", "--rejects", &parquet];
    bin::run(args).exits(0);
    let sql = format!("SELECT line, reason, raw FROM '{parquet}' ORDER BY line");
    let (rows, _) = query(&context(), &sql).await;
    assert_eq!(
        rows,
        [
            ["3", "too_few_fields", "BRCA1"],
            ["6", "too_many_fields", "APOE,Neurology,3,x"]
        ]
    );
    // Also of a run that fails for them.
    let args = ["convert", &input, &output, "--force", "--rejects", &log];
    bin::run([&args[..], &["--error-threshold", "0.1"]].concat())
        .exits(1)
        .says("more than error_threshold (0.1) allows");
    assert_eq!(jsonl(&log).len(), 2);
}

#[tokio::test]
async fn several_inputs() {
    let folder = folder();
    for i in 1..=3 {
        let name = folder.path().join(format!("part{i}.csv"));
        support::write(&name, format!("id,x\n{i},a\n{i}0,b\n"));
    }
    let all = path(&folder, "part*.csv");
    let one = path(&folder, "all.parquet");
    let report = bin::convert(&[
        &path(&folder, "part3.csv"),
        &path(&folder, "part1.csv"),
        &one,
    ]);
    assert_eq!(bin::number(&report, "rows"), 4);
    let context = context();
    let (rows, _) = query(&context, &format!("SELECT id FROM '{one}'")).await;
    assert_eq!(
        rows.concat(),
        ["3", "30", "1", "10"],
        "in the order of the arguments"
    );
    let report = bin::convert(&[&all, &one, "--force"]);
    assert_eq!(bin::number(&report, "scan.files"), 3);
    let (rows, _) = query(&context, &format!("SELECT id FROM '{one}'")).await;
    assert_eq!(rows.concat(), ["1", "10", "2", "20", "3", "30"], "by name");

    // To a folder: one output an input.
    let out = path(&folder, "out/");
    let (first, second) = (path(&folder, "part1.csv"), path(&folder, "part2.csv"));
    let report = bin::convert(&[&first, &second, &out]);
    assert_eq!(bin::number(&report, "rows"), 4);
    assert_eq!(listing(Path::new(&out)), ["part1.parquet", "part2.parquet"]);
    let sql = format!("SELECT sum(id) FROM '{out}part2.parquet'");
    assert_eq!(value(&context, &sql).await, "22");
    bin::run(["convert", &first, &out])
        .exits(1)
        .says("part1.parquet: it is there already; use --force");
    bin::convert(&[&first, &out, "--format", "tsv"]);
    assert_eq!(listing(Path::new(&out)).len(), 3);
    // Two that would become the same.
    let other = folder.path().join("part1.tsv");
    support::write(&other, "id\tx\n7\tz\n");
    bin::run([
        "convert",
        &first,
        &other.display().to_string(),
        &out,
        "--force",
    ])
    .exits(1)
    .says("would become");
    // Other headers are named.
    let odd = support::write(&folder.path().join("part4.csv"), "id,y\n1,2\n");
    bin::run(["convert", &first, &odd, &one, "--force", "--strict-schema"])
        .exits(1)
        .says("part4.csv: its header is not that of ");
}

#[tokio::test]
async fn partitions() {
    let folder = folder();
    let input = support::write(&folder.path().join("in.csv"), BAD);
    let out = path(&folder, "by_panel");
    let report = bin::convert(&[&input, &out, "--partition-by", "PANEL"]);
    assert_eq!(bin::number(&report, "rows"), 3);
    assert_eq!(
        listing(Path::new(&out)),
        ["panel=Neurology", "panel=Oncology"]
    );
    assert_eq!(report["files"].as_array().unwrap().len(), 2);
    assert_eq!(listing(folder.path()), ["by_panel", "in.csv"]);
    let sql = format!("SELECT gene, panel FROM '{out}' ORDER BY gene");
    let (rows, _) = query(&context(), &sql).await;
    assert_eq!(
        rows,
        [
            ["EGFR", "Neurology"],
            ["MYC", "Oncology"],
            ["TP53", "Oncology"]
        ]
    );
    bin::run(["convert", &input, &out, "--partition-by", "panel"])
        .exits(1)
        .says("it is there already; use --force");
    let report = bin::convert(&[
        &input,
        &out,
        "--partition-by",
        "gene,panel",
        "--force",
        "--format",
        "csv",
    ]);
    assert_eq!(report["files"].as_array().unwrap().len(), 3);
    assert_eq!(
        listing(Path::new(&out)).len(),
        3,
        "the old folders are gone"
    );
    bin::run([
        "convert",
        &input,
        &path(&folder, "x"),
        "--partition-by",
        "colour",
    ])
    .exits(1)
    .says("'colour' is not a column; there are gene, panel, npx");
    assert_eq!(listing(folder.path()), ["by_panel", "in.csv"]);
}

/// More folders than are written at a time, in any format: one file each, its rows as they came.
#[tokio::test]
async fn many_partitions() {
    let folder = folder();
    let mut text = String::from("n,kind,value\n");
    let kinds = 400;
    for n in 0..40_000 {
        let kind = match n * 7 % kinds {
            0 => String::new(),
            1 => "a/b=c %41".to_owned(),
            2 => "\u{3b1}\u{a0}".to_owned(),
            kind => format!("k{kind}"),
        };
        text.push_str(&format!("{n},{kind},{}\n", n % 13));
    }
    let input = support::write(&folder.path().join("in.csv"), text);
    for (format, limit) in [
        ("parquet", "64MB"),
        ("parquet", "4GB"),
        ("csv", "64MB"),
        ("jsonl", "4GB"),
        ("arrow", "64MB"),
    ] {
        let out = path(&folder, "by_kind");
        let options = ["--partition-by", "kind", "--format", format, "--force"];
        let limit = ["--memory-limit", limit];
        let report = bin::convert(&[&[input.as_str(), &out], &options[..], &limit].concat());
        assert_eq!(bin::number(&report, "rows"), 40_000, "{format}");
        assert_eq!(report["files"].as_array().unwrap().len(), kinds, "{format}");
        if format == "arrow" {
            continue;
        }
        let sql = format!(
            "SELECT count(*), sum(n), sum(value), count(DISTINCT kind), count(kind), \
             count(*) FILTER (WHERE kind = 'a/b=c %41' AND n * 7 % {kinds} = 1) FROM '{out}'"
        );
        let (rows, _) = query(&context(), &sql).await;
        let values: u32 = (0..40_000).map(|n| n % 13).sum();
        assert_eq!(
            rows,
            [[
                "40000",
                "799980000",
                &values.to_string(),
                "399",
                "39900",
                "100"
            ]],
            "{format}"
        );
    }
    let sql = format!("SELECT n FROM '{}/kind=k9/'", path(&folder, "by_kind_csv"));
    let out = path(&folder, "by_kind_csv");
    let options = ["--partition-by", "kind", "--format", "csv"];
    let limit = ["--memory-limit", "64MB"];
    bin::convert(&[&[input.as_str(), &out], &options[..], &limit].concat());
    let (rows, _) = query(&context(), &sql).await;
    let numbers: Vec<u32> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(numbers.len(), 100);
    assert!(numbers.is_sorted(), "{numbers:?}");
}

/// What is written under any name that a format has is read under it.
#[tokio::test]
async fn names_that_formats_have() {
    let folder = folder();
    let input = support::write(&folder.path().join("in.csv"), "n,text\n1,a\n2,b\n");
    for ending in [
        "parquet", "pq", "arrow", "ipc", "feather", "PQ", "csv", "tsv", "tab", "jsonl", "ndjson",
    ] {
        let out = path(&folder, &format!("out.{ending}"));
        bin::convert(&[input.as_str(), &out]);
        let sql = format!("SELECT n, text FROM '{out}'");
        assert_eq!(query(&context(), &sql).await.0, [["1", "a"], ["2", "b"]]);
        let again = path(&folder, &format!("again-{ending}.tsv"));
        bin::convert(&[out.as_str(), &again]);
        let written = std::fs::read_to_string(again).unwrap();
        assert_eq!(written, "n\ttext\n1\ta\n2\tb\n", "{ending}");
    }
}

#[test]
fn folders_that_cannot_be() {
    let folder = folder();
    let input = support::write(&folder.path().join("in.csv"), BAD);
    let out = path(&folder, "out");
    bin::run([
        "convert",
        &input,
        &out,
        "--partition-by",
        "gene,panel,npx",
        "--format",
        "parquet",
    ])
    .exits(1)
    .says("leave one to be written");
    bin::run([
        "convert",
        &input,
        &out,
        "--partition-by",
        "gene,gene",
        "--format",
        "parquet",
    ])
    .exits(1)
    .says("named twice");
    assert_eq!(listing(folder.path()), ["in.csv"]);
}

#[test]
fn the_output_says_its_format() {
    let folder = folder();
    let input = support::write(&folder.path().join("in.csv"), BAD);
    bin::run(["convert", &input, &path(&folder, "out.xlsx")])
        .exits(1)
        .says("parquet, csv, tsv, jsonl, arrow");
    bin::run(["convert", &input, &path(&folder, "out")])
        .exits(1)
        .says("its name does not end in a format");
    bin::run(["convert", &input, &path(&folder, "out.parquet.gz")])
        .exits(1)
        .says("parquet is compressed inside");
    bin::run([
        "convert",
        &input,
        &path(&folder, "out"),
        "--format",
        "jsonl",
    ])
    .exits(0);
    let text = std::fs::read_to_string(folder.path().join("out")).unwrap();
    assert_eq!(text.lines().count(), 3);
    bin::run(["convert", &input, &path(&folder, "no/such/folder/out.csv")]).exits(0);
    assert!(folder.path().join("no/such/folder/out.csv").exists());
    bin::run([
        "convert",
        &path(&folder, "gone.csv"),
        &path(&folder, "o.csv"),
    ])
    .exits(1)
    .says("there is no such file")
    .says("gone.csv");
}

fn big(folder: &tempfile::TempDir, rows: usize) -> String {
    let rows: String = (0..rows)
        .map(|i| format!("{i}\t{}\tsome text of no interest\n", i * 7919 % 100_003))
        .collect();
    support::write(
        &folder.path().join("big.tsv"),
        format!("id\tvalue\ttext\n{rows}"),
    )
}

/// SIGTERM in the middle: nothing under the final name, no stage, soon.
#[test]
fn a_signal_leaves_nothing_behind() {
    let folder = folder();
    let input = big(&folder, 3_000_000);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    for (signal, code, name) in [("-TERM", 143, "out.tsv.gz"), ("-INT", 130, "out.parquet")] {
        let output = out.join(name).display().to_string();
        // Slow enough to be in the middle of it.
        let slow = ["--threads", "1", "--parquet-zstd-level", "19"];
        let args = [&["convert", input.as_str(), &output], &slow[..]].concat();
        let child = bin::command(&args).spawn().unwrap();
        let start = Instant::now();
        while listing(&out).is_empty() && start.elapsed() < Duration::from_millis(700) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &pid])
            .status();
        assert!(
            sent.unwrap().success(),
            "it was done before: make the file larger"
        );
        let sent = Instant::now();
        let run = bin::Run::from(child.wait_with_output().unwrap());
        assert!(sent.elapsed() < Duration::from_secs(10));
        assert_eq!(run.code, Some(code), "{run:#?}");
        assert_eq!(listing(&out), Vec::<String>::new(), "{name}");
    }
}

/// A disk that is full: said, and nothing left. Needs the right to mount; said if there is none.
#[test]
fn a_full_disk() {
    let folder = folder();
    let input = big(&folder, 400_000);
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "none"])
        .arg(&disk)
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        eprintln!("skipped: mounting a small disk is refused here");
        return;
    }
    let mut runs = Vec::new();
    for name in ["out.tsv", "out.csv.gz", "out.parquet", "out.jsonl"] {
        let output = disk.join(name).display().to_string();
        let run = bin::run(["convert", &input, &output, "--threads", "2"]);
        runs.push((run, listing(&disk)));
    }
    let unmounted = std::process::Command::new("umount").arg(&disk).status();
    assert!(unmounted.unwrap().success());
    for (run, left) in runs {
        run.exits(1).says("No space left on device");
        assert_eq!(left, Vec::<String>::new());
    }
}

/// A store that is not the local disk shows no half of an object either, and keeps what it had.
#[tokio::test]
async fn half_an_object_is_removed_from_a_store() {
    use datafusion::object_store::memory::InMemory;
    use datafusion::object_store::path::Path as ObjectPath;
    use datafusion::object_store::{ObjectStore, ObjectStoreExt};
    use futures::TryStreamExt;

    let folder = folder();
    let rows: String = (0..100_000).map(|i| format!("{i}\tx\n")).collect();
    let late = folder.path().join("late.tsv");
    let late = support::write(&late, format!("a\tb\n{rows}broken\n"));
    let store = std::sync::Arc::new(InMemory::new());
    let context = context();
    let url = url::Url::parse("mem://bucket").unwrap();
    let known = std::sync::Arc::clone(&store);
    context.session().register_object_store(&url, known);
    store
        .put(&ObjectPath::from("kept.json"), "old".into())
        .await
        .unwrap();
    for ending in ["parquet", "csv", "tsv.gz", "jsonl", "arrow"] {
        let sql = format!(
            "COPY (SELECT * FROM read_tsv('{late}', on_error => 'fail')) TO 'mem://bucket/out.{ending}'"
        );
        let message = support::error(&context, &sql).await;
        assert!(message.contains("line 100002"), "{message}");
        let left: Vec<_> = store.list(None).try_collect().await.unwrap();
        let left: Vec<_> = left.iter().map(|meta| meta.location.to_string()).collect();
        assert_eq!(left, ["kept.json"], "{ending}");
        let good = sql.replace("'fail'", "'reject'");
        let (rows, _) = query(&context, &good).await;
        assert_eq!(rows, [["100000"]]);
        // (DataFusion 55 cannot infer an Arrow file's schema from a store.)
        if !["jsonl", "arrow"].contains(&ending) {
            let sql = format!("SELECT count(*) FROM 'mem://bucket/out.{ending}'");
            assert_eq!(value(&context, &sql).await, "100000", "{ending}");
        }
        let path = ObjectPath::from(format!("out.{ending}"));
        store.delete(&path).await.unwrap();
    }
    // `file://` is the local disk: staged as a path is.
    let output = folder.path().join("out.csv").display().to_string();
    let sql =
        format!("COPY (SELECT * FROM read_tsv('{late}', on_error => 'fail')) TO 'file://{output}'");
    std::fs::write(&output, "old").unwrap();
    support::error(&context, &sql).await;
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "old");
    query(&context, &sql.replace("'fail'", "'reject'")).await;
    assert_eq!(
        value(&context, &format!("SELECT count(*) FROM '{output}'")).await,
        "100000"
    );
}

/// A pipe stays one, and gets the rows once they are all there.
#[cfg(unix)]
#[test]
fn a_pipe_as_output_is_written_to() {
    let folder = folder();
    let input = support::write(&folder.path().join("in.csv"), BAD);
    let made = |name: &str| {
        let pipe = path(&folder, name);
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        pipe
    };
    let pipe = made("out.csv");
    let copy = format!("COPY (SELECT gene FROM '{input}') TO 'file://{pipe}'");
    for args in [
        vec!["convert", &input, &pipe, "--force"],
        vec!["sql", &copy],
    ] {
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read_to_string(pipe).unwrap()
        });
        bin::run(&args).exits(0);
        let text = reader.join().unwrap();
        assert!(text.starts_with("gene") && text.contains("TP53"), "{text}");
    }
    let meta = std::fs::metadata(&pipe).unwrap();
    assert!(!meta.is_file());
    assert_eq!(listing(folder.path()), ["in.csv", "out.csv"]);
}

/// What is only explained leaves nothing behind.
#[tokio::test]
async fn explain_writes_nothing() {
    let folder = folder();
    let target = path(&folder, "new/sub/x.csv");
    query(
        &context(),
        &format!("EXPLAIN COPY (SELECT 1 AS x) TO '{target}'"),
    )
    .await;
    assert!(listing(folder.path()).is_empty());
}
