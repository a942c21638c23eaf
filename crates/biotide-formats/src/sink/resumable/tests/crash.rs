//! Processes that end, and a disk that is full. The tests run this binary again as the process that ends.

use std::path::PathBuf;
use std::process::Command;

use super::*;

const TARGET: &str = "BIOTIDE_TEST_TARGET";
const ROWS: i64 = 400;

/// The name of the state beside a target.
fn state(target: &Path) -> PathBuf {
    target.with_extension("state")
}

/// Writes on to the target named by the environment, noting each commit, until something ends it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that other tests end"]
async fn process_that_ends() {
    let Ok(target) = std::env::var(TARGET) else {
        return;
    };
    let target = PathBuf::from(target);
    let format = std::env::var("BIOTIDE_TEST_FORMAT").unwrap();
    let last: i64 = std::env::var("BIOTIDE_TEST_LAST").unwrap().parse().unwrap();
    let durable = std::fs::read(state(&target)).ok();
    let durable: Option<Durable> = durable.map(|state| serde_json::from_slice(&state).unwrap());
    let mut options = options(&format, false);
    // Nothing is buffered away from the disk.
    options.compression = (format == "parquet").then(|| "none".to_owned());
    let mut sink = open(&target, schema(), options, durable.as_ref())
        .await
        .unwrap();
    let mut at = durable.map_or(0, |durable| durable.rows()) as i64;
    loop {
        if let Err(error) = sink.write(&batch(at, ROWS)).await {
            println!("error: {error}");
            std::process::exit(3);
        }
        at += ROWS;
        if at > last {
            std::process::abort();
        }
        match sink.commit().await {
            Ok(durable) => {
                std::fs::write(state(&target), serde_json::to_vec(&durable).unwrap()).unwrap()
            }
            Err(error) => {
                println!("error: {error}");
                std::process::exit(3);
            }
        }
    }
}

fn command(program: &str, target: &Path, format: &str, last: i64) -> Command {
    let mut command = Command::new(program);
    command
        .env(TARGET, target)
        .env("BIOTIDE_TEST_FORMAT", format)
        .env("BIOTIDE_TEST_LAST", last.to_string())
        .current_dir(target.parent().unwrap());
    command
}

const CHILD: [&str; 5] = [
    "--exact",
    "sink::resumable::tests::crash::process_that_ends",
    "--ignored",
    "--nocapture",
    "--test-threads=1",
];

/// Ends the file from its last noted state, and checks all rows.
async fn complete(target: &Path, format: &str) {
    assert!(!target.exists());
    let durable: Durable = serde_json::from_slice(&std::fs::read(state(target)).unwrap()).unwrap();
    let at = durable.rows() as i64;
    assert!(at > 0);
    let mut sink = resume(target, format, false, &durable).await;
    sink.write(&batch(at, 17)).await.unwrap();
    sink.finish().await.unwrap();
    let expected = whole(&[batch(0, at + 17)], format, false).await;
    assert_eq!(content(target, format, false), expected);
    assert_eq!(names(target.parent().unwrap()), ["out", "out.state"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_again_and_again() {
    let program = std::env::current_exe().unwrap();
    for format in ["csv", "parquet", "arrow"] {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        for last in [1000, 1300, 4000] {
            let mut command = command(program.to_str().unwrap(), &target, format, last);
            let output = command.args(CHILD).output().unwrap();
            assert_eq!(output.status.code(), None, "{output:?}");
        }
        complete(&target, format).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full() {
    let program = std::env::current_exe().unwrap();
    let script = r#"trap '' XFSZ; ulimit -f 300; exec "$0" "$@""#;
    for format in ["csv", "parquet", "arrow"] {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        let mut command = command("bash", &target, format, i64::MAX);
        let output = command
            .args(["-c", script])
            .arg(&program)
            .args(CHILD)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let error = text.lines().find(|line| line.contains("error: ")).unwrap();
        assert!(
            error.contains(".out.biotide-part") && error.contains("too large"),
            "{error}"
        );
        complete(&target, format).await;
    }
}
