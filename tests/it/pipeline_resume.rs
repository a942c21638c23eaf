//! Runs that are gone on with: what they tell, and what must be as it was.

use std::path::Path;

use crate::pipeline::made_file;
use crate::support::bin::{self, Run};

/// Two files with a bad row each, to two places.
struct Two {
    folder: tempfile::TempDir,
}

impl Two {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        made_file(folder.path(), "a.tsv", "x\ty\n1\t2\nbad1\n3\t4\n");
        made_file(folder.path(), "b.tsv", "x\ty\n1\t2\nbad2\n3\t4\n");
        Self { folder }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn pipeline(&self, first: &str, more: &str) -> String {
        let yaml = format!(
            "steps:
- {{name: a, type: load, params: {{file_path: '{}'}}}}
- {{name: s1, type: sink, params: {{to: '{first}'{more}}}}}
- {{name: b, type: load, params: {{file_path: '{}'}}}}
- {{name: s2, type: sink, params: {{to: '{}'}}}}
",
            self.at("a.tsv"),
            self.at("b.tsv"),
            self.at("s2.csv")
        );
        made_file(self.folder.path(), "p.yaml", &yaml)
    }

    fn run(&self, yaml: &str, more: &[&str]) -> Run {
        let rejects = self.at("rej.jsonl");
        let args = ["run", yaml, "--rejects", &rejects, "--report", "json"];
        bin::run(args.iter().chain(more))
    }

    fn rejects(&self) -> String {
        std::fs::read_to_string(self.at("rej.jsonl")).unwrap()
    }
}

#[test]
fn what_a_complete_sink_has_set_aside_is_told_again() {
    let two = Two::new();
    let database = format!("sqlite:{}/t", two.at("s1.db"));
    for (first, more) in [
        (two.at("s1.csv"), ""),
        (two.at("s1"), ", partition_by: [x], format: csv"),
        (database, ""),
    ] {
        let yaml = two.pipeline(&first, more);
        let whole = two.run(&yaml, &["--fail-on-rejects", "1"]).exits(3);
        let expected = two.rejects();
        assert_eq!(expected.lines().count(), 2, "{first}");
        assert_eq!(bin::number(&whole.report(), "rejected"), 2);
        for gone in [Some("s2.csv"), None] {
            if let Some(gone) = gone {
                std::fs::remove_file(two.at(gone)).unwrap();
            }
            std::fs::remove_file(two.at("rej.jsonl")).unwrap();
            let resumed = two.run(&yaml, &["--resume", "--fail-on-rejects", "1"]);
            let report = resumed.exits(3).report();
            assert_eq!(bin::number(&report, "rejected"), 2, "{first}");
            assert_eq!(bin::number(&report, "rows"), 4);
            assert_eq!(report["status"], "partial_success");
            assert_eq!(report["sinks"][0]["rejected"], 1);
            assert_eq!(two.rejects(), expected);
        }
        std::fs::remove_file(two.at("s2.csv")).unwrap();
    }
}

#[test]
fn what_a_complete_conversion_has_set_aside_is_told_again() {
    let two = Two::new();
    let (input, output, rejects) = (two.at("a.tsv"), two.at("o.csv"), two.at("rej.jsonl"));
    let convert = || {
        let args = [
            "convert",
            &input,
            &output,
            "--resume",
            "--rejects",
            &rejects,
        ];
        let report = bin::run(args.iter().chain(&["--report", "json"]));
        let report = report.exits(0).report();
        assert_eq!(bin::number(&report, "rejected"), 1);
        assert_eq!(two.rejects().lines().count(), 1);
    };
    convert();
    std::fs::remove_file(two.at("rej.jsonl")).unwrap();
    convert();
}

/// A pipeline whose first sink ends well, and whose second fails where there is no file `b.tsv`.
fn breaking(folder: &Path) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    made_file(folder, "a.tsv", "x\ty\n1\t2\n#3\t4\n");
    made_file(
        folder,
        "p.yaml",
        &format!(
            "parameters: {{day: one, place: here}}
steps:
- {{name: a, type: load, params: {{file_path: '{}'}}}}
- {{name: s1, type: sink, params: {{to: 'sqlite:{}/t', mode: append}}}}
- {{name: b, type: load, params: {{file_path: '{}'}}}}
- {{name: s2, type: sink, params: {{to: '{}'}}}}
",
            at("a.tsv"),
            at("o.db"),
            at("b.tsv"),
            at("s2.csv")
        ),
    )
}

