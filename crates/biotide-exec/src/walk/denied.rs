//! What is denied of a pair.

use crate::index::entry::Entry;
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::predicate::Kind;

/// The kinds, and the predicates of no kind, that are denied of a pair, as one of its nodes has it: that whose entries
/// are looked at in order.
#[derive(Debug, Default)]
pub(super) struct Denied {
    /// The other one.
    to: Option<u32>,
    kinds: u16,
    /// With the direction: what has no inverse is denied one way only.
    others: Vec<(u32, bool)>,
}

impl Denied {
    /// Takes the next entry, if it is a denial, and tells whether it is. (Of those to one node denials come first.)
    pub(super) fn take(&mut self, entry: Entry, vocabulary: &Vocabulary) -> bool {
        if self.to != Some(entry.to) {
            self.to = Some(entry.to);
            self.kinds = 0;
            self.others.clear();
        }
        if !entry.is_negated() {
            return false;
        }
        match entry.kind() {
            Kind::Other => self.others.push(other(entry, vocabulary)),
            kind => self.kinds |= 1 << kind as u8,
        }
        true
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
