//! An error and the items that it happened to.

use std::fmt;
use std::sync::Arc;

use super::{BoxError, ErrorKind, ProcessorError, Stage};
use crate::chunk::Chunk;

/// An error of one item or of several, with who failed and where.
///
/// Items are counted from 0, as the source gives them.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {source}")]
pub struct ItemError {
    place: Place,
    retries: u32,
    source: ProcessorError,
}

/// Who failed, at what.
#[derive(Debug)]
pub(crate) enum Place {
    /// The source, when it was asked for this item.
    Source { name: Arc<str>, item: u64 },
    /// An operation on these rows.
    Operation { name: Arc<str>, rows: Box<Chunk> },
    /// An operation that had no rows at hand.
    Outside { name: Arc<str> },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { name, item } => write!(f, "source '{name}' failed at item {item}"),
            Self::Outside { name } => write!(f, "operation '{name}' failed"),
            Self::Operation { name, rows } => {
                write!(f, "operation '{name}' failed at ")?;
                let last = rows.rows().saturating_sub(1);
                match (rows.row(0), rows.row(last)) {
                    (Some(first), Some(end)) if first != end => {
                        write!(f, "items {first} to {end}")?;
                    }
                    (Some(first), _) => write!(f, "item {first}")?,
                    (None, _) => write!(
                        f,
                        "{} rows made of items from {}",
                        rows.rows(),
                        rows.first_row()
                    )?,
                }
                write!(f, " (chunk {})", rows.id)
            }
        }
    }
}

impl ItemError {
    pub(crate) fn new(place: Place, retries: u32, source: ProcessorError) -> Self {
        Self {
            place,
            retries,
            source,
        }
    }

    /// What the source or operation said.
    pub(crate) fn into_cause(self) -> BoxError {
        self.source.into_source()
    }

    /// Who failed.
    pub fn stage(&self) -> Stage {
        match self.place {
            Place::Source { .. } => Stage::Source,
            Place::Operation { .. } | Place::Outside { .. } => Stage::Processing,
        }
    }

    /// The name of the source or operation.
    pub fn operation(&self) -> &str {
        match &self.place {
            Place::Source { name, .. }
            | Place::Operation { name, .. }
            | Place::Outside { name } => name,
        }
    }

    /// The rows that it happened to, as the operation was given them. A source has none.
    pub fn rows(&self) -> Option<&Chunk> {
        match &self.place {
            Place::Operation { rows, .. } => Some(rows),
            Place::Source { .. } | Place::Outside { .. } => None,
        }
    }

    /// The first item that it happened to.
    pub fn item(&self) -> Option<u64> {
        match &self.place {
            Place::Source { item, .. } => Some(*item),
            Place::Operation { rows, .. } => Some(rows.first_row()),
            Place::Outside { .. } => None,
        }
    }

    /// The chunk that it happened in.
    pub fn chunk(&self) -> Option<u64> {
        self.rows().map(|rows| rows.id)
    }

    /// The item as JSON, if it is one.
    pub fn record(&self) -> Option<serde_json::Value> {
        self.rows()
            .filter(|rows| rows.rows() == 1)
            .and_then(|rows| rows.record(0))
    }

    /// What sort of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.source.kind()
    }

    /// The code of the cause.
    pub fn code(&self) -> &str {
        self.source.code()
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        self.source.hint()
    }

    /// How often it was tried again in vain.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// The cause.
    pub fn cause(&self) -> &ProcessorError {
        &self.source
    }
}
