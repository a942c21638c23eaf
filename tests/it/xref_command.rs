//! `biotide xref`: what its options are said of, how often they may be, and how its results are written.

use biotide::XrefRequest;

use crate::support::bin::{self, Run};
use crate::support::{self};

const MAPPING: &str = "subject_id\tpredicate_id\tobject_id\tconfidence\n\
                       mesh:C1\tskos:exactMatch\tchebi:1\t0.9\n\
                       mesh:C2\tskos:exactMatch\tchebi:1\t0.8\n\
                       chebi:1\tskos:narrowMatch\tkegg.compound:C00001\t0.5\n\
                       chebi:1\tskos:broadMatch\thmdb:HMDB0000001\t\n";

const INPUT: &str = "id\tval\nmesh:C1\t1\nmesh:C2\t2\nC1\t3\n\t4\nmesh:C9\t5\n";

/// A folder of files.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("kb.tsv", MAPPING);
        files.write("in.tsv", INPUT);
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        support::write(&self.0.path().join(name), bytes)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Asks for what is in the column `id` of a file.
    fn xref(&self, input: &str, mapping: &str, more: &[&str]) -> Run {
        let (input, mapping) = (self.path(input), self.path(mapping));
        let question = ["xref", &input, "--column", "id", "--mapping", &mapping];
        bin::run([&question[..], more].concat())
    }
}

/// The lines below the header.
fn rows(run: &Run) -> Vec<&str> {
    run.stdout.lines().skip(1).collect()
}

#[test]
fn what_is_said_of_a_table_is_said_of_the_input() {
    let files = Files::new();
    files.write("some.tsv", "id\tval\nmesh:C1\t1\nmesh:C2\t2\nmesh:C1\t3\n");
    files.write("semicolons.tsv", "id;val\nmesh:C1;1\n");
    files.write("kb.tsv.gz", support::gzip(MAPPING.as_bytes()));
    let denied = files.write("no.tsv", "subject_id\tobject_id\nmesh:C3\tchebi:1\n");
    for (input, more) in [
        ("some.tsv", &["--max-rows", "1"][..]),
        ("some.tsv", &["--set", "max_rows=1"]),
        ("some.tsv", &["--skip-footer", "1"]),
        ("some.tsv", &["--columns", "id"]),
        (
            "some.tsv",
            &["--skip-rows", "1", "--no-header", "--column-names", "id,n"],
        ),
        ("some.tsv", &["--null-values", "mesh:C2,chebi:1"]),
        ("some.tsv", &["--comment", "chebi:1"]),
        ("some.tsv", &["--skip-empty", "--key-columns", "val"]),
        ("some.tsv", &["--all-text", "--metadata-columns"]),
        ("some.tsv", &["--compression", "none"]),
        ("semicolons.tsv", &["--delimiter", ";"]),
    ] {
        // (Of the mapping it is the last row that is needed.)
        let wanted = ["--to", "hmdb", "--negatives", &denied];
        for (mapping, source, also) in [
            ("kb.tsv", "kb.tsv", &wanted[..2]),
            ("kb.tsv", "kb.tsv", &wanted[..]),
            ("k*.tsv", "kb.tsv", &wanted[..2]),
            ("kb.tsv.gz", "kb.tsv.gz", &wanted[..2]),
        ] {
            let run = files.xref(input, mapping, &[more, also].concat()).exits(0);
            let first = rows(&run).first().copied().unwrap_or_default();
            let result = "hmdb:HMDB0000001,skos:broadMatch,0.9,2,";
            assert!(
                first.contains(result) && first.ends_with(&format!(",{source},ok")),
                "{more:?} {also:?} {run:#?}"
            );
        }
    }
    let one = files.xref("some.tsv", "kb.tsv", &["--max-rows", "1", "--to", "chebi"]);
    assert_eq!(rows(&one).len(), 1, "{one:#?}");
}

