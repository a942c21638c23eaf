//! Which item of its source each row was made of.

use arrow::array::{Array, BooleanArray, UInt64Array};
use arrow::compute::{concat, filter, take};
use arrow::error::ArrowError;

/// The items of a chunk's rows, counted from 0.
#[derive(Debug, Clone)]
pub(crate) enum Positions {
    /// This one and those after it, without a gap.
    Range(u64),
    /// One for each row.
    Each(UInt64Array),
    /// This one and others: rows were added or taken away, and nobody said which.
    From(u64),
}

impl Positions {
    pub(crate) fn first(&self) -> u64 {
        match self {
            Self::Range(first) | Self::From(first) => *first,
            Self::Each(items) => items.values().first().copied().unwrap_or(0),
        }
    }

    pub(crate) fn at(&self, row: usize) -> Option<u64> {
        match self {
            Self::Range(first) => Some(first + row as u64),
            Self::Each(items) => items.values().get(row).copied(),
            Self::From(_) => None,
        }
    }

    pub(crate) fn slice(&self, start: usize, rows: usize) -> Self {
        match self {
            Self::Range(first) => Self::Range(first + start as u64),
            Self::Each(items) => Self::Each(items.slice(start, rows)),
            Self::From(first) => Self::From(*first),
        }
    }

    pub(crate) fn filter(&self, mask: &BooleanArray) -> Result<Self, ArrowError> {
        Ok(match self {
            Self::From(first) => Self::From(*first),
            known => Self::Each(items(filter(&known.each(mask.len()), mask)?.as_ref())),
        })
    }

    /// `rows`: how many there are now; `places`: which of them to take.
    pub(crate) fn take(&self, rows: usize, places: &UInt64Array) -> Result<Self, ArrowError> {
        Ok(match self {
            Self::From(first) => Self::From(*first),
            known => Self::Each(items(take(&known.each(rows), places, None)?.as_ref())),
        })
    }

    /// Those of several chunks, with their numbers of rows.
    pub(crate) fn concat(parts: &[(&Self, usize)]) -> Result<Self, ArrowError> {
        let Some((head, _)) = parts.first() else {
            return Ok(Self::From(0));
        };
        if parts.iter().any(|(part, _)| matches!(part, Self::From(_))) {
            return Ok(Self::From(head.first()));
        }
        let mut next = head.first();
        let adjacent = parts.iter().all(|(part, rows)| {
            let follows = matches!(part, Self::Range(first) if *first == next);
            next += *rows as u64;
            follows
        });
        if adjacent {
            return Ok(Self::Range(head.first()));
        }
        let each = parts
            .iter()
            .map(|(part, rows)| part.each(*rows))
            .collect::<Vec<_>>();
        let each = each.iter().map(|items| items as &dyn Array);
        Ok(Self::Each(items(
            concat(&each.collect::<Vec<_>>())?.as_ref(),
        )))
    }

    fn each(&self, rows: usize) -> UInt64Array {
        match self {
            Self::Each(items) => items.clone(),
            Self::Range(first) | Self::From(first) => {
                UInt64Array::from_iter_values(*first..first + rows as u64)
            }
        }
    }
}

/// (The kernels give back the type that they took.)
fn items(array: &dyn Array) -> UInt64Array {
    UInt64Array::from(array.to_data())
}
