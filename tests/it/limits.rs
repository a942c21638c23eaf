//! The memory limit is a promise about the process: its peak is at most 80 MiB more.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::gen_data::Rng;
use crate::support::{self, bin};

/// A small one, so that what is held cannot be small by chance. The tables are some times larger.
const LIMIT: &str = "100MB";
const LIMIT_BYTES: u64 = 100_000_000;
const ALLOWANCE: u64 = 80 << 20;

/// Rows of a table whose columns have many values, few, and a number each.
fn table(path: &Path, rows: usize) -> String {
    let mut rng = Rng::new(11);
    let mut text = String::from("id\tsample\tassay\tpanel\tnpx\tlod\tqc\n");
    text.reserve(rows * 56);
    for i in 0..rows {
        let assay = rng.below(3000);
        let (npx, lod) = (rng.below(200_000), rng.below(10_000));
        let row = (i as u64 * 7_919) % rows as u64;
        writeln!(
            text,
            "{row}\tS{:06}\tGENE{assay}\tPanel {}\t{:.4}\t{:.3}\tPASS",
            rng.below(50_000),
            assay % 8,
            npx as f64 / 1e4 - 10.0,
            lod as f64 / 1e3
        )
        .unwrap();
    }
    support::write(path, text)
}

fn run(args: &[&str]) -> serde_json::Value {
    let fixed = ["--memory-limit", LIMIT, "--threads", "2"];
    let run = bin::run([args, &fixed, &["--report", "json", "--quiet"]].concat()).exits(0);
    // (It goes to standard output where that is free.)
    let said = format!("{}{}", run.stdout, run.stderr);
    serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap()
}

#[test]
fn the_process_stays_within_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(&folder.path().join("t.tsv"), 2_000_000);
    let output = folder.path().join("out.parquet").display().to_string();
    let temp = folder.path().display().to_string();
    let mut over = Vec::new();
    for (what, sql, spills) in [
        (
            "scan",
            "SELECT count(*), sum(npx), max(assay) FROM '{}'",
            false,
        ),
        ("sort", "SELECT * FROM '{}' ORDER BY npx, id", true),
        ("distinct", "SELECT DISTINCT sample, assay FROM '{}'", true),
        (
            "distincts",
            "SELECT count(DISTINCT id), count(DISTINCT sample), count(*) FROM '{}'",
            true,
        ),
        (
            "join",
            "SELECT a.*, b.lod AS other FROM '{}' a JOIN '{}' b ON a.id = b.id",
            true,
        ),
        (
            "window",
            "SELECT *, npx - avg(npx) OVER (PARTITION BY assay) AS z FROM '{}'",
            true,
        ),
    ] {
        let sql = sql.replace("{}", &file);
        let report = run(&["sql", &sql, "-o", &output, "--temp-dir", &temp]);
        let peak = bin::number(&report, "peak_rss");
        let spilled = report["memory"]["spilled_bytes"].as_u64().unwrap();
        println!(
            "{what}: {} MiB, {} MB spilled",
            peak >> 20,
            spilled / 1_000_000
        );
        assert_eq!(spilled > 0, spills, "{what}: {spilled} bytes spilled");
        if peak > LIMIT_BYTES + ALLOWANCE {
            over.push(format!("{what}: {} MiB", peak >> 20));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}

#[test]
fn too_small_a_limit_says_which_one_would_do() {
    let run = bin::run([
        "sql",
        "SELECT 1",
        "--memory-limit",
        "10MB",
        "--threads",
        "2",
    ])
    .exits(2);
    let least = run.stderr.split("at least ").nth(1);
    let least: u64 = least.unwrap().split("MB").next().unwrap().parse().unwrap();
    assert!(least <= 48, "{}", run.stderr);
    let folder = tempfile::tempdir().unwrap();
    let file = table(&folder.path().join("t.tsv"), 200_000);
    let output = folder.path().join("out.parquet").display().to_string();
    let limit = format!("{least}MB");
    let args = [
        "convert",
        &file,
        &output,
        "--threads",
        "2",
        "--memory-limit",
        &limit,
    ];
    bin::run(args).exits(0);
}

/// What cannot be spilled ends with an error that says who holds what, and what would do.
#[test]
fn what_does_not_fit_ends_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(&folder.path().join("t.tsv"), 1_000_000);
    for sql in [
        "SELECT array_agg(sample || assay || npx) FROM '{}'",
        "SELECT sample, sum(npx) OVER () FROM '{}'",
    ] {
        let sql = sql.replace("{}", &file);
        let run = bin::run(["sql", &sql, "--memory-limit", "64MB", "--threads", "2"]).exits(1);
        for expected in ["the memory limit is too small", "It needs a limit of"] {
            assert!(run.stderr.contains(expected), "{sql}\n{}", run.stderr);
        }
    }
}

