//! Logs that are kept when their statements are done.

use std::collections::VecDeque;
use std::sync::Arc;

use biotide_common::options::{RejectFile, RejectFormat};
use biotide_common::session::QueryLog;
use parking_lot::Mutex;

use super::files::{write_delimited, write_json_lines, write_parquet};
use super::of_run::OfRun;
use crate::error::Result;

/// Statements whose log is kept.
const KEPT: usize = 16;

/// What `system.rejects` shows.
#[derive(Debug, Default)]
pub(crate) struct FinishedLogs {
    logs: Mutex<VecDeque<Arc<QueryLog>>>,
    /// The file that this session's rejects have been written to.
    written: Mutex<Option<String>>,
    /// Of a run: all its logs.
    pub(super) run: Option<OfRun>,
}

impl FinishedLogs {
    /// Those of a run, which its session shows too.
    pub(crate) fn of_run(session: &Arc<Self>) -> Self {
        Self {
            run: Some(OfRun::new(session)),
            ..Self::default()
        }
    }

    /// Keeps a log.
    pub(crate) fn push(&self, log: Arc<QueryLog>) {
        if let Some(run) = &self.run {
            run.push(log);
            return;
        }
        let mut logs = self.logs.lock();
        logs.retain(|kept| kept.id != log.id);
        logs.push_back(log);
        while logs.len() > KEPT {
            logs.pop_front();
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<QueryLog>> {
        match &self.run {
            Some(run) => run.logs(),
            None => self.logs.lock().iter().cloned().collect(),
        }
    }

    /// Writes a log that is kept, with those of the statements before it that went to the same file. What several
    /// statements of a run have read is written once.
    pub(crate) fn write(&self, file: &RejectFile, log: &Arc<QueryLog>) -> Result<()> {
        let path = file.path();
        let mut written = self.written.lock();
        let again = written.as_deref() == Some(path);
        *written = Some(path.to_owned());
        let all = self.all();
        let before = |log: &QueryLog| match &self.run {
            Some(_) => {
                let others = all.iter().take_while(|other| other.id != log.id);
                others.cloned().collect()
            }
            None => Vec::new(),
        };
        match file.format() {
            RejectFormat::JsonLines => write_json_lines(path, log, &before(log), again),
            RejectFormat::Delimited(delimiter) => {
                write_delimited(path, delimiter, log, &before(log), again)
            }
            RejectFormat::Parquet => {
                // A Parquet file cannot be added to: it is written anew from the logs that are kept.
                let mut logs = if again { all.clone() } else { Vec::new() };
                if !logs.iter().any(|kept| kept.id == log.id) {
                    logs.push(Arc::clone(log));
                }
                let logs = logs.into_iter().map(|log| (before(&log), log));
                write_parquet(path, logs)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use biotide_common::options::OptionValue;

    use super::*;
    use crate::rejects::files::tests::{entry, log_of};

    #[test]
    fn statements_add_to_text_and_a_session_begins_it_anew() {
        let folder = tempfile::tempdir().unwrap();
        for (name, header) in [("bad.jsonl", 0), ("bad.csv", 1), ("bad.tsv", 1)] {
            let path = folder.path().join(name);
            let file = RejectFile::parse(&path.display().to_string()).unwrap();
            let lines = || fs::read_to_string(&path).unwrap().lines().count();
            let session = FinishedLogs::default();
            let write = |entries| session.write(&file, &Arc::new(log_of(entries))).unwrap();
            write(vec![]);
            assert_eq!(lines(), header, "{name}");
            for (offset, rows) in [(1, 1), (2, 2)] {
                write(vec![entry(offset, "a")]);
                assert_eq!(lines(), header + rows, "{name}");
            }
            // What was taken away is made again.
            fs::remove_file(&path).unwrap();
            write(vec![entry(3, "a")]);
            assert_eq!(lines(), header + 1, "{name}");
            let next = FinishedLogs::default();
            let log = Arc::new(log_of(vec![entry(1, "a"), entry(2, "a")]));
            next.write(&file, &log).unwrap();
            assert_eq!(lines(), header + 2, "{name}");
        }
    }
}
