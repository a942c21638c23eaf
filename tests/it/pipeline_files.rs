//! No run loses rows, as two of its steps write one file, or one writes over what another reads.

use std::path::Path;

use crate::pipeline::{made_file, rows, run, tried};
use crate::support::{self, bin};

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    /// A folder with `in.csv`, of two rows.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        made_file(folder.path(), "in.csv", INPUT);
        Self { folder }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap()
    }

    /// The steps over `in.csv`; `DIR` in them is the folder.
    fn yaml(&self, steps: &str) -> String {
        let yaml =
            format!("steps:\n- {{type: load, params: {{file_path: DIR/in.csv}}}}\n{steps}\n");
        yaml.replace("DIR", &self.folder.path().display().to_string())
    }

    /// Asserts that a run is refused, and that nothing was written.
    fn refuses(&self, yaml: &str, more: &[&str], problem: &str) {
        let names = || {
            let files = std::fs::read_dir(self.folder.path()).unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            names.retain(|name| !name.to_string_lossy().contains(".biotide-run"));
            names.sort();
            names
        };
        let yaml = made_file(self.folder.path(), "p.yaml", yaml);
        let before = names();
        for dry_run in [Some("--dry-run"), None] {
            // (Of a dry run there is no report.)
            if dry_run.is_some() && more.contains(&"--report") {
                continue;
            }
            let args = ["run", yaml.as_str()].into_iter();
            let args = args.chain(more.iter().copied()).chain(dry_run);
            bin::run(args).exits(1).says(problem);
            assert_eq!(names(), before, "{problem}");
            assert_eq!(self.text("in.csv"), INPUT, "{problem}");
        }
    }
}

const INPUT: &str = "id\n1\n2\n";
const FILTER: &str = "- {type: filter, params: {condition: id > 1}}\n";

#[test]
fn a_file_that_is_written_twice_is_refused() {
    let case = Case::new();
    for (steps, problem) in [
        (
            "- {type: cache, params: {path: DIR/c.parquet}}
- {type: filter, params: {condition: id > 1}}
- {type: cache, params: {path: DIR/c.parquet}}
- {type: sink, params: {to: DIR/o.csv}}",
            "and the step cache_2 (line 5) too: name another file",
        ),
        (
            "- {type: cache, params: {path: DIR/c.parquet}}
- {type: sink, params: {to: DIR/./c.parquet, mode: replace}}",
            "and the step sink (line 4) too: name another file",
        ),
        (
            "- {type: validate, params: {checks: [{not_null: id}], report_path: DIR/o.csv}}
- {type: sink, params: {to: DIR/o.csv, mode: replace}}",
            "the step validate (line 3) writes",
        ),
        (
            "- {type: sink, params: {to: 'sqlite:DIR/o.db/t', mode: replace}}
- {type: sink, params: {to: 'sqlite:DIR/o.db?table=t', mode: replace}}",
            "and the step sink_2 (line 4) would replace it",
        ),
    ] {
        case.refuses(&case.yaml(steps), &[], problem);
    }
    let sink = case.yaml("- {type: sink, params: {to: DIR/o.csv}}");
    let out = case.at("o.csv");
    case.refuses(
        &sink,
        &["--rejects", &out],
        "the reject log (--rejects) too",
    );
    case.refuses(
        &sink,
        &["--report", &out],
        "(--report) too: name another file",
    );
}

