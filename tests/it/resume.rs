//! Runs that are killed and go on.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::bin::{Run, command};
use crate::support::gen_data::Rng;
use crate::support::{self, text_rows};

/// How often each sink's run is killed: `BIOTIDE_KILLS`.
fn kills() -> usize {
    let given = std::env::var("BIOTIDE_KILLS").ok();
    given.and_then(|n| n.parse().ok()).unwrap_or(8)
}

const ROWS: usize = 120_000;

/// A file in which rows stand that are none, and cells with several identifiers.
fn source(folder: &Path) -> String {
    let mut text = "id\tname\tvalue\n".to_owned();
    for i in 0..ROWS {
        match i % 1000 {
            777 => text.push_str("too\tmany\tfields\there\n"),
            _ => text.push_str(&format!("P{i:05},Q{i:05}\tName {i}\t{}.5\n", i * 3)),
        }
    }
    support::write(&folder.join("in.tsv"), text)
}

fn pipeline(folder: &Path, input: &str, to: &str, mode: &str) -> String {
    let yaml = format!(
        "steps:
- {{type: load, params: {{file_path: '{input}'}}}}
- {{type: parse_composite_identifiers, params: {{column: id, separators: ',', output: parts}}}}
- {{type: derive, params: {{columns: {{value: value * 2}}}}}}
- {{type: filter, params: {{condition: _original_index % 7 <> 3}}}}
- {{name: out, type: sink, params: {{to: '{to}', mode: {mode}}}}}
"
    );
    support::write(&folder.join("p.yaml"), yaml)
}

fn started(yaml: &str, more: &[&str]) -> std::process::Child {
    let args = [
        "run",
        yaml,
        "--checkpoint-rows",
        "7000",
        "--threads",
        "2",
        "--quiet",
    ];
    let mut command = command(args.iter().chain(more));
    command
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap()
}

fn finished(yaml: &str, more: &[&str]) -> Run {
    Run::from(started(yaml, more).wait_with_output().unwrap())
}

async fn rows(from: &str) -> Vec<Vec<String>> {
    let context = support::context();
    let sql = format!(
        "SELECT id, name, value, _original_index FROM '{from}' ORDER BY _original_index, id"
    );
    text_rows(&context.sql(&sql).await.unwrap().collect().await.unwrap())
}

/// Kills runs at any moment, lets them go on, and compares.
async fn killed(to: impl Fn(&str) -> String, mode: &str, remove: impl Fn(&str)) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = source(folder);
    let whole = to("whole");
    let yaml = pipeline(folder, &input, &whole, mode);
    let begin = Instant::now();
    finished(&yaml, &[]).exits(0);
    let took = begin.elapsed();
    let expected = rows(&whole).await;
    assert!(expected.len() > ROWS, "{}", expected.len());
    let mut rng = Rng::new(20261128);
    let target = to("killed");
    let yaml = pipeline(folder, &input, &target, mode);
    let (mut kills, mut resumed) = (kills(), 0);
    while kills > 0 {
        let mut more: &[&str] = &[];
        loop {
            let mut child = started(&yaml, more);
            let moment = took.as_micros() as u64 * rng.below(1100) / 1000;
            std::thread::sleep(Duration::from_micros(moment));
            let killed = child.try_wait().unwrap().is_none() && kills > 0;
            if killed {
                child.kill().unwrap();
                kills -= 1;
            }
            let output = Run::from(child.wait_with_output().unwrap());
            if output.code == Some(0) {
                break;
            }
            assert_eq!(output.code, None, "{output:#?}");
            resumed += 1;
            more = &["--resume"];
        }
        let found = rows(&target).await;
        let other = found
            .iter()
            .zip(&expected)
            .find(|(row, other)| row != other);
        assert_eq!(other, None);
        assert_eq!(found.len(), expected.len());
        let left: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("biotide") && *name != ".p.yaml.biotide-run")
            .collect();
        assert!(left.is_empty(), "{left:?}");
        remove(&target);
    }
    assert!(resumed > 0);
    remove(&whole);
}

