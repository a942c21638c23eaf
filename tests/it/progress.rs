//! Watching the work: events as JSON Lines, numbers for Prometheus, the view on a terminal.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

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
    assert_eq!(finished["status"], "partial_success");
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

/// A command whose numbers are served, and where.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(args: &[&str]) -> Self {
        let more = ["--metrics", "127.0.0.1:0"];
        let mut child = bin::command([args, &more].concat()).spawn().unwrap();
        let mut line = String::new();
        let stderr = child.stderr.as_mut().unwrap();
        BufReader::new(stderr).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("metrics at http://");
        let address = url.and_then(|url| url.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, address }
    }

    fn ask(&self, request: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
    }
}

/// The numbers of a page, each of which is explained.
fn numbers(answer: &str) -> BTreeMap<String, f64> {
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: text/plain; version=0.0.4"));
    assert!(head.contains(&format!("Content-Length: {}", text.len())));
    let mut numbers = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let plain = name.split('{').next().unwrap();
        assert!(text.contains(&format!("# HELP {plain} ")), "{line}");
        assert!(text.contains(&format!("# TYPE {plain} ")), "{line}");
        numbers.insert(name.to_owned(), value.parse().unwrap());
    }
    numbers
}

#[test]
fn numbers_are_served_while_all_threads_are_busy_and_nobody_holds_them_up() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 2_000_000);
    let yaml = pipeline(folder.path(), &input, "id % 2 = 0");
    let mut served = Served::start(&["run", &yaml, "--threads", "1", "--progress", "never"]);
    // They say nothing, or not all, and stay.
    let connect = || TcpStream::connect(&served.address);
    let mut silent: Vec<TcpStream> = (0..20).map(|_| connect().unwrap()).collect();
    silent[19].write_all(b"GET /metr").unwrap();
    let mut pages: Vec<BTreeMap<String, f64>> = Vec::new();
    let mut others = Vec::new();
    let begin = Instant::now();
    let ended = loop {
        if let Some(ended) = served.child.try_wait().unwrap() {
            break ended;
        }
        assert!(begin.elapsed() < Duration::from_secs(300), "it hangs");
        // (It may end at any time: then there is no answer.)
        let asked = Instant::now();
        if let Ok(answer) = served.get("/metrics")
            && !answer.is_empty()
        {
            assert!(asked.elapsed() < Duration::from_secs(5));
            pages.push(numbers(&answer));
        }
        if others.is_empty() {
            others = ["/", "/metrics/x", "/metricsx"]
                .map(|path| served.get(path))
                .into();
            others.push(served.ask("POST /metrics HTTP/1.1\r\n\r\n"));
            others.push(served.ask("no request\r\n\r\n"));
        }
        // (Others are cut off after a while: some have always just come.)
        if let Ok(stream) = TcpStream::connect(&served.address) {
            silent.push(stream);
            silent.remove(0);
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(ended.code(), Some(0));
    assert!(TcpStream::connect(&served.address).is_err());

    let status = |answer: &std::io::Result<String>| answer.as_ref().unwrap()[9..12].to_owned();
    let statuses: Vec<String> = others.iter().map(status).collect();
    assert_eq!(statuses, ["404", "404", "404", "405", "400"]);

    assert!(pages.len() > 3, "{}", pages.len());
    let counters = |page: &BTreeMap<String, f64>| -> Vec<(String, f64)> {
        let all = page.iter().filter(|(name, _)| name.contains("_total"));
        all.map(|(name, value)| (name.clone(), *value)).collect()
    };
    for two in pages.windows(2) {
        for (name, before) in counters(&two[0]) {
            assert!(two[1][&name] >= before, "{name} goes back");
        }
    }
    let page = &pages[pages.len() / 2];
    assert!(page["biotide_rows_read_total"] > 0.0, "{page:?}");
    assert!(page["biotide_bytes_read_total"] > 0.0);
    assert!(page["biotide_rejected_total{step=\"out\"}"] > 0.0);
    assert!(page["biotide_memory_bytes"] > 0.0 && page["biotide_memory_peak_bytes"] > 0.0);
    assert!(page["biotide_step_seconds{step=\"out\"}"] > 0.0);
    assert!(page.contains_key("biotide_step_seconds{step=\"load\"}"));
    assert!(page.contains_key("biotide_rows_written_total{step=\"out\"}"));
    assert!(page.contains_key("biotide_backpressure_events_total{step=\"out\"}"));
    assert!(page.contains_key("biotide_spilled_bytes_total"));
    assert_eq!(
        page["biotide_run_info{pipeline=\"watched \\\"one\\\"\"}"],
        1.0
    );
    let size = std::fs::metadata(&input).unwrap().len();
    assert_eq!(page["biotide_input_bytes"], size as f64);
    drop(silent);
}

#[test]
fn an_address_that_is_none_or_taken_is_refused_before_the_work_begins() {
    let folder = tempfile::tempdir().unwrap();
    let input = table(folder.path(), 1000);
    let out = folder.path().join("o.csv");
    let shown = out.display().to_string();
    let convert = |address: &str| bin::run(["convert", &input, &shown, "--metrics", address]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    convert(&taken)
        .exits(1)
        .says(&format!("--metrics {taken}"))
        .says("in use")
        .says("choose another port");
    for address in ["nowhere", "127.0.0.1", "127.0.0.1:99999"] {
        convert(address)
            .exits(2)
            .says(&format!("--metrics {address}"))
            .says("such as 127.0.0.1:9184");
    }
    assert!(!out.exists());
    // Where it listens is told, in events too.
    convert("127.0.0.1:0")
        .exits(0)
        .says("metrics at http://127.0.0.1:");
    let flags = ["--metrics", "127.0.0.1:0", "--progress", "json"];
    let run = bin::run([&["sql", "SELECT 1"], &flags[..]].concat());
    let events = events(&run);
    let url = named(&events, "listening")[0]["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/metrics"));
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
