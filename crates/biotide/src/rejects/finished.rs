//! Logs that are kept when their statements are done.

use std::collections::VecDeque;
use std::sync::Arc;

use biotide_common::session::QueryLog;
use parking_lot::Mutex;

use super::files::{write_json_lines, write_parquet};
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

    /// Writes a log that is kept, with those of the statements before it that went to the same file: JSON Lines, or
    /// Parquet. What several statements of a run have read is written once.
    pub(crate) fn write(&self, path: &str, log: &Arc<QueryLog>) -> Result<()> {
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
        if path.to_ascii_lowercase().ends_with(".parquet") {
            // A Parquet file cannot be added to: it is written anew from the logs that are kept.
            let mut logs = if again { all.clone() } else { Vec::new() };
            if !logs.iter().any(|kept| kept.id == log.id) {
                logs.push(Arc::clone(log));
            }
            let logs = logs.into_iter().map(|log| (before(&log), log));
            return write_parquet(path, logs);
        }
        write_json_lines(path, log, &before(log), again)
    }
}
