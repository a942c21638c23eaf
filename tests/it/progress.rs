//! Watching the work: events as JSON Lines, the view on a terminal.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::bin::{self, Run, number};
use crate::support::{self};

/// What no count of an event may do is go back.
const COUNTS: [&str; 8] = [
    "rows",
    "rows_written",
    "bytes",
    "bytes_total",
    "errors",
    "spilled_bytes",
    "slowed",
    "backpressure_events",
];

/// Every 500th row is none.
fn table(folder: &Path, rows: usize) -> String {
    let rows: String = (0..rows)
        .map(|i| match i % 500 {
            77 => "too\tmany\tfields\there\n".to_owned(),
            _ => format!("{i}\t{}\tsome text of no interest\n", i * 7919 % 100_003),
        })
        .collect();
    support::write(&folder.join("in.tsv"), format!("id\tvalue\ttext\n{rows}"))
}

fn pipeline(folder: &Path, input: &str, filter: &str) -> String {
    let out = folder.join("out.csv").display().to_string();
    let yaml = format!(
        "name: watched \"one\"
steps:
- {{name: load, type: load, params: {{file_path: '{input}'}}}}
- {{name: chosen, type: filter, params: {{condition: '{filter}'}}}}
- {{name: out, type: sink, params: {{to: '{out}', mode: replace}}}}
"
    );
    support::write(&folder.join("p.yaml"), yaml)
}

/// The lines of standard error, all of which are objects with an event.
#[track_caller]
fn events(run: &Run) -> Vec<Value> {
    let read = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(event["event"].is_string(), "{line}");
        event
    };
    run.stderr.lines().map(read).collect()
}

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|e| e["event"] == name).collect()
}

/// Asserts that counts never go back and that the last is said to be so; answers the last.
#[track_caller]
fn last_of<'a>(progress: &[&'a Value]) -> &'a Value {
    let mut before: BTreeMap<&str, u64> = BTreeMap::new();
    for event in progress {
        for count in COUNTS {
            let now = number(event, count);
            let before = before.insert(count, now);
            assert!(before.is_none_or(|before| before <= now), "{event}");
        }
        assert!(number(event, "memory") > 0 && number(event, "peak_memory") > 0);
        assert!(event["seconds"].is_f64() && event["bytes_per_second"].is_u64());
    }
    let (last, others) = progress.split_last().unwrap();
    assert_eq!(last["last"], true);
    assert!(others.iter().all(|event| event["last"] == false));
    last
}

#[test]
fn a_conversion_tells_events_and_its_last_is_the_total() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 300_000);
    let out = folder.path().join("o.parquet").display().to_string();
    let flags = ["--progress", "json", "--report", "json", "--threads", "1"];
    let run = bin::run([&["convert", &input, &out], &flags[..]].concat()).exits(0);
    let (events, report) = (events(&run), run.report());
    let last = last_of(&named(&events, "progress"));
    assert_eq!(number(last, "rows"), number(&report, "scan.records"));
    assert_eq!(number(last, "bytes"), number(&report, "bytes_in"));
    assert_eq!(number(last, "bytes_total"), number(&report, "bytes_in"));
    assert_eq!(number(last, "errors"), 600);
    let said = named(&events, "message");
    assert!(said.iter().any(|event| {
        let text = event["text"].as_str().unwrap();
        event["level"] == "info" && text.contains("600 of 300000 records rejected")
    }));
}

#[test]
fn whatever_is_said_is_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 1000);
    let sql = |query: &str, more: &[&str]| {
        let query = query.replace("FILE", &format!("'{input}'"));
        let args = [&["sql", &query, "--progress", "json"], more].concat();
        let run = bin::run(args);
        (events(&run), run)
    };
    // Results go elsewhere; the report does not, where they are on standard output.
    let (found, run) = sql("SELECT count(*) AS n FROM FILE", &["--report", "json"]);
    assert_eq!(run.stdout, "n\n998\n");
    assert_eq!(number(last_of(&named(&found, "progress")), "rows"), 1000);
    assert_eq!(number(named(&found, "report")[0], "report.rejected"), 2);
    // Nothing but what is asked for.
    let (found, _) = sql("SELECT count(*) FROM FILE", &["--quiet"]);
    assert!(found.iter().all(|event| event["event"] == "progress"));
    // An error of several lines.
    let (found, run) = sql("SELECT * FROM FILE", &["--on-error", "fail"]);
    let failed = found.last().unwrap();
    assert_eq!((&failed["event"], run.code), (&"failed".into(), Some(1)));
    assert_eq!(number(failed, "exit_code"), 1);
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains('\n') && error.contains("set on_error = 'reject'"));
    let (found, _) = sql("SELECT 1", &["--set", "on_errror=fail"]);
    assert_eq!(number(found.last().unwrap(), "exit_code"), 2);
}

#[test]
fn a_run_tells_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 200_000);
    let yaml = pipeline(folder.path(), &input, "id % 2 = 0");
    let run = bin::run(["run", &yaml, "--progress", "json"]).exits(0);
    let events = events(&run);
    let of = |name: &str, key: &str| -> Vec<String> {
        let texts = named(&events, name).into_iter();
        texts.map(|e| e[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of("step_started", "step"), ["load", "chosen", "out"]);
    assert_eq!(of("step_finished", "name"), ["load", "chosen", "out"]);
    assert_eq!(of("sink_started", "step"), ["out"]);
    assert_eq!(named(&events, "step_started")[1]["number"], 2);
    assert_eq!(named(&events, "step_started")[1]["steps"], 3);
    let last = last_of(&named(&events, "progress"));
    assert_eq!(last["step"], "out");
    let sink = named(&events, "sink_finished")[0];
    assert_eq!(number(last, "rows"), number(sink, "scan.records"));
    assert_eq!(number(last, "errors"), 400);
    assert_eq!(number(sink, "rows"), 100_000);
    let finished = named(&events, "finished")[0];
    assert_eq!(finished["name"], "watched \"one\"");
    assert_eq!(finished["status"], "success");
    assert_eq!(number(finished, "rows"), 100_000);

    // One that fails says where and why.
    let yaml = pipeline(folder.path(), &input, "nothing = 1");
    let run = bin::run(["run", &yaml, "--progress", "json"]).exits(1);
    let events = self::events(&run);
    assert!(named(&events, "finished").is_empty());
    let steps = named(&events, "step_finished");
    assert!(steps.iter().any(|step| step["failed"].is_string()));
    assert_eq!(events.last().unwrap()["event"], "failed");
}

/// At a terminal the bar says which step runs, and steps that are done stay above it.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_step_after_step() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 1_000_000);
    let yaml = pipeline(folder.path(), &input, "id % 2 = 0");
    let command = format!(
        "stty rows 40 cols 200; '{}' run '{yaml}' --progress always --threads 1",
        bin::path().display()
    );
    let mut script = std::process::Command::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("script, of util-linux, makes a terminal");
    // (Nobody types, and the keyboard stays.)
    let keys = script.stdin.take();
    let screen = script.wait_with_output().unwrap();
    drop(keys);
    let screen = String::from_utf8_lossy(&screen.stdout).into_owned();
    for part in ["load: ", "chosen: ", "[3/3] out [", " rejected, ", " peak "] {
        assert!(screen.contains(part), "no {part:?} in\n{screen}");
    }
    let at = |part: &str| screen.find(part).unwrap();
    assert!(at("load: ") < at("chosen: ") && at("chosen: ") < at("[3/3] out"));
    // Elsewhere there is no more than the summary.
    let run = bin::run(["run", &yaml]).exits(0);
    assert!(!run.stderr.contains("load: "), "{run:#?}");
}
