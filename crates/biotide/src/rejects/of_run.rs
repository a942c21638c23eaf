//! The logs of a run, whose statements may read one file several times.

use std::sync::Arc;

use biotide_common::session::QueryLog;
use parking_lot::Mutex;

use super::finished::FinishedLogs;
use super::unseen::Unseen;
use crate::error::Result;
use crate::pipeline::sift::HARMLESS;

/// All logs of a run.
#[derive(Debug)]
pub(super) struct OfRun {
    session: Arc<FinishedLogs>,
    logs: Mutex<Vec<Arc<QueryLog>>>,
}

/// What the statements of a run have set aside.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SetAside {
    /// Records; those that several statements have read are counted once.
    pub(crate) rejected: u64,
    /// Of these, notes below a table and rows without an identifier, which are no fault.
    pub(crate) notes: u64,
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

impl FinishedLogs {
    /// What has been set aside until now.
    pub(crate) fn set_aside(&self) -> Result<SetAside> {
        let mut aside = SetAside::default();
        let logs = self.all();
        for (n, log) in logs.iter().enumerate() {
            let report = log.report();
            let harmless = HARMLESS.into_iter();
            let notes: u64 = harmless
                .filter_map(|reason| report.reasons.get(reason))
                .sum();
            let mut unseen = Unseen::of(log, &logs[..n])?;
            while unseen.next()?.is_some() {}
            aside.rejected += report.rejected.saturating_sub(unseen.seen);
            aside.notes += notes.saturating_sub(unseen.seen_notes);
        }
        Ok(aside)
    }
}
