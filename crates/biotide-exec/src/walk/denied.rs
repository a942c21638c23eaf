//! What is denied of a pair.

use crate::index::entry::Entry;
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::predicate::Kind;

/// The kinds, and the predicates of no kind, that are denied of a pair, as one of its nodes has it.
#[derive(Debug, Default)]
pub(super) struct Denied {
    kinds: u16,
    /// With the direction: what has no inverse is denied one way only.
    others: Vec<(u32, bool)>,
}

impl Denied {
    pub(super) fn clear(&mut self) {
        self.kinds = 0;
        self.others.clear();
    }

    /// Takes in what an entry denies.
    pub(super) fn add(&mut self, entry: Entry, vocabulary: &Vocabulary) {
        match entry.kind() {
            Kind::Other => self.others.push(other(entry, vocabulary)),
            kind => self.kinds |= 1 << kind as u8,
        }
    }

    /// Whether what an entry says is denied.
    pub(super) fn denies(&self, entry: Entry, vocabulary: &Vocabulary) -> bool {
        let kind = entry.kind();
        if kind == Kind::Other {
            return !self.others.is_empty() && self.others.contains(&other(entry, vocabulary));
        }
        self.kinds != 0
            && Kind::ALL
                .into_iter()
                .any(|denied| self.kinds & 1 << denied as u8 != 0 && denied.denies(kind))
    }
}

fn other(entry: Entry, vocabulary: &Vocabulary) -> (u32, bool) {
    let class = &vocabulary.classes[entry.class as usize];
    (class.predicate, entry.is_one_way())
}