/// Rows that a sort holds for equal may come in another order the next time.
#[test]
fn what_was_sorted_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..5000).map(|n| format!("{n}\t{}\n", n % 3)).collect();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let file = made_file(folder.path(), "a.tsv", &format!("n\tk\n{rows}"));
    for (order, begins_anew) in [("", false), ("ORDER BY k", true)] {
        let yaml = format!(
            "steps:
- {{name: a, type: load, params: {{file_path: '{file}'}}}}
- {{name: q, type: sql, params: {{sql: SELECT * FROM a {order}}}}}
- {{name: d, type: derive, params: {{columns: {{z: 1 / (n - 4500)}}}}}}
- {{name: s, type: sink, params: {{to: '{}'}}}}",
            at("o.csv")
        );
        let yaml = made_file(folder.path(), "p.yaml", &yaml);
        let run = |more: &[&str]| {
            let args = ["run", &yaml, "--checkpoint-rows", "1000"];
            bin::run(args.iter().chain(more)).exits(1).stderr
        };
        assert!(run(&[]).contains("ivide by zero"));
        let again = run(&["--resume"]);
        assert!(again.contains("ivide by zero"), "{again}");
        assert_eq!(again.contains("anew"), begins_anew, "{again}");
        for gone in std::fs::read_dir(folder.path()).unwrap() {
            let path = gone.unwrap().path();
            if !path.ends_with("a.tsv") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

#[test]
fn a_run_is_gone_on_with_only_under_the_options_that_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = breaking(folder.path());
    let run = |more: &[&str]| bin::run(["run", &yaml].iter().chain(more));
    run(&["--set", "comment=#"]).exits(1).says("b.tsv");
    made_file(folder.path(), "b.tsv", "x\n1\n");
    run(&["--resume"])
        .exits(1)
        .says("the option comment changed since the run was broken off; run without --resume");
    run(&["--resume", "--set", "comment=%"])
        .exits(1)
        .says("the option comment changed");
    run(&["--resume", "--set", "comment=#", "--set", "all_text=true"])
        .exits(1)
        .says("the option all_text changed");
    // What no row depends on may be another.
    let more = ["--threads", "1", "--memory-limit", "300MB", "--rejects"];
    let rejects = folder.path().join("rej.jsonl").display().to_string();
    let more = [&["--resume", "--set", "comment=#"], &more[..], &[&*rejects]].concat();
    run(&more).exits(0);
}

#[test]
fn a_run_is_gone_on_with_only_by_its_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = breaking(folder.path());
    let run = |more: &[&str]| bin::run(["run", &yaml].iter().chain(more));
    run(&["--set", "day=two"]).exits(1).says("b.tsv");
    made_file(folder.path(), "b.tsv", "x\n1\n");
    run(&["--resume"]).exits(1).says(
        "the run that was broken off had another value of the parameter day; resume it with what it was given by --set",
    );
    run(&["--resume", "--set", "day=three", "--set", "place=there"])
        .exits(1)
        .says("other values of the parameters day, place;");
    let rows = || {
        let sql = format!(
            "SELECT count(*) AS n FROM 'sqlite:{}/t'",
            folder.path().join("o.db").display()
        );
        bin::run(["sql", &sql]).exits(0).stdout
    };
    let before = rows();
    run(&["--resume", "--set", "day=two"]).exits(0);
    assert_eq!(rows(), before);
    // That one is done: others may begin, and what is set to what it is anyway is not another one.
    std::fs::remove_file(folder.path().join("s2.csv")).unwrap();
    run(&["--resume"]).exits(0);
    assert_ne!(rows(), before);
    let all = rows();
    run(&["--resume", "--set", "day=one"]).exits(0);
    assert_eq!(rows(), all);
}

#[test]
fn runs_with_other_parameters_begin_beside_one_that_was_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = breaking(folder.path());
    let run = |more: &[&str]| bin::run(["run", &yaml].iter().chain(more));
    run(&["--set", "day=two"]).exits(1);
    made_file(folder.path(), "b.tsv", "x\n1\n");
    run(&["--set", "day=three"]).exits(0);
}

#[test]
fn what_was_changed_is_named_and_comments_are_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = breaking(folder.path());
    let run = |more: &[&str]| bin::run(["run", &yaml].iter().chain(more));
    let steps = std::fs::read_to_string(&yaml).unwrap();
    let head = "streaming: {chunk_size: 100, error_handling: {max_errors_per_chunk: 5}}\n";
    let write = |head: &str, steps: &str| std::fs::write(&yaml, format!("{head}{steps}")).unwrap();
    write(head, &steps);
    run(&[]).exits(1).says("b.tsv");
    made_file(folder.path(), "b.tsv", "x\n1\n");
    for (from, to, said) in [
        ("100", "200", "streaming.chunk_size changed since"),
        (
            "max_errors_per_chunk: 5",
            "continue_on_error: true",
            "streaming.error_handling.continue_on_error, streaming.error_handling.max_errors_per_chunk changed since",
        ),
        (
            "streaming",
            "mappings: {m: m.tsv}\nstreaming",
            "mappings.m changed since",
        ),
    ] {
        write(&head.replace(from, to), &steps);
        run(&["--resume"]).exits(1).says(said);
    }
    write(head, &steps.replace("mode: append", "mode: replace"));
    run(&["--resume"]).exits(1).says("step s1 changed since");
    write(head, &steps.replace("day: one", "day: two"));
    run(&["--resume"])
        .exits(1)
        .says("parameter day changed since");
    // What a step is for, and how the file is laid out, is no change.
    let laid_out = steps.replace("{name: b,", "{name: b, description: reads,");
    write(
        &format!("# A comment.\ndescription: of it\n\n{head}"),
        &laid_out,
    );
    run(&["--resume"]).exits(0);
}

#[test]
fn the_file_of_bad_rows_and_checks_that_fail_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let input = made_file(folder.path(), "f.tsv", "x\ty\n1\t2\nbad\n3\t4\n");
    let (bad, out) = (at("bad.jsonl"), at("o.csv"));
    let yaml = format!(
        "streaming: {{error_handling: {{error_output_path: '{bad}'}}}}
steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: validate, params: {{checks: [{{row_count: {{max: 1}}, severity: warning}}, {{column: x, range: [2, 5], severity: warning}}]}}}}
- {{type: sink, params: {{to: '{out}', mode: replace}}}}
"
    );
    let yaml = made_file(folder.path(), "p.yaml", &yaml);
    bin::run(["run", &yaml])
        .exits(0)
        .says(&format!("see {bad}"))
        .says("it does not hold that row count is from … to 1 (there are 2)")
        .says("it does not hold that x is from 2 to 5 (1 of 2 rows are not)");
    let other = at("other.jsonl");
    bin::run(["run", &yaml, "--rejects", &other])
        .exits(0)
        .says(&format!("see {other}"));
}
