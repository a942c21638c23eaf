//! Pipelines that lose something, and those that do not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Files;
use crate::context::BiotideContext;
use crate::pipeline::actions::Actions;
use crate::pipeline::run::RunOptions;
use crate::pipeline::spec::Pipeline;

/// What is wrong with a pipeline of these sections; `DIR` in them is a folder.
fn problem(folder: &Path, sections: &str, report: Option<&str>) -> Option<String> {
    let yaml = sections.replace("DIR", &folder.display().to_string());
    let pipeline = Pipeline::parse("p.yaml", &yaml, &BTreeMap::new(), &Actions::default()).unwrap();
    let options = RunOptions {
        report: report.map(|name| folder.join(name)),
        ..RunOptions::default()
    };
    let context = BiotideContext::builder().build().unwrap();
    let files = Files::of(&context, &pipeline, &options);
    let checked = files.check();
    let report_is_wrong = files.check_report().is_err();
    assert!(!report_is_wrong || report.is_some() && checked.is_err());
    checked.err().map(|error| error.to_string())
}

/// A folder with `a.csv`, `b.csv` and the folder `sub`.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "b.csv"] {
        std::fs::write(folder.path().join(name), "id\n1\n").unwrap();
    }
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

const LOAD: &str = "steps:\n- {type: load, params: {file_path: DIR/a.csv}}\n";
const SINK: &str = "- {name: last, type: sink, params: {to: DIR/o.csv}}\n";

