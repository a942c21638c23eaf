//! The logs of a run, whose statements may read one file several times.

use std::sync::Arc;

use biotide_common::session::QueryLog;
use parking_lot::Mutex;

use super::finished::FinishedLogs;

/// All logs of a run.
#[derive(Debug)]
pub(super) struct OfRun {
    session: Arc<FinishedLogs>,
    logs: Mutex<Vec<Arc<QueryLog>>>,
}

impl OfRun {
    pub(super) fn new(session: &Arc<FinishedLogs>) -> Self {
        Self {
            session: Arc::clone(session),
            logs: Mutex::default(),
        }
    }

    pub(super) fn push(&self, log: Arc<QueryLog>) {
        let mut logs = self.logs.lock();
        logs.retain(|kept| kept.id != log.id);
        logs.push(Arc::clone(&log));
        self.session.push(log);
    }

    pub(super) fn logs(&self) -> Vec<Arc<QueryLog>> {
        self.logs.lock().clone()
    }
}
