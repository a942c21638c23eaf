//! What is wrong with a record or a value, as light as it can be: a chunk may be of nothing else.

use std::ops::Range;

use crate::problem::{Action, Reason};

/// A bad record or value, by positions in its chunk. [`ChunkDecoder::describe`] tells it in words.
///
/// [`ChunkDecoder::describe`]: super::ChunkDecoder::describe
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// The record's bytes, its line end not counted.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Records of the chunk before it.
    pub(crate) record: u32,
    /// Newlines of the chunk before it.
    pub(crate) line: u32,
    pub(crate) subject: Subject,
    /// Why.
    pub reason: Reason,
    /// What was done.
    pub action: Action,
}

/// What a flaw is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The record, in which so many fields were found.
    Record { fields: u32 },
    /// The value of a row of the index in a column.
    Value { row: u32, column: u32 },
}

impl Flaw {
    /// A flaw of a record with so many fields, after `record` others. Its line is not known yet.
    pub(crate) fn of_record(
        bytes: Range<usize>,
        record: u64,
        fields: usize,
        reason: Reason,
    ) -> Self {
        Self {
            start: bytes.start as u32,
            end: bytes.end as u32,
            record: record as u32,
            line: 0,
            subject: Subject::Record {
                fields: u32::try_from(fields).unwrap_or(u32::MAX),
            },
            reason,
            action: Action::Rejected,
        }
    }

    /// The same flaw of a value in that record.
    pub(crate) fn of_value(self, row: u32, column: u32, reason: Reason, action: Action) -> Self {
        Self {
            subject: Subject::Value { row, column },
            reason,
            action,
            ..self
        }
    }

    /// The record's bytes in the chunk.
    pub(crate) fn bytes(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether it is a value that is wrong, and not the record's shape.
    pub fn is_value(&self) -> bool {
        matches!(self.subject, Subject::Value { .. })
    }

    /// Flaws in the order of the reject log; those that are equal in it are one.
    pub(crate) fn key(&self) -> (u32, Option<u32>, Reason) {
        let column = match self.subject {
            Subject::Record { .. } => None,
            Subject::Value { column, .. } => Some(column),
        };
        (self.start, column, self.reason)
    }
}
