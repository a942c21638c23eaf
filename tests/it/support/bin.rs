//! The real binary.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The binary of the profile that the tests were built in: it lies beside their folder.
pub(crate) fn path() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let path = profile.join(format!("biotide{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "{} is not there: build with `cargo build --workspace`",
        path.display()
    );
    path
}

pub(crate) fn command<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(path());
    command
        .args(args)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Run {
    /// Asserts an exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Asserts that it says something on standard error.
    #[track_caller]
    pub(crate) fn says(self, what: &str) -> Self {
        assert!(self.stderr.contains(what), "'{what}' is not in {self:#?}");
        self
    }

    /// The report on standard output.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        let last = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }
}

/// Runs the binary.
pub(crate) fn run<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Run {
    command(args).output().unwrap().into()
}

/// Runs `convert` with a report and expects it to go well.
#[track_caller]
pub(crate) fn convert(args: &[&str]) -> Value {
    let all = [&["convert"], args, &["--report", "json"]].concat();
    run(all).exits(0).report()
}

/// A number of a report.
#[track_caller]
pub(crate) fn number(report: &Value, key: &str) -> u64 {
    let value = key.split('.').try_fold(report, |value, key| value.get(key));
    value
        .and_then(Value::as_u64)
        .unwrap_or_else(|| panic!("no {key} in {report}"))
}
