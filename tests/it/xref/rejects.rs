//! Rows that are no statements, as the program tells of them.

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
