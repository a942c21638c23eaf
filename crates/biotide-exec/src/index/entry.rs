//! An edge as a node has it.

use super::record::Half;
use crate::mapping::predicate::Kind;

/// The node at its other end, the number of its class, and: 16 bits of that node's prefix, 8 of the kind, 8 of flags.
pub(crate) type Packed = [u32; 3];

/// It was written from the other end.
const REVERSED: u32 = 1;
/// It is said not to hold.
const NEGATED: u32 = 2;
/// It was written from the other end, and nothing follows from it for this one.
const ONE_WAY: u32 = 4;

/// An edge as a node has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) to: u32,
    pub(crate) class: u32,
    meta: u32,
}

impl Entry {
    /// That of no edge.
    pub(crate) const NONE: Self = Self {
        to: u32::MAX,
        class: 0,
        meta: 0,
    };

    pub(crate) fn unpack([to, class, meta]: Packed) -> Self {
        Self { to, class, meta }
    }

    /// That of half a statement.
    pub(crate) fn of_half([_, to, class, meta]: Half) -> Self {
        Self { to, class, meta }
    }

    pub(crate) fn pack(self) -> Packed {
        [self.to, self.class, self.meta]
    }

    /// The prefix of the node at its other end.
    pub(crate) fn prefix(self) -> u16 {
        (self.meta >> 16) as u16
    }

    /// What it means from here.
    pub(crate) fn kind(self) -> Kind {
        Kind::from_u8((self.meta >> 8 & 0xff) as u8)
    }

    pub(crate) fn is_reversed(self) -> bool {
        self.meta & REVERSED != 0
    }

    pub(crate) fn is_negated(self) -> bool {
        self.meta & NEGATED != 0
    }

    pub(crate) fn is_one_way(self) -> bool {
        self.meta & ONE_WAY != 0
    }
}

/// The two halves of a statement of a kind, from its subject and from its object, whose prefixes are given.
pub(crate) fn halves(
    (subject, object): (u32, u32),
    (subject_prefix, object_prefix): (u32, u32),
    class: u32,
    kind: Kind,
    negated: bool,
) -> [Half; 2] {
    let negated = if negated { NEGATED } else { 0 };
    let meta = |prefix: u32, kind: Kind, flags: u32| {
        prefix << 16 | u32::from(kind as u8) << 8 | flags | negated
    };
    let (back, flags) = match kind.inverse() {
        Some(back) => (back, REVERSED),
        None => (kind, REVERSED | ONE_WAY),
    };
    [
        [subject, object, class, meta(object_prefix, kind, 0)],
        [object, subject, class, meta(subject_prefix, back, flags)],
    ]
}
