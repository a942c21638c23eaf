//! What a log holds and others do not.

use std::collections::VecDeque;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::reject::{RejectReader, RejectRecord};
use biotide_common::session::QueryLog;

use super::files::BATCH;
use crate::error::Result;

/// A log that is read with its entries known one by one.
struct Cursor {
    reader: RejectReader,
    batch: VecDeque<RejectRecord>,
}

impl Cursor {
    /// The next one that is not less than an entry.
    fn seek(&mut self, entry: &RejectRecord) -> Result<Option<&RejectRecord>, BiotideError> {
        loop {
            while self.batch.front().is_some_and(|first| first < entry) {
                self.batch.pop_front();
            }
            if !self.batch.is_empty() {
                return Ok(self.batch.front());
            }
            self.batch = self.reader.take_batch(BATCH)?.into();
            if self.batch.is_empty() {
                return Ok(None);
            }
        }
    }
}

/// Reads what a log holds and some others do not. All are in one order, so they are read side by side.
pub(super) struct Unseen {
    reader: RejectReader,
    others: Vec<Cursor>,
}

impl Unseen {
    pub(super) fn of(log: &QueryLog, others: &[Arc<QueryLog>]) -> Result<Self> {
        let cursor = |log: &Arc<QueryLog>| {
            let (reader, batch) = (log.rejects.read()?, VecDeque::new());
            Ok::<_, BiotideError>(Cursor { reader, batch })
        };
        let with_some = others.iter().filter(|other| !other.rejects.is_empty());
        Ok(Self {
            reader: log.rejects.read()?,
            others: with_some.map(cursor).collect::<Result<_, _>>()?,
        })
    }

    /// Some more, in their order; none: that was all.
    pub(super) fn next(&mut self) -> Result<Option<Vec<RejectRecord>>> {
        loop {
            let all = self.reader.take_batch(BATCH)?;
            if all.is_empty() {
                return Ok(None);
            }
            let mut unseen = Vec::with_capacity(all.len());
            for entry in all {
                let mut is_seen = false;
                for other in &mut self.others {
                    is_seen |= other.seek(&entry)? == Some(&entry);
                }
                if !is_seen {
                    unseen.push(entry);
                }
            }
            if !unseen.is_empty() {
                return Ok(Some(unseen));
            }
        }
    }
}