#[test]
fn what_is_read_is_not_written_over() {
    let case = Case::new();
    let sink = "- {type: sink, params: {to: DIR/o.csv}}";
    let parquet = case.at("in.parquet");
    bin::convert(&[&case.at("in.csv"), &parquet]);
    let cache = format!("{FILTER}- {{type: cache, params: {{path: DIR/in.parquet}}}}\n{sink}");
    let yaml = case.yaml(&cache).replace("in.csv", "in.parquet");
    let before = std::fs::read(&parquet).unwrap();
    case.refuses(&yaml, &[], "which the step load (line 2) reads");
    assert_eq!(std::fs::read(&parquet).unwrap(), before);

    let input = case.at("in.csv");
    let yaml = case.yaml(sink);
    case.refuses(
        &yaml,
        &["--rejects", &input],
        "which the step load (line 2) reads",
    );
    case.refuses(
        &yaml,
        &["--report", &input],
        "which the step load (line 2) reads",
    );
    let own = case.at("p.yaml");
    case.refuses(&yaml, &["--report", &own], "over the pipeline itself");
    assert_eq!(case.text("p.yaml"), yaml);
    let bad = format!("streaming: {{error_handling: {{error_output_path: '{input}'}}}}\n{yaml}");
    case.refuses(&bad, &[], "error_output_path (line 1) would write over");
    let report =
        "- {type: validate, params: {checks: [{not_null: id}], report_path: DIR/in.csv}}\n";
    case.refuses(
        &case.yaml(&format!("{report}{sink}")),
        &[],
        "report_path: the step validate",
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&input, case.at("link.csv")).unwrap();
        let linked = yaml.replace("in.csv", "link.csv");
        case.refuses(&linked, &["--rejects", &input], "reads as");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_that_reads_a_file_may_replace_it() {
    let case = Case::new();
    let replaced = "- {name: over, type: sink, params: {to: DIR/in.csv, mode: replace}}\n";
    let other = "- {name: out, type: sink, params: {input: load, to: DIR/o.csv, mode: replace}}\n";
    case.refuses(
        &case.yaml(&format!("{FILTER}{replaced}{other}")),
        &[],
        "reads and the step out (line 5) looks at after that",
    );
    let context = support::context();
    run(&context, &case.yaml(&format!("{FILTER}{other}{replaced}"))).await;
    assert_eq!(rows(&context, &case.at("o.csv")).await, [["1"], ["2"]]);
    // (What goes in between is that of the filter.)
    assert_eq!(rows(&context, &case.at("in.csv")).await, [["2"]]);
    made_file(case.folder.path(), "in.csv", INPUT);
    // What reads it after that, reads it anew.
    let anew = "- {type: load, params: {file_path: DIR/in.csv}}
- {type: sink, params: {to: DIR/new.csv}}";
    run(&context, &case.yaml(&format!("{FILTER}{replaced}{anew}"))).await;
    assert_eq!(rows(&context, &case.at("new.csv")).await, [["2"]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_no_cache_has_made_is_not_replaced() {
    let case = Case::new();
    let (cache, note) = (case.at("c.parquet"), case.at("c.parquet.key"));
    bin::convert(&[&case.at("in.csv"), &cache]);
    let steps = format!(
        "{FILTER}- {{type: cache, params: {{path: DIR/c.parquet}}}}\n- {{type: sink, params: {{to: DIR/o.csv, mode: replace}}}}"
    );
    let yaml = case.yaml(&steps);
    case.refuses(&yaml, &[], "was made by no cache");
    let context = support::context();
    assert_eq!(rows(&context, &cache).await.len(), 2);
    // (Nor by one that may fail.)
    let optional = yaml.replace("{type: cache", "{is_required: false, type: cache");
    run(&context, &optional).await;
    assert_eq!(rows(&context, &cache).await.len(), 2);
    std::fs::remove_file(&cache).unwrap();
    // One that was broken off is made again.
    for before in [None, Some("unfinished\n")] {
        if let Some(before) = before {
            std::fs::write(&note, before).unwrap();
        }
        run(&context, &yaml).await;
        assert_eq!(rows(&context, &cache).await, [["2"]]);
        assert_ne!(case.text("c.parquet.key"), "unfinished\n");
    }
    // One that cannot be made leaves nothing.
    std::fs::remove_file(&note).unwrap();
    for file in ["c.parquet", "c.parquet.rejects.jsonl"] {
        std::fs::remove_file(case.at(file)).unwrap();
    }
    let failing = yaml.replace("id > 1", "1 / (id - id) > 1");
    assert!(tried(&context, &failing).await.is_err());
    assert!(!Path::new(&note).exists());
}
