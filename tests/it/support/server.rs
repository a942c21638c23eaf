//! A PostgreSQL server of a test's own, which it may stop.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Stopped, and its data removed, when it is dropped.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) url: String,
}

impl Server {
    /// None where no test is to have PostgreSQL.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var_os("BIOTIDE_TEST_POSTGRES").is_none() {
            println!("no PostgreSQL: BIOTIDE_TEST_POSTGRES is not set");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let url = script(folder.path(), "start");
        Some(Self { folder, url })
    }

    /// Ends it as a crash would.
    pub(crate) fn crash(&self) {
        script(self.folder.path(), "crash");
    }

    /// Starts it, at the same place.
    pub(crate) fn restart(&self) {
        assert_eq!(script(self.folder.path(), "restart"), self.url);
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        psql(&self.url, sql).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        script(self.folder.path(), "stop");
    }
}

fn script(state: &Path, verb: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres");
    let output = Command::new(script)
        .arg(verb)
        .env("BIOTIDE_PG_DIR", state.join("state"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{verb}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What `psql` says; nothing if it fails.
pub(crate) fn psql(url: &str, sql: &str) -> Option<String> {
    let output = Command::new("psql")
        .args([url, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| text.trim().to_owned())
}