async fn killed_file(ending: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| {
        folder
            .path()
            .join(format!("{name}.{ending}"))
            .display()
            .to_string()
    };
    killed(path, "error", |path| std::fs::remove_file(path).unwrap()).await;
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_is_the_same_after_any_kill() {
    killed_file("csv").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packed_json_lines_are_the_same_after_any_kill() {
    killed_file("jsonl.gz").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_is_the_same_after_any_kill() {
    killed_file("parquet").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_has_every_row_once_after_any_kill() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| {
        format!(
            "sqlite:{}/t",
            folder.path().join(format!("{name}.db")).display()
        )
    };
    let remove = |url: &str| {
        let file = url.trim_start_matches("sqlite:").trim_end_matches("/t");
        std::fs::remove_file(file).unwrap();
    };
    killed(url, "append", remove).await;
    killed(url, "replace", remove).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_has_every_row_once_after_any_kill() {
    let Ok(server) = std::env::var("BIOTIDE_TEST_POSTGRES") else {
        println!("no PostgreSQL: BIOTIDE_TEST_POSTGRES is not set");
        return;
    };
    for mode in ["append", "replace"] {
        // (A table a kill of its own: one that is there would be appended to.)
        let names = std::sync::atomic::AtomicUsize::new(0);
        let url = |name: &str| format!("{server}/{name}_{mode}");
        let drop = |url: &str| {
            let table = url.rsplit('/').next().unwrap();
            let sql = format!("DROP TABLE IF EXISTS \"{table}\"");
            let done = std::process::Command::new("psql")
                .args([&server, "-qc", &sql])
                .status();
            assert!(done.unwrap().success());
            names.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        };
        for name in ["whole", "killed"] {
            drop(&url(name));
        }
        killed(url, mode, drop).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_input_or_step_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = source(folder);
    let out = folder.join("o.csv").display().to_string();
    let yaml = pipeline(folder, &input, &out, "error");
    let kill = || {
        // Until it has noted something.
        let mut child = started(&yaml, &[]);
        let note = folder.join(".p.yaml.biotide-run");
        let noted = || std::fs::read_to_string(&note).is_ok_and(|text| text.contains("in.tsv"));
        let begin = Instant::now();
        while !noted() && begin.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        noted() && !Path::new(&out).exists()
    };
    assert!(kill(), "it was done before it was killed");
    let text = std::fs::read_to_string(&yaml).unwrap();
    std::fs::write(&yaml, text.replace("value * 2", "value * 3")).unwrap();
    let refused = finished(&yaml, &["--resume"]).exits(1);
    assert!(
        refused.stderr.contains("step derive changed"),
        "{}",
        refused.stderr
    );
    std::fs::write(&yaml, text).unwrap();
    let mut longer = std::fs::read_to_string(&input).unwrap();
    longer.push_str("P1\tx\t1\n");
    std::fs::write(&input, longer).unwrap();
    let refused = finished(&yaml, &["--resume"]).exits(1);
    assert!(
        refused.stderr.contains("in.tsv")
            && refused
                .stderr
                .contains("when the run was broken off, and has"),
        "{}",
        refused.stderr
    );
    // Anew it runs.
    finished(&yaml, &[]).exits(0);
    let written = std::fs::read(&out).unwrap();
    // It is done: resumed once more it writes nothing, and does not mind what is there.
    finished(&yaml, &["--resume"]).exits(0);
    assert_eq!(std::fs::read(&out).unwrap(), written);
}

/// `convert --resume` into a file, and into a database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversion_goes_on_where_it_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = source(folder);
    let path = |name: &str| folder.join(name).display().to_string();
    for (whole, target) in [
        (path("whole.parquet"), path("killed.parquet")),
        (path("whole.csv.gz"), path("killed.csv.gz")),
        (
            format!("sqlite:{}/t", path("whole.db")),
            format!("sqlite:{}/t", path("killed.db")),
        ),
    ] {
        let convert = |to: &str| {
            let args = [
                "convert",
                &input,
                to,
                "--resume",
                "--checkpoint-rows",
                "5000",
            ];
            let mut command = command(args.iter().chain(&["--threads", "2", "--quiet"]));
            command.current_dir(folder);
            command.stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        };
        let begin = Instant::now();
        let output = convert(&whole).wait_with_output().unwrap();
        Run::from(output).exits(0);
        let took = begin.elapsed();
        let mut rng = Rng::new(11);
        let mut kills = 0;
        loop {
            let mut child = convert(&target);
            let moment = took.as_micros() as u64 * rng.below(1000) / 1000;
            std::thread::sleep(Duration::from_micros(moment));
            if kills < 6 && child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                kills += 1;
            }
            let output = Run::from(child.wait_with_output().unwrap());
            match output.code {
                Some(0) if kills >= 3 => break,
                // It was done before it was killed: once more.
                Some(0) => {
                    let file = target.trim_start_matches("sqlite:").trim_end_matches("/t");
                    std::fs::remove_file(file).unwrap();
                }
                code => assert_eq!(code, None, "{output:#?}"),
            }
        }
        let context = support::context();
        let rows = async |from: &str| {
            let sql = format!("SELECT id, name, value FROM '{from}' ORDER BY id, name");
            text_rows(&context.sql(&sql).await.unwrap().collect().await.unwrap())
        };
        assert!(rows(&whole).await == rows(&target).await);
        let left: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("biotide") && !name.ends_with(".biotide-convert"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        // It is complete: nothing is written once more.
        let again = convert(&target).wait_with_output().unwrap();
        Run::from(again).exits(0);
        assert!(rows(&whole).await == rows(&target).await);
    }
}

#[test]
fn a_conversion_that_changed_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = source(folder);
    let out = folder.join("o.csv").display().to_string();
    let convert = |more: &[&str]| {
        let args = [
            "convert",
            &input,
            &out,
            "--resume",
            "--checkpoint-rows",
            "2000",
        ];
        command(args.iter().chain(more)).spawn().unwrap()
    };
    let note = folder.join(".o.csv.biotide-convert");
    let mut child = convert(&[]);
    let begin = Instant::now();
    while !note.exists() && begin.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(note.exists() && !Path::new(&out).exists());
    let tried = |more: &[&str]| Run::from(convert(more).wait_with_output().unwrap());
    tried(&["--on-error", "lenient"])
        .exits(1)
        .says("the option on_error changed since the run was broken off");
    for (more, problem) in [
        (["--partition-by", "id"], "cannot be resumed"),
        (["--unordered", "--quiet"], "cannot be resumed"),
    ] {
        tried(&more).exits(1).says(problem);
    }
    tried(&[]).exits(0);
    let written = std::fs::read(&out).unwrap();
    tried(&[]).exits(0);
    assert_eq!(std::fs::read(&out).unwrap(), written);
}