/// What is to become of bad rows is said of all files.
#[test]
fn bad_rows_of_all_files_are_treated_alike() {
    let files = Files::new();
    files.write("bad.tsv", format!("{INPUT}only one field\n"));
    files.write("bad_kb.tsv", format!("{MAPPING}broken\n"));
    let denied = files.write(
        "no.tsv",
        "subject_id\tobject_id\nmesh:C3\tchebi:1\nbroken\n",
    );
    let rejects = files.path("rejects.jsonl");
    let more = ["--negatives", &*denied, "--rejects", &rejects];
    files
        .xref("bad.tsv", "bad_kb.tsv", &more)
        .exits(0)
        .says("3 of 13 records rejected (3 too_few_fields)");
    let log = files.read("rejects.jsonl");
    for name in ["/bad.tsv\"", "/bad_kb.tsv\"", "/no.tsv\""] {
        assert!(log.contains(name), "{log}");
    }
    for (input, mapping) in [("bad.tsv", "kb.tsv"), ("in.tsv", "bad_kb.tsv")] {
        let run = files.xref(input, mapping, &["--on-error", "fail"]).exits(1);
        run.says("too_few_fields");
    }
}

#[test]
fn targets_and_mappings_add_up() {
    let files = Files::new();
    let more = files.write(
        "more.tsv",
        "subject_id\tpredicate_id\tobject_id\nmesh:C9\tskos:exactMatch\tchebi:9\n",
    );
    let denied = files.write("no.tsv", "subject_id\tobject_id\nmesh:C9\tchebi:9\n");
    let to = ["--to", "chebi", "--to", "hmdb", "--max-rows", "1"];
    let run = files.xref("in.tsv", "kb.tsv", &to).exits(0);
    assert_eq!(
        rows(&run),
        [
            "mesh:C1,1,chebi:1,skos:exactMatch,0.9,1,mesh:C1|chebi:1,kb.tsv,ok",
            "mesh:C1,1,hmdb:HMDB0000001,skos:broadMatch,0.9,2,mesh:C1|chebi:1|hmdb:HMDB0000001,kb.tsv,ok",
        ]
    );
    let several = ["--mapping", &*more, "--to", "chebi", "--unmapped", "drop"];
    let run = files.xref("in.tsv", "kb.tsv", &several).exits(0);
    let expected = [
        "mesh:C1,1,chebi:1,skos:exactMatch,0.9,1,mesh:C1|chebi:1,kb.tsv,ok",
        "mesh:C2,2,chebi:1,skos:exactMatch,0.8,1,mesh:C2|chebi:1,kb.tsv,ok",
        "mesh:C9,5,chebi:9,skos:exactMatch,1.0,1,mesh:C9|chebi:9,more.tsv,ok",
    ];
    assert_eq!(rows(&run), expected);
    let run = files.xref(
        "in.tsv",
        "kb.tsv",
        &[&several[..], &["--negatives", &denied]].concat(),
    );
    assert_eq!(rows(&run), expected[..2], "{run:#?}");
    // A stored mapping among others.
    let sql = format!(
        "CREATE MAPPING m FROM '{more}' STORED AS '{}'",
        files.path("m.mapping")
    );
    bin::run(["sql", &sql]).exits(0);
    let (stored, more) = (files.path("m.mapping"), &several[2..]);
    let run = files.xref(
        "in.tsv",
        "kb.tsv",
        &[&["--mapping", &*stored], more].concat(),
    );
    assert_eq!(rows(&run), expected, "{run:#?}");
}

#[test]
fn what_there_is_one_of_is_said_once() {
    let files = Files::new();
    for again in [
        &["--column", "val"][..],
        &["--namespace", "mesh", "--namespace", "chebi"],
    ] {
        files
            .xref("in.tsv", "kb.tsv", again)
            .exits(2)
            .says("cannot be used multiple times");
    }
    let (input, own) = (files.path("in.tsv"), files.path("kb.tsv"));
    for output in [&input, &own] {
        let run = files.xref("in.tsv", "kb.tsv", &["-o", output]).exits(1);
        run.says("input and output are the same file");
    }
    let run = bin::run(["xref", &input, "--column", "id", "--mapping", "nothing"]).exits(1);
    run.says("is neither the name of a mapping nor a file");
}