/// Rows that come from a window are charged once, however they are cut.
#[test]
fn windows_over_windows_fit() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(&folder.path().join("t.tsv"), 200_000);
    let sql = format!(
        "SELECT max(z), count(*) FROM (SELECT *, sum(npx) OVER (ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING \
         AND UNBOUNDED FOLLOWING) AS y, avg(npx) OVER () AS z FROM '{file}')"
    );
    let run = bin::run(["sql", &sql, "--memory-limit", "400MB", "--threads", "2"]).exits(0);
    assert!(run.stdout.trim_end().ends_with(",200000"), "{}", run.stdout);
}

/// Lists of lists are unnested a few at a time.
#[test]
fn nested_lists_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(&folder.path().join("t.tsv"), 500);
    let sql = format!(
        "SELECT count(*), max(sample), max(assay), sum(x) FROM \
         (SELECT *, unnest(unnest(make_array(range(0, 4000)))) AS x FROM '{file}')"
    );
    let report = run(&["sql", &sql]);
    let peak = bin::number(&report, "peak_rss");
    assert!(peak < LIMIT_BYTES + ALLOWANCE, "{} MiB", peak >> 20);
}

/// `EXPLAIN` says what the limit made of a plan, `EXPLAIN ANALYZE` what it held.
#[test]
fn explain_tells_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(&folder.path().join("t.tsv"), 1_000_000);
    let sql = "SELECT count(*) FROM '{}' a JOIN '{}' b ON a.id = b.id".replace("{}", &file);
    let said = |explain: &str, limit: &str| {
        let sql = format!("{explain} {sql}");
        let options = ["--memory-limit", limit, "--threads", "2"];
        bin::run([&["sql", &sql], &options[..]].concat())
            .exits(0)
            .stdout
    };
    for (limit, expected) in [
        (
            "64MB",
            "SortMergeJoinExec: sorted sides in place of a hash table",
        ),
        ("4GB", "HashJoinExec: holds its left side, taken to be"),
        ("4GB", "DataSourceExec: reads units of"),
        ("4GB", "memory,\"limit 4.0 GB: "),
    ] {
        let text = said("EXPLAIN", limit);
        assert!(text.contains(expected), "{text}");
    }
    let text = said("EXPLAIN ANALYZE", "64MB");
    assert!(text.contains("peak of the process"), "{text}");
    assert!(text.contains(" spilled in "), "{text}");
    let json = said("EXPLAIN FORMAT PGJSON", "64MB");
    assert!(!json.contains("memory,"), "{json}");
}

/// A record that is longer than the memory is set aside; more columns than there is memory for are refused.
#[test]
fn what_is_very_long_or_very_wide_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = b"a\tb\n1\t2\n3\t".to_vec();
    text.resize(300 << 20, b'x');
    text.extend(b"\n5\t6\n");
    let long = support::write(&folder.path().join("long.tsv"), text);
    let report = run(&[
        "sql",
        &format!("SELECT * FROM '{long}'"),
        "--error-threshold",
        "1",
    ]);
    assert_eq!(bin::number(&report, "rows"), 2);
    assert_eq!(bin::number(&report, "rejected"), 1);
    let peak = bin::number(&report, "peak_rss");
    assert!(peak < LIMIT_BYTES + ALLOWANCE, "{} MiB", peak >> 20);

    let names: Vec<String> = (0..200_000).map(|i| format!("c{i}")).collect();
    let values = vec!["1"; names.len()].join("\t");
    let text = format!("{}\n{values}\n{values}\n", names.join("\t"));
    let wide = support::write(&folder.path().join("wide.tsv"), text);
    let count = format!("SELECT count(*), sum(c199999) FROM '{wide}'");
    bin::run(["sql", &count, "--memory-limit", "64MB"])
        .exits(1)
        .says("the 200000 columns of")
        .says("It needs a limit of");
    let some = ["--columns", "c7,c199999"];
    let said = bin::run([&["sql", &count, "--memory-limit", "64MB"], &some[..]].concat());
    assert_eq!(said.exits(0).stdout.lines().last(), Some("2,2"));
}

