//! Rows that are no statements, as the program tells of them.

use biotide::prelude::*;

use crate::support::{self, bin};

const ROWS: &str = "subject_id\tobject_id\na:1\tb:1\nnothing\tb:2\n";

#[test]
fn rows_of_mappings_count_as_rejects() {
    let folder = tempfile::tempdir().unwrap();
    let file = support::write(&folder.path().join("m.tsv"), ROWS);
    let ids = support::write(&folder.path().join("ids.tsv"), "id\na:1\n");
    let denied = support::write(
        &folder.path().join("no.tsv"),
        "subject_id\tobject_id\na:1\tb:1\n",
    );
    let sql = format!("CREATE MAPPING kb FROM '{file}'");
    for (allowed, code) in [("1", 0), ("0", 3)] {
        let options = ["--fail-on-rejects", allowed];
        bin::run([&["sql", &*sql][..], &options].concat()).exits(code);
        let xref = ["xref", &ids, "--column", "id", "--mapping", &file];
        bin::run([&xref[..], &options].concat()).exits(code);
        // (It is made of several files there.)
        let run = bin::run([&xref[..], &["--negatives", &denied], &options].concat());
        run.exits(code)
            .says("1 of 4 records rejected (1 no_identifier)");
    }
}

/// What the mapping of a question with denials was made from is in the report of the question.
#[test]
fn reports_have_the_rows_of_mappings() {
    let folder = tempfile::tempdir().unwrap();
    let file = support::write(&folder.path().join("m.tsv"), ROWS);
    let ids = support::write(&folder.path().join("ids.tsv"), "id\na:1\n");
    let denied = support::write(
        &folder.path().join("no.tsv"),
        "subject_id\tobject_id\na:1\tc:1\n",
    );
    let xref = ["xref", &ids, "--column", "id", "--mapping", &file];
    let report = folder.path().join("report.json").display().to_string();
    for (more, files) in [(vec![], 2), (vec!["--negatives", &*denied], 3)] {
        bin::run([&xref[..], &more, &["--report", &report]].concat()).exits(0);
        let text = std::fs::read_to_string(&report).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(bin::number(&read, "rejected"), 1, "{text}");
        assert_eq!(bin::number(&read["scan"], "files"), files, "{text}");
    }
}

/// A result that would be written over what it is made from is refused.
#[test]
fn no_input_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = support::write(
        &folder.path().join("m.tsv"),
        "subject_id\tobject_id\na:1\tb:1\n",
    );
    let ids = support::write(&folder.path().join("ids.tsv"), "id\na:1\n");
    for output in [&ids, &file] {
        let xref = [
            "xref",
            &ids,
            "--column",
            "id",
            "--mapping",
            &file,
            "-o",
            output,
        ];
        bin::run(xref)
            .exits(1)
            .says("input and output are the same file");
    }
    assert_eq!(std::fs::read_to_string(&ids).unwrap(), "id\na:1\n");
}

/// What was mapped can be mapped again, however often.
#[test]
fn results_can_be_mapped_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = support::write(
        &folder.path().join("m.tsv"),
        "subject_id\tobject_id\na:1\tb:1\n",
    );
    let mut input = support::write(&folder.path().join("0.tsv"), "id\na:1\n");
    for (time, name) in ["path", "xref_path", "xref2_path", "xref3_path"]
        .iter()
        .enumerate()
    {
        let output = folder
            .path()
            .join(format!("{}.tsv", time + 1))
            .display()
            .to_string();
        bin::run([
            "xref",
            &input,
            "--column",
            "id",
            "--mapping",
            &file,
            "-o",
            &output,
        ])
        .exits(0);
        let text = std::fs::read_to_string(&output).unwrap();
        let header: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
        assert!(header.contains(name), "{header:?}");
        input = output;
    }
}

#[test]
fn an_option_is_given_once() {
    let question = ["xref", "ids.tsv", "--column", "id", "--mapping", "m.tsv"];
    for twice in [
        ["--xref-max-hops", "1", "--max-hops", "2"],
        ["--xref-targets", "c", "--to", "d"],
    ] {
        bin::run([&question[..], &twice].concat())
            .exits(2)
            .says("cannot be used with");
    }
}

#[test]
fn a_mapping_that_fails_leaves_its_rejects() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "subject_id\tobject_id\none\tb:1\ntwo\tb:2\n";
    let file = support::write(&folder.path().join("m.tsv"), rows);
    let rejects = folder.path().join("rejects.jsonl").display().to_string();
    let sql = format!("CREATE MAPPING kb FROM '{file}'");
    let run = bin::run(["sql", &sql, "--rejects", &rejects]).exits(1);
    run.says("2 of 2 rows are no statements");
    let written = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(written.lines().count(), 2, "{written}");
}

