//! Peak memory of the real binary: bounded, and much the same for a small table and a large one.

use std::fmt::Write;
use std::path::Path;

use crate::support::gen_data::Rng;
use crate::support::{self, bin};

const SMALL: usize = 100_000;
const LARGE: usize = 2_000_000;
const LIMIT: u64 = 256 << 20;
/// Batches that are in flight in a longer run, parts of a file that wait to be written.
const SLACK: u64 = 96 << 20;

/// A long table, as proteomics has them: 20 times as many rows of the same samples and proteins.
fn table(path: &Path, rows: usize) -> String {
    let mut rng = Rng::new(7);
    let mut text = String::from("sample\tassay\tuniprot\tpanel\tnpx\tqc\n");
    text.reserve(rows * 50);
    for i in 0..rows {
        let assay = rng.below(3000);
        let npx = rng.below(200_000) as f64 / 10_000.0 - 10.0;
        writeln!(
            text,
            "S{:05}\tGENE{assay}\tP{assay:05}\tPanel {}\t{npx}\tPASS",
            i % 10_000,
            assay % 8
        )
        .unwrap();
    }
    support::write(path, text)
}

fn peak(args: &[&str]) -> u64 {
    let run = bin::run([args, &["--threads", "2", "--report", "json", "--quiet"]].concat());
    let run = run.exits(0);
    // The report of a query goes to standard error, where its rows do not.
    let report = if args[0] == "sql" {
        run.stderr.lines().last()
    } else {
        run.stdout.lines().last()
    };
    let report = serde_json::from_str(report.unwrap_or_default());
    bin::number(&report.unwrap(), "peak_rss")
}

#[test]
fn peaks_are_bounded_and_flat() {
    let folder = tempfile::tempdir().unwrap();
    let small = table(&folder.path().join("small.tsv"), SMALL);
    let large = table(&folder.path().join("large.tsv"), LARGE);
    let output = folder.path().join("out").display().to_string();
    let mut wrong = Vec::new();
    let mut check = |what: &str, run: &dyn Fn(&str) -> u64| {
        let (few, many) = (run(&small), run(&large));
        let line = format!("{what}: {} and {} MiB", few >> 20, many >> 20);
        println!("{line}");
        if many > LIMIT || many > few + SLACK {
            wrong.push(line);
        }
    };
    for (what, sql) in [
        ("count", "SELECT count(*) FROM '{}'"),
        (
            "group by",
            "SELECT panel, assay, count(*), avg(npx) FROM '{}' GROUP BY panel, assay",
        ),
        ("distinct", "SELECT count(DISTINCT sample) FROM '{}'"),
        (
            "filter",
            "SELECT * FROM '{}' WHERE npx > 9.99 AND panel = 'Panel 3'",
        ),
        ("all rows", "SELECT * FROM '{}'"),
    ] {
        check(what, &|input| peak(&["sql", &sql.replace("{}", input)]));
    }
    for format in ["csv", "parquet"] {
        let convert = |input: &str| {
            let options = ["--force", "--format", format];
            // Row groups of the small table's size: a row group is held whole.
            let groups = ["--parquet-row-group-rows", "100000"];
            peak(&[&["convert", input, &output], &options[..], &groups[..]].concat())
        };
        check(format, &convert);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Nothing but bad lines: the log is as long as the file, and on disk.
#[test]
fn a_file_of_bad_lines_is_bounded_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("a\tb\n1\t2\n");
    text.push_str(&"x\n".repeat(3_000_000));
    let input = support::write(&folder.path().join("bad.tsv"), text);
    for query in ["SELECT count(*) FROM '{}'", "SELECT a FROM '{}'"] {
        let query = query.replace("{}", &input);
        let temp = folder.path().display().to_string();
        let options = ["--error-threshold", "1", "--temp-dir", &temp];
        let peak = peak(&[&["sql", &query], &options[..]].concat());
        println!("3 million bad lines: {} MiB", peak >> 20);
        assert!(peak < LIMIT, "{} MiB", peak >> 20);
    }
}

/// An identifier with very many paths or results: they are handed on as they come, and what does not fit is refused.
#[test]
fn hubs_are_bounded_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("subject_id\tobject_id\n");
    for i in 0..50_000 {
        writeln!(text, "aaa:hub\tbbb:{i}\nbbb:{i}\tccc:1").unwrap();
    }
    let hub = support::write(&folder.path().join("hub.tsv"), text);
    let ids = format!("id\n{}", "aaa:hub\n".repeat(100));
    let ids = support::write(&folder.path().join("ids.tsv"), ids);
    let temp = folder.path().display().to_string();
    let mut wrong = Vec::new();
    for (rows, what, options) in [
        (
            100,
            "count(*), sum(array_length(x.paths))",
            "targets => ['ccc']",
        ),
        (
            10,
            "count(*), max(x.path)",
            "targets => ['bbb'], \"limit\" => 1000000, max_hops => 1",
        ),
        (
            10,
            "count(*), sum(array_length(x.mappings))",
            "targets => ['bbb'], \"limit\" => 10000, max_hops => 1, policy => 'list'",
        ),
    ] {
        let sql = format!(
            "CREATE MAPPING kb FROM '{hub}'; SELECT {what} FROM (SELECT * FROM '{ids}' LIMIT {rows}) AS t, \
             LATERAL xref(t.id, 'kb', {options}) AS x"
        );
        let peak = peak(&["sql", &sql, "--memory-limit", "100MB", "--temp-dir", &temp]);
        let line = format!("{options}: {} MiB", peak >> 20);
        println!("{line}");
        if peak > 100_000_000 + (80 << 20) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
