//! Ctrl-C in the middle of a run: it ends soon, leaves nothing half written, and goes on.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::bin::command;
use crate::support::gen_data::Rng;
use crate::support::{self, text_rows};

const ROWS: usize = 2_000_000;

/// How often each sink's run is interrupted: `BIOTIDE_KILLS`.
fn interrupts() -> usize {
    let given = std::env::var("BIOTIDE_KILLS").ok();
    given.and_then(|n| n.parse().ok()).unwrap_or(3)
}

/// A second on a machine that does nothing else.
const SOON: Duration = Duration::from_secs(2);

fn source(folder: &Path) -> String {
    let mut text = "id\tname\tvalue\n".to_owned();
    for i in 0..ROWS {
        match i % 1000 {
            777 => text.push_str("too\tmany\tfields\there\n"),
            _ => text.push_str(&format!("P{i:07}\tName {i}\t{}.5\n", i * 3)),
        }
    }
    support::write(&folder.join("in.tsv"), text)
}

fn pipeline(folder: &Path, input: &str, to: &str) -> String {
    let yaml = format!(
        "steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: derive, params: {{columns: {{value: value * 2}}}}}}
- {{name: out, type: sink, params: {{to: '{to}'}}}}
"
    );
    support::write(&folder.join("p.yaml"), yaml)
}

/// How a run ended: its exit code, and how long it took from the signal on.
struct Ended {
    code: Option<i32>,
    after: Duration,
    interrupted: bool,
}

/// Runs, and interrupts it so long after its sink has begun.
fn run(yaml: &str, more: &[&str], interrupt: Option<Duration>) -> Ended {
    let args = [
        "run",
        yaml,
        "--checkpoint-rows",
        "100000",
        "--progress",
        "json",
    ];
    let mut child = command(args.iter().chain(more)).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let (mut line, mut interrupted) = (String::new(), false);
    let mut begin = Instant::now();
    if let Some(after) = interrupt {
        while !line.contains("\"sink_started\"") {
            line.clear();
            if stderr.read_line(&mut line).unwrap() == 0 {
                // All was written when it was interrupted before.
                break;
            }
        }
        std::thread::sleep(after);
        let pid = child.id().to_string();
        begin = Instant::now();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        interrupted = sent.unwrap().success();
    }
    let rest = std::thread::spawn(move || {
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        rest
    });
    let code = child.wait().unwrap().code();
    let after = begin.elapsed();
    let rest = rest.join().unwrap();
    assert!(matches!(code, Some(0 | 130)), "{code:?}: {rest}");
    if code == Some(130) {
        assert!(rest.contains(r#"{"event":"failed","error":"interrupted","exit_code":130}"#));
    }
    Ended {
        code,
        after,
        interrupted,
    }
}

/// All there is to know of the rows, but for the rows themselves: those would fill the memory.
async fn summary(from: &str) -> Vec<Vec<String>> {
    let context = support::context();
    let sql = format!(
        "SELECT count(*), count(DISTINCT id), min(id), max(id), min(name), max(name), sum(length(name)), \
         sum(number), sum(value % 1000003 * (number % 1009)), sum(named % 1000003 * (number % 1009)) \
         FROM (SELECT id, name, CAST(value AS BIGINT) AS value, CAST(substr(id, 2) AS BIGINT) AS number, \
         CAST(substr(name, 6) AS BIGINT) AS named FROM '{from}')"
    );
    text_rows(&context.sql(&sql).await.unwrap().collect().await.unwrap())
}

/// `file`: what stands under the final name only when all is written; none of a database, whose rows stand in it.
async fn interrupted(to: impl Fn(&str) -> String, file: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = source(folder);
    let target = |name: &str| to(&folder.join(name).display().to_string());
    let whole = target("whole");
    let yaml = pipeline(folder, &input, &whole);
    let begin = Instant::now();
    assert_eq!(run(&yaml, &[], None).code, Some(0));
    let took = begin.elapsed();
    let expected = summary(&whole).await;
    let mut rng = Rng::new(u64::from(std::process::id()));
    let (mut left, mut longest, mut hits) = (interrupts(), Duration::ZERO, 0);
    let mut number = 0;
    while left > 0 {
        number += 1;
        let name = format!("broken{number}");
        let broken = target(&name);
        let yaml = pipeline(folder, &input, &broken);
        let mut more: &[&str] = &[];
        loop {
            let moment = took.mul_f64(rng.below(800) as f64 / 1000.0);
            let ended = run(&yaml, more, (left > 0).then_some(moment));
            left -= usize::from(ended.interrupted);
            if ended.code == Some(0) {
                break;
            }
            assert!(ended.after < SOON, "{:?} after {moment:?}", ended.after);
            longest = longest.max(ended.after);
            hits += 1;
            if let Some(ending) = file {
                // (It is whole if it was just done.)
                if folder.join(format!("{name}.{ending}")).exists() {
                    assert_eq!(summary(&broken).await, expected, "{name}");
                }
            }
            more = &["--resume"];
        }
        assert_eq!(summary(&broken).await, expected, "{name}");
        if let Some(ending) = file {
            let bytes = |name: &str| std::fs::read(folder.join(format!("{name}.{ending}")));
            if ending == "csv" {
                assert!(bytes(&name).unwrap() == bytes("whole").unwrap());
            }
            std::fs::remove_file(folder.join(format!("{name}.{ending}"))).unwrap();
        }
    }
    println!("{hits} interrupts of a run of {took:.1?}; the longest took {longest:.2?} to end");
    assert!(hits > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_ends_soon_and_goes_on() {
    interrupted(|path| format!("{path}.csv"), Some("csv")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_ends_soon_and_goes_on() {
    interrupted(|path| format!("{path}.parquet"), Some("parquet")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_ends_soon_and_goes_on() {
    interrupted(|path| format!("sqlite:{path}.db/t"), None).await;
}

/// A join of every row with every other one yields to nobody, and its one row comes in hours.
#[test]
fn what_yields_to_nobody_ends_soon() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv").display().to_string();
    let numbers = "generate_series(1, 3000000)";
    let yaml = format!(
        "steps:
- {{type: sql, params: {{query: 'SELECT count(*) AS n FROM {numbers} AS x(v), {numbers} AS y(w) WHERE v * w < -3'}}}}
- {{name: out, type: sink, params: {{to: '{out}'}}}}
"
    );
    let yaml = support::write(&folder.path().join("p.yaml"), yaml);
    let ended = run(&yaml, &[], Some(Duration::from_millis(300)));
    assert_eq!(ended.code, Some(130));
    assert!(ended.after < SOON, "{:?}", ended.after);
    assert!(!Path::new(&out).exists());
}