#[tokio::test]
async fn what_would_be_lost_is_told_with_both_places() {
    let (_folder, at) = folder();
    for (steps, parts) in [
        (
            "- {type: cache, params: {path: DIR/c.parquet}}
- {name: again, type: cache, params: {path: DIR/./c.parquet}}",
            &[
                "p.yaml, line 4",
                "path: the step cache (line 3) writes",
                "and the step again (line 4) too: name another file",
            ][..],
        ),
        (
            "- {type: cache, params: {path: DIR/c.parquet}}
- {type: sink, params: {to: DIR/sub/../c.parquet, mode: replace}}",
            &["p.yaml, line 4", "the step cache (line 3)", "sink (line 4)"],
        ),
        (
            "- {type: cache, params: {path: DIR/c.parquet}}
- {type: sink, params: {to: DIR/c.parquet.rejects.jsonl}}",
            &["p.yaml, line 4", "the step cache (line 3)"],
        ),
        (
            "- {type: cache, params: {path: DIR/a.csv}}",
            &[
                "p.yaml, line 3",
                "the step cache (line 3) would write over",
                "which the step load (line 2) reads",
            ],
        ),
        (
            "- {type: validate, params: {checks: [{not_null: id}], report_path: DIR/a.csv}}",
            &[
                "p.yaml, line 3",
                "report_path: the step validate",
                "which the step load",
            ],
        ),
        (
            "- {type: report, params: {path: DIR/sub/../a.csv}}",
            &["p.yaml, line 3", "which the step load (line 2) reads as"],
        ),
        (
            "- {type: report, params: {path: DIR/o.csv}}",
            &["p.yaml, line 4", "the step last (line 4) too"],
        ),
        (
            "- {name: first, type: sink, params: {to: DIR/a.csv, mode: replace}}",
            &[
                "p.yaml, line 3",
                "to: the step first (line 3) would write over",
                "which the step load (line 2) reads and the step last (line 4) looks at after that",
            ],
        ),
        (
            "- {name: first, type: sink, params: {to: 'sqlite:DIR/o.db/t', mode: append}}
- {name: next, type: sink, params: {to: 'sqlite:DIR/o.db?table=T', mode: replace}}",
            &["p.yaml, line 4", "the step next (line 4) would replace it"],
        ),
    ] {
        let error = problem(&at, &format!("{LOAD}{steps}\n{SINK}"), None).unwrap();
        for part in parts {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }
    let streaming = |path: &str| {
        format!("streaming: {{error_handling: {{error_output_path: {path}}}}}\n{LOAD}{SINK}")
    };
    for name in ["a.csv", "o.csv"] {
        let error = problem(&at, &streaming(&format!("DIR/{name}")), None).unwrap();
        assert!(error.contains("p.yaml, line 1"), "{error}");
        assert!(error.contains("error_output_path"), "{error}");
        let error = problem(&at, &format!("{LOAD}{SINK}"), Some(name)).unwrap();
        assert!(error.contains("(--report)"), "{error}");
    }
    let error = problem(&at, &streaming("DIR/bad.jsonl"), Some("bad.jsonl")).unwrap();
    assert!(
        error.contains("error_output_path (line 1) writes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_log_whose_folder_cannot_be_made_is_refused() {
    let (_folder, at) = folder();
    for (name, expected) in [
        ("new/folders/bad.jsonl", None),
        ("sub/bad.jsonl", None),
        ("sub", Some("it is a folder")),
        ("a.csv/bad.jsonl", Some("a.csv is no folder")),
        ("a.csv/new/bad.jsonl", Some("a.csv is no folder")),
    ] {
        let streaming = format!("streaming: {{error_handling: {{error_output_path: DIR/{name}}}}}");
        let of_log = problem(&at, &format!("{streaming}\n{LOAD}{SINK}"), None);
        let of_report = problem(&at, &format!("{LOAD}{SINK}"), Some(name));
        for found in [of_log, of_report] {
            let found = found.as_deref();
            assert_eq!(found.is_some(), expected.is_some(), "{name}: {found:?}");
            let told = found.zip(expected);
            assert!(told.is_none_or(|(found, expected)| found.contains(expected)));
        }
    }
}

#[tokio::test]
async fn what_loses_nothing_is_not_refused() {
    let (_folder, at) = folder();
    for steps in [
        // The last that reads its own input.
        "- {type: sink, params: {to: DIR/a.csv, mode: replace}}",
        "- {type: sink, params: {to: DIR/o.csv}}
- {type: sink, params: {to: DIR/a.csv, mode: replace}}",
        // What comes after that is read from elsewhere.
        "- {type: cache}
- {type: sink, params: {to: DIR/a.csv, mode: replace}}
- {type: sink, params: {to: DIR/o.csv}}",
        "- {type: sink, params: {to: DIR/a.csv, mode: replace}}
- {name: other, type: load, params: {file_path: DIR/b.csv}}
- {type: sink, params: {to: DIR/o.csv}}",
        "- {type: sink, params: {to: DIR/a.csv, mode: replace}}
- {name: anew, type: load, params: {file_path: DIR/a.csv}}
- {type: sink, params: {to: DIR/o.csv}}",
        // What fails by itself.
        "- {type: sink, params: {to: DIR/a.csv}}
- {type: sink, params: {to: DIR/o.csv}}",
        "- {type: sink, params: {to: DIR/new.csv}}
- {type: sink, params: {to: DIR/newer.csv}}",
        // What does nothing.
        "- {condition: '1 > 2', type: sink, params: {to: DIR/a.csv, mode: replace}}
- {type: sink, params: {to: DIR/o.csv}}",
        "- {condition: '1 > 2', type: cache, params: {path: DIR/c.parquet}}
- {type: cache, params: {path: DIR/c.parquet}}",
        "- {type: validate, params: {checks: [{not_null: id}], report_path: DIR/q.csv}}
- {name: found, type: load, params: {file_path: DIR/q.csv}}",
        "- {type: sink, params: {to: 'sqlite:DIR/o.db/t', mode: replace}}
- {type: sink, params: {to: 'sqlite:DIR/o.db/t', mode: append}}
- {type: sink, params: {to: 'sqlite:DIR/o.db/u', mode: replace}}",
        "- {type: sink, params: {to: /dev/null, format: csv}}
- {name: next, type: sink, params: {to: /dev/null, format: csv}}",
    ] {
        assert_eq!(
            problem(&at, &format!("{LOAD}{steps}\n"), None),
            None,
            "{steps}"
        );
    }
}

#[tokio::test]
async fn who_still_reads_a_file_is_known_through_all_steps() {
    let (_folder, at) = folder();
    let load = "- {name: all, type: load, params: {file_path: LOADED}}\n";
    let replaced = "- {type: sink, params: {input: all, to: DIR/a.csv, mode: replace}}\n";
    for (loaded, steps, is_read) in [
        (
            "DIR/a.csv",
            "- {type: derive, params: {columns: {n: 1}}}",
            true,
        ),
        ("[DIR/b.csv, DIR/a.csv]", "", true),
        ("DIR/*.csv", "", true),
        ("DIR", "", true),
        ("DIR/b.csv", "", false),
        ("DIR/b*.csv", "", false),
        ("DIR/sub", "", false),
        (
            "DIR/b.csv",
            "- {type: sql, params: {query: 'SELECT * FROM ALL'}}",
            false,
        ),
        (
            "DIR/a.csv",
            "- {type: sql, params: {query: 'SELECT * FROM \"all\"'}}",
            true,
        ),
        (
            "DIR/a.csv",
            "- {type: sql, params: {query: 'SELECT 1 AS n'}}",
            false,
        ),
        (
            "DIR/b.csv",
            "- {type: sql, params: {query: \"SELECT * FROM 'DIR/a.csv'\"}}",
            true,
        ),
        (
            "DIR/b.csv",
            "- {type: filter, params: {condition: \"id IN (SELECT id FROM 'DIR/a.csv')\"}}",
            true,
        ),
        (
            "DIR/b.csv",
            "- {type: cross_reference, params: {columns: [id], mapping: DIR/a.csv}}",
            true,
        ),
        (
            "DIR/b.csv",
            "- {name: x, type: load, params: {file_path: DIR/a.csv}}
- {type: join, params: {left: all, right: x, on: id}}",
            true,
        ),
        // (An output of the same name takes the place of the other.)
        (
            "DIR/a.csv",
            "- {type: load, params: {file_path: DIR/b.csv, output: all}}",
            false,
        ),
    ] {
        let load = load.replace("LOADED", loaded);
        let yaml = format!("steps:\n{load}{steps}\n{replaced}{SINK}");
        let found = problem(&at, &yaml, None);
        assert_eq!(found.is_some(), is_read, "{loaded} {steps}: {found:?}");
    }
    let mapped = |used: &str| {
        format!(
            "mappings: {{m: \"pairs('DIR/a.csv', subject => 'id', object => 'id')\"}}
steps:
- {{name: all, type: load, params: {{file_path: DIR/b.csv}}}}
- {{name: named, type: {used}}}
{replaced}- {{type: sink, params: {{input: named, to: DIR/o.csv}}}}"
        )
    };
    let uses = mapped("cross_reference, params: {columns: [id], mapping: m}");
    assert!(problem(&at, &uses, None).is_some());
    assert_eq!(
        problem(&at, &mapped("filter, params: {condition: id > 1}"), None),
        None
    );
}
