//! Looks at an index that is in memory, without an answer that must be right: see [`crate::walk::Ahead`].

use super::entry::Packed;
use super::lookup::Index;
use crate::mapping::key::Key;

impl Index {
    /// Whether all of it is in memory.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.pages.is_none()
    }

    /// Something of where a key would be.
    pub(crate) fn glance(&self, key: Key) -> usize {
        let at = |(keys, slot): (&[Key], std::ops::Range<usize>)| keys.get(slot.start).copied();
        let found = self.slot_of(key).and_then(at);
        found.map_or(0, |key| usize::from(key.prefix()))
    }

    /// The node of a key.
    pub(crate) fn node_of(&self, key: Key) -> Option<u32> {
        let (keys, slot) = self.slot_of(key)?;
        let at = slot.start + keys[slot].binary_search(&key).ok()?;
        Some(self.arrays.bases[key.bucket(self.arrays.bits)] + at as u32)
    }

    /// The edges of a node.
    pub(crate) fn edges_of(&self, node: u32) -> &[Packed] {
        let segment = (node >> self.arrays.shift) as usize;
        let place = (node & ((1 << self.arrays.shift) - 1)) as usize;
        let offsets = self.arrays.offsets.in_memory(segment).unwrap_or_default();
        let entries = self.arrays.entries.in_memory(segment).unwrap_or_default();
        match offsets.get(place..place + 2) {
            Some(&[start, end]) => entries
                .get(start as usize..end as usize)
                .unwrap_or_default(),
            _ => &[],
        }
    }

    /// The prefix of a node.
    pub(crate) fn prefix_of(&self, node: u32) -> u16 {
        let key = self.segment(node).and_then(|segment| {
            let keys = self.arrays.keys.in_memory(segment)?;
            keys.get((node - self.arrays.bases[segment]) as usize)
        });
        key.map_or(0, |key| key.prefix())
    }
}