/// A format with lists has them wherever it is written to, and CSV and TSV have texts.
#[tokio::test]
async fn lists_go_by_the_format() {
    let files = Files::new();
    let (texts, lists) = (
        "mesh:C1|chebi:1",
        "\"path\":[\"mesh:C1\",\"chebi:1\"],\"sources\":[\"kb.tsv\"]",
    );
    for (more, expected) in [
        (&[][..], texts),
        (&["--output-format", "csv"], texts),
        (&["--output-format", "tsv"], texts),
        (&["-o", "-"], texts),
        (&["-o", "-", "--output-format", "tsv"], texts),
        (&["--output-format", "jsonl"], lists),
        (&["-o", "-", "--output-format", "jsonl"], lists),
        (&["--output-format", "table"], "[mesh:C1, chebi:1]"),
    ] {
        let more = [&["--to", "chebi"][..], more].concat();
        let run = files.xref("in.tsv", "kb.tsv", &more).exits(0);
        assert!(run.stdout.contains(expected), "{more:?} {run:#?}");
    }
    for (name, format, expected) in [
        ("out.csv", None, texts),
        ("out.txt", None, texts),
        ("named.csv", Some("jsonl"), lists),
        ("named.jsonl", Some("csv"), texts),
    ] {
        let output = files.path(name);
        let mut more = vec!["--to", "chebi", "-o", &*output];
        more.extend(
            format
                .iter()
                .flat_map(|format| ["--output-format", *format]),
        );
        files.xref("in.tsv", "kb.tsv", &more).exits(0);
        let written = files.read(name);
        assert!(written.contains(expected), "{more:?} {written}");
    }
    let output = files.path("out.parquet");
    files.xref("in.tsv", "kb.tsv", &["-o", &output]).exits(0);
    let sql = format!("SELECT path[2] FROM '{output}' LIMIT 1");
    let second = support::value(&support::context(), &sql).await;
    assert_eq!(second, "chebi:1");
}

#[test]
fn results_are_written_as_statements() {
    let files = Files::new();
    // (A statement is written once, whoever asks again.)
    let input = format!("{INPUT}mesh:C1\t6\n");
    files.write("in.tsv", input);
    let output = files.path("out.sssom.tsv");
    let more = ["--to", "chebi,hmdb", "-o", &*output];
    files
        .xref("in.tsv", "kb.tsv", &more)
        .exits(0)
        .says("3 of 6 identifiers mapped: 3 ok; 3 not");
    let statements = "\
subject_id\tpredicate_id\tobject_id\tmapping_justification\tconfidence
mesh:C1\tskos:broadMatch\thmdb:HMDB0000001\tsemapv:MappingChaining\t0.9
mesh:C1\tskos:exactMatch\tchebi:1\tsemapv:UnspecifiedMatching\t0.9
mesh:C2\tskos:broadMatch\thmdb:HMDB0000001\tsemapv:MappingChaining\t0.8
mesh:C2\tskos:exactMatch\tchebi:1\tsemapv:UnspecifiedMatching\t0.8
";
    let written = files.read("out.sssom.tsv");
    let (set, rows) = written.split_at(written.find("subject_id").unwrap_or_default());
    assert_eq!(rows, statements);
    assert!(set.contains("#  hmdb: "), "{set}");
    // It is a mapping again.
    let run = files.xref("in.tsv", "out.sssom.tsv", &["--to", "hmdb"]);
    run.exits(0).says("3 of 6 identifiers mapped");
    let commas = files.path("out.sssom.csv");
    files.xref("in.tsv", "kb.tsv", &["-o", &commas]).exits(0);
    assert!(
        files
            .read("out.sssom.csv")
            .contains("mesh:C1,skos:exactMatch,chebi:1,")
    );
    let run = files.xref("in.tsv", "kb.tsv", &["-o", &output, "--notes"]);
    run.exits(1).says("is not for a set of mappings");
}

