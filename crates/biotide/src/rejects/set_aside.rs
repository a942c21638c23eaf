//! How many records statements have set aside.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::reject::{RejectReader, RejectRecord};
use biotide_common::session::QueryLog;

use super::files::BATCH;
use super::finished::FinishedLogs;
use crate::error::Result;
use crate::pipeline::sift::HARMLESS;

/// What statements have set aside.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SetAside {
    /// Records; those that were read several times are counted once.
    pub(crate) rejected: u64,
    /// Of these, notes below a table and rows without an identifier, which are no fault.
    pub(crate) notes: u64,
}

impl FinishedLogs {
    /// What has been set aside until now.
    pub(crate) fn set_aside(&self) -> Result<SetAside> {
        SetAside::of(&self.all(), |_, _| {})
    }
}

impl SetAside {
    /// What some logs have. A record is known again by its place, whoever has read it, and whatever was wrong with it.
    /// Rows that stand nowhere are counted as they come, but for those that several statements have.
    ///
    /// `each` hears of every record that stands somewhere, in order, and whether it is no fault.
    pub(crate) fn of(
        logs: &[Arc<QueryLog>],
        mut each: impl FnMut(&RejectRecord, bool),
    ) -> Result<Self> {
        let readers = logs.iter().map(|log| log.rejects.read());
        let mut entries = Merged::of(readers.collect::<Result<_, BiotideError>>()?)?;
        let mut aside = Self {
            rejected: logs.iter().map(|log| log.unplaced()).sum(),
            notes: 0,
        };
        let mut add = |(record, is_note): (RejectRecord, bool)| {
            aside.rejected += 1;
            aside.notes += u64::from(is_note);
            each(&record, is_note);
        };
        let mut twice = 0;
        // The record before, and whether all that is said of it is no fault.
        let mut last: Option<(RejectRecord, bool)> = None;
        let mut last_unplaced: Option<RejectRecord> = None;
        while let Some(entry) = entries.next()? {
            if entry.action != "rejected" {
                continue;
            }
            if entry.line == 0 {
                twice += u64::from(last_unplaced.as_ref() == Some(&entry));
                last_unplaced = Some(entry);
                continue;
            }
            let is_note = HARMLESS.contains(&&*entry.reason);
            match &mut last {
                Some((record, is_no_fault))
                    if record.source == entry.source && record.offset == entry.offset =>
                {
                    *is_no_fault &= is_note;
                }
                _ => {
                    if let Some(before) = last.replace((entry, is_note)) {
                        add(before);
                    }
                }
            }
        }
        if let Some(last) = last {
            add(last);
        }
        aside.rejected = aside.rejected.saturating_sub(twice);
        Ok(aside)
    }
}

/// The entries of several logs in one order, those that several hold as often as they do.
struct Merged {
    logs: Vec<(RejectReader, VecDeque<RejectRecord>)>,
    /// The next entry of each log.
    next: BinaryHeap<Reverse<(RejectRecord, usize)>>,
}

impl Merged {
    fn of(readers: Vec<RejectReader>) -> Result<Self, BiotideError> {
        let logs: Vec<_> = readers
            .into_iter()
            .map(|reader| (reader, VecDeque::new()))
            .collect();
        let mut merged = Self {
            next: BinaryHeap::with_capacity(logs.len()),
            logs,
        };
        for log in 0..merged.logs.len() {
            merged.advance(log)?;
        }
        Ok(merged)
    }

    fn advance(&mut self, log: usize) -> Result<(), BiotideError> {
        let (reader, batch) = &mut self.logs[log];
        if batch.is_empty() {
            batch.extend(reader.take_batch(BATCH)?);
        }
        if let Some(entry) = batch.pop_front() {
            self.next.push(Reverse((entry, log)));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<RejectRecord>, BiotideError> {
        let Some(Reverse((entry, log))) = self.next.pop() else {
            return Ok(None);
        };
        self.advance(log)?;
        Ok(Some(entry))
    }
}