/// Many columns make small row groups.
#[test]
fn wide_tables_become_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..3000).map(|i| format!("c{i}")).collect();
    let mut text = format!("{}\n", names.join("\t"));
    for i in 0..3000 {
        let values: Vec<String> = (0..names.len())
            .map(|j| format!("{}", (i * j) % 911))
            .collect();
        text.push_str(&values.join("\t"));
        text.push('\n');
    }
    let input = support::write(&folder.path().join("wide.tsv"), text);
    let output = folder.path().join("wide.parquet").display().to_string();
    for limit in ["150MB", "300MB", "8GB"] {
        let options = ["--memory-limit", limit, "--threads", "2", "--force"];
        let report = bin::convert(&[&[input.as_str(), &output], &options[..]].concat());
        assert_eq!(bin::number(&report, "rows"), 3000);
        let peak = bin::number(&report, "peak_rss");
        println!("{limit}: {} MiB", peak >> 20);
        let allowed = limit
            .trim_end_matches(['M', 'G', 'B'])
            .parse::<u64>()
            .unwrap();
        let allowed = if limit.ends_with("GB") {
            allowed * 1000
        } else {
            allowed
        } * 1_000_000;
        assert!(peak < allowed + ALLOWANCE, "{limit}: {} MiB", peak >> 20);
    }
}

/// A reader gives back what it reserved when its file is read.
#[test]
fn many_files_fit_as_well_as_one() {
    let folder = tempfile::tempdir().unwrap();
    table(&folder.path().join("0000.tsv"), 20_000);
    for i in 1..200 {
        let to = folder.path().join(format!("{i:04}.tsv"));
        std::fs::copy(folder.path().join("0000.tsv"), to).unwrap();
    }
    let sql = format!("SELECT count(*) FROM '{}/*.tsv'", folder.path().display());
    let run = bin::run(["sql", &sql, "--memory-limit", "64MB", "--threads", "2"]).exits(0);
    assert_eq!(run.stdout.lines().last(), Some("4000000"));
}

/// Spilled data of a process that was killed is removed by the next one; that of one that lives is not.
#[test]
#[cfg(target_os = "linux")]
fn a_killed_process_leaves_nothing_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(&folder.path().join("t.tsv"), 1_000_000);
    let temp = folder.path().join("temp");
    let sql = format!("SELECT * FROM '{file}' ORDER BY npx, id");
    let output = folder.path().join("out.parquet").display().to_string();
    let temp_dir = temp.display().to_string();
    let options = ["--memory-limit", "64MB", "--temp-dir", &temp_dir];
    let mut child = bin::command([&["sql", &sql, "-o", &output], &options[..]].concat())
        .spawn()
        .unwrap();
    let folders = || -> Vec<_> {
        let entries = std::fs::read_dir(&temp).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let spilled = || {
        let mut command = Command::new("du");
        let output = command.arg("-sk").arg(&temp).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split('\t')
            .next()
            .unwrap_or("0")
            .parse::<u64>()
            .unwrap_or(0)
    };
    let begin = Instant::now();
    while spilled() < 2_000 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing spilled");
        std::thread::sleep(Duration::from_millis(5));
    }
    let left = folders();
    // Another one, while it lives.
    bin::run(["sql", "SELECT 1", "--temp-dir", &temp_dir]).exits(0);
    assert_eq!(folders(), left);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(folders(), left);
    bin::run(["sql", "SELECT 1", "--temp-dir", &temp_dir]).exits(0);
    assert_eq!(folders(), Vec::<std::path::PathBuf>::new());
}

/// A spill that is not allowed to grow says which option does it.
#[test]
fn a_full_spill_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = table(&folder.path().join("t.tsv"), 1_000_000);
    let sql = format!("SELECT * FROM '{file}' ORDER BY npx, id");
    let output = folder.path().join("out.parquet").display().to_string();
    let options = ["--memory-limit", "64MB", "--temp-limit", "1MB"];
    let run = bin::run([&["sql", &sql, "-o", &output], &options[..]].concat()).exits(1);
    assert!(run.stderr.contains("--temp-limit"), "{}", run.stderr);
    assert!(!Path::new(&output).exists());
}