/// That an identifier was replaced is said of the one that was, and is no statement that others follow from.
#[test]
fn replaced_identifiers_are_subjects() {
    let files = Files::new();
    files.write("in.tsv", "id\nHGNC:8\n");
    files.write(
        "kb.tsv",
        "subject_id\tpredicate_id\tobject_id\n\
         hgnc:56245\tskos:exactMatch\tncbigene:1\n\
         ncbigene:1\tskos:exactMatch\tuniprot:P04217\n",
    );
    let output = files.path("out.sssom.tsv");
    let more = ["--to", "hgnc,ncbigene,uniprot", "-o", &output];
    files.xref("in.tsv", "kb.tsv", &more).exits(0);
    let [input, kb, output] = ["in.tsv", "kb.tsv", "sql.sssom.tsv"].map(|name| files.path(name));
    let sql = format!(
        "COPY (SELECT x.* FROM '{input}' AS t, LATERAL xref(t.id, '{kb}', targets => ['hgnc', 'ncbigene', 'uniprot']) AS x) \
         TO '{output}'"
    );
    bin::run(["sql", &sql]).exits(0);
    for name in ["out.sssom.tsv", "sql.sssom.tsv"] {
        let written = files.read(name);
        for row in [
            "\nhgnc:8\tIAO:0100001\thgnc:56245\tsemapv:UnspecifiedMatching\t",
            "\nhgnc:56245\tskos:exactMatch\tncbigene:1\tsemapv:UnspecifiedMatching\t",
            "\nhgnc:56245\tskos:exactMatch\tuniprot:P04217\tsemapv:MappingChaining\t",
        ] {
            assert!(written.contains(row), "{name}: {written}");
        }
    }
}

#[test]
fn notes_say_why() {
    let files = Files::new();
    let denied = files.write("no.tsv", "subject_id\tobject_id\nmesh:C2\tchebi:1\n");
    let more = ["--to", "chebi", "--negatives", &*denied];
    let run = files.xref("in.tsv", "kb.tsv", &more).exits(0);
    let header = "id,val,target,predicate,confidence,hops,path,sources,verdict";
    assert_eq!(run.stdout.lines().next(), Some(header));
    let more = [&more[..], &["--notes"]].concat();
    let run = files.xref("in.tsv", "kb.tsv", &more).exits(0);
    let expected = [
        "mesh:C1,1,chebi:1,skos:exactMatch,0.9,1,mesh:C1|chebi:1,kb.tsv,ok,mesh:C1,,",
        "mesh:C2,2,,,,,,,unmapped,mesh:C2,denied: chebi:1,chebi:1",
        "C1,3,,,,,,,invalid,,no prefix: namespace => … says of which it is,",
        ",4,,,,,,,null,,,",
        "mesh:C9,5,,,,,,,unmapped,mesh:C9,not in the mapping,",
    ];
    assert_eq!(rows(&run), expected);
    let header = format!("{header},resolved,note,conflicts");
    assert_eq!(run.stdout.lines().next(), Some(&*header));
    let more = [&more[..], &["--output-format", "jsonl"]].concat();
    let run = files.xref("in.tsv", "kb.tsv", &more).exits(0);
    assert!(
        run.stdout.contains("\"conflicts\":[\"chebi:1\"]"),
        "{run:#?}"
    );
    // What the input has stays what it is.
    files.write("noted.tsv", "id\tnote\nmesh:C9\tmine\n");
    let run = files.xref("noted.tsv", "kb.tsv", &["--notes"]).exits(0);
    let header = run.stdout.lines().next().unwrap_or_default();
    assert!(
        header.starts_with("id,note,target,") && header.ends_with(",resolved,xref_note,conflicts")
    );
}

/// A mapping of the session, and one of files, which the session is not left with.
#[tokio::test]
async fn mappings_of_the_session_are_asked_by_name() {
    let files = Files::new();
    let context = support::context();
    let sql = format!("CREATE MAPPING kb FROM '{}'", files.path("kb.tsv"));
    support::query(&context, &sql).await;
    let denied = files.write("no.tsv", "subject_id\tobject_id\nmesh:C2\tchebi:1\n");
    for (mapping, negatives, expected) in [
        ("kb".to_owned(), vec![], "2"),
        ("kb".to_owned(), vec![denied.clone()], "1"),
        (files.path("kb.tsv"), vec![denied], "1"),
    ] {
        let request = XrefRequest {
            input: files.path("in.tsv"),
            column: "ID".to_owned(),
            mappings: vec![mapping],
            negatives,
            targets: vec!["chebi".to_owned()],
            ..XrefRequest::default()
        };
        let (session, sql) = request.query(&context).await.unwrap();
        let count = format!("SELECT count(target) FROM ({sql})");
        assert_eq!(support::value(&session, &count).await, expected, "{sql}");
    }
    let known = "SELECT string_agg(mapping, ' ') FROM system.mappings";
    assert_eq!(support::value(&context, known).await, "kb");
}
