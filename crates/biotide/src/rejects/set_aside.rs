//! How many records the statements of a run have set aside.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use biotide_common::BiotideError;
use biotide_common::reject::{RejectReader, RejectRecord};

use super::files::BATCH;
use super::finished::FinishedLogs;
use crate::error::Result;
use crate::pipeline::sift::HARMLESS;

/// What the statements of a run have set aside.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SetAside {
    /// Records; those that were read several times are counted once.
    pub(crate) rejected: u64,
    /// Of these, notes below a table and rows without an identifier, which are no fault.
    pub(crate) notes: u64,
}

impl FinishedLogs {
    /// What has been set aside until now. A record is known again by its place, whoever has read it, and whatever was
    /// wrong with it. Rows that stand nowhere are counted as they come, but for those that several statements have.
    pub(crate) fn set_aside(&self) -> Result<SetAside> {
        let logs = self.all();
        let readers = logs.iter().map(|log| log.rejects.read());
        let mut entries = Merged::of(readers.collect::<Result<_, BiotideError>>()?)?;
        let mut aside = SetAside {
            rejected: logs.iter().map(|log| log.unplaced()).sum(),
            notes: 0,
        };
        // The record before, and whether all that is said of it is no fault.
        let mut last: Option<(RejectRecord, bool)> = None;
        let mut last_unplaced: Option<RejectRecord> = None;
        while let Some(entry) = entries.next()? {
            if entry.action != "rejected" {
                continue;
            }
            if entry.line == 0 {
                if last_unplaced.as_ref() == Some(&entry) {
                    aside.rejected = aside.rejected.saturating_sub(1);
                }
                last_unplaced = Some(entry);
                continue;
            }
            let is_note = HARMLESS.contains(&&*entry.reason);
            match &mut last {
                Some((record, was_note))
                    if record.source == entry.source && record.offset == entry.offset =>
                {
                    if *was_note && !is_note {
                        aside.notes -= 1;
                        *was_note = false;
                    }
                }
                _ => {
                    aside.rejected += 1;
                    aside.notes += u64::from(is_note);
                    last = Some((entry, is_note));
                }
            }
        }
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
