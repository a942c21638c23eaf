//! Prefixes that were looked for not long ago: a column has few different ones.

use super::{Prefix, Registry};
use crate::identifier::written::trim_if;

/// So many at most.
const SLOTS: usize = 64;

type Slot<'r, 'a> = Option<(&'a str, Option<&'r Prefix>)>;

/// The prefixes of a column by their spellings.
pub(crate) struct Known<'r, 'a> {
    registry: &'r Registry,
    trims: bool,
    slots: [Slot<'r, 'a>; SLOTS],
}

impl<'r, 'a> Known<'r, 'a> {
    /// `trims`: blanks around a spelling do not count.
    pub(crate) fn new(registry: &'r Registry, trims: bool) -> Self {
        let slots = [None; SLOTS];
        Self {
            registry,
            trims,
            slots,
        }
    }

    /// The prefix with this spelling, as [`Registry::find`] has it.
    #[inline]
    pub(crate) fn find(&mut self, spelling: &'a str) -> Option<&'r Prefix> {
        let bytes = spelling.as_bytes();
        let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
            return self.registry.find(spelling);
        };
        let place = usize::from(first) * 7 + usize::from(last) * 3 + bytes.len() * 5;
        let slot = &mut self.slots[place % SLOTS];
        match slot {
            Some((same, prefix)) if *same == spelling => *prefix,
            _ => {
                let found = self.registry.find(trim_if(self.trims, spelling));
                *slot = Some((spelling, found));
                found
            }
        }
    }
}