/// A mapping with denials may be any that one without may be.
#[test]
fn denials_go_with_any_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let rows = "subject_id\tobject_id\na:1\tb:1\na:1\tb:2\n";
    let file = support::write(&folder.path().join("m.tsv"), rows);
    let ids = support::write(&folder.path().join("ids.tsv"), "id\na:1\n");
    let denied = support::write(
        &folder.path().join("no.tsv"),
        "subject_id\tobject_id\na:1\tb:1\n",
    );
    let (stored, parquet) = (path("m.mapping"), path("m.parquet"));
    let sql = format!(
        "CREATE MAPPING kb FROM '{file}' STORED AS '{stored}'; COPY (SELECT * FROM '{file}') TO '{parquet}'"
    );
    bin::run(["sql", &sql]).exits(0);
    for mapping in [&file, &stored, &parquet] {
        let xref = ["xref", &ids, "--column", "id", "--mapping", mapping];
        let run = bin::run(
            [
                &xref[..],
                &["--negatives", &denied, "--output-format", "csv"],
            ]
            .concat(),
        );
        let run = run.exits(0);
        assert!(
            run.stdout.contains("b:2") && !run.stdout.contains("b:1"),
            "{run:?}"
        );
    }
}

/// What is brought forward to a target is mapped.
#[test]
fn successors_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = support::write(
        &folder.path().join("m.tsv"),
        "subject_id\tobject_id\na:1\tb:1\n",
    );
    let ids = support::write(&folder.path().join("ids.tsv"), "id\nHGNC:8\n");
    let xref = ["xref", &ids, "--column", "id", "--mapping", &file];
    let run = bin::run([&xref[..], &["--to", "hgnc"]].concat()).exits(0);
    run.says("1 of 1 identifiers mapped: 1 retired");
}

/// A record of a file is one, whatever is wrong with its statements.
#[test]
fn a_record_with_several_flaws_is_rejected_once() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "id\txs\na:1\tfoo|bar|b:1|baz\na:2\tb:2\n";
    let file = support::write(&folder.path().join("l.tsv"), rows);
    let source = format!("columns('{file}', subject => 'id', objects => ['xs'])");
    for sources in [source.clone(), format!("{source}, {source}")] {
        let sql = format!("CREATE MAPPING l FROM {sources}");
        let run = bin::run(["sql", &sql, "--fail-on-rejects", "1"]).exits(0);
        run.says("1 of 2 records rejected (1 no_identifier)");
    }
}

/// Words that the sample of a file does not show are no numbers that nobody has written.
#[tokio::test]
async fn denials_are_read_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let context = support::context();
    for (no, yes, column) in [
        ("0", "1", "negated"),
        ("false", "true", "Negated"),
        ("0", "1", "predicate_modifier"),
    ] {
        let rows = |first: usize| {
            let row = |n| format!("a:{n}\tb:{n}\t{}\n", if n % 2 == 0 { no } else { yes });
            (first..first + 80_000).map(row).collect::<String>()
        };
        let words = "a:x\tb:x\tyes\na:y\tb:y\tmaybe\n";
        let (before, behind) = (rows(0), rows(80_000));
        let text = format!("subject_id\tobject_id\t{column}\n{before}{words}{behind}");
        let file = support::write(&folder.path().join("m.tsv"), text);
        for source in [
            format!("'{file}'"),
            format!("pairs('{file}', decimal => '.')"),
            format!("pairs('{file}', schema => 'subject_id:text')"),
        ] {
            assert_eq!(odd(&context, &source).await, (1, "a:x true".to_owned()));
        }
        // Who says of which type it is means that.
        if yes == "1" {
            let source = format!("pairs('{file}', schema => '{column}:int64')");
            let stated = "a:x false, a:y false".to_owned();
            assert_eq!(odd(&context, &source).await, (0, stated));
        }
    }
}

/// How many rows of a source are rejected, and what becomes of those with other words.
async fn odd(context: &BiotideContext, source: &str) -> (u64, String) {
    let sql = format!("CREATE OR REPLACE MAPPING k FROM {source}");
    let (_, report) = support::query(context, &sql).await;
    let sql = "SELECT string_agg(concat(subject_id, ' ', negated), ', ' ORDER BY subject_id) FROM mapping_edges('k') \
               WHERE subject_id IN ('a:x', 'a:y')";
    (report.rejected, support::value(context, sql).await)
}
