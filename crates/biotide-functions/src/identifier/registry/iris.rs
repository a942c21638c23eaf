//! IRI prefixes, the longest of which is looked for.

use super::prefix::Prefix;

/// All IRI prefixes in order. A text's longest prefix among them is the greatest one that is not after the text,
/// or one of those which that one starts with.
#[derive(Debug)]
pub(super) struct Iris(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    iri: Box<str>,
    prefix: u32,
    /// The longest other one that this one starts with.
    shorter: Option<u32>,
}

impl Iris {
    pub(super) fn new(prefixes: &[Prefix]) -> Self {
        let mut all: Vec<(&str, u32)> = Vec::new();
        for (index, prefix) in (0u32..).zip(prefixes) {
            all.extend(prefix.iris().map(|iri| (iri, index)));
        }
        all.sort_unstable();
        all.dedup_by_key(|(iri, _)| *iri);
        let mut entries: Vec<Entry> = Vec::with_capacity(all.len());
        for (iri, prefix) in all {
            let last = (entries.len() as u32).checked_sub(1);
            let shorter = ancestor(&entries, last, iri);
            entries.push(Entry {
                iri: iri.into(),
                prefix,
                shorter,
            });
        }
        Self(entries)
    }

    /// The prefix of an IRI by its place, and the rest of the IRI.
    pub(super) fn find<'a>(&self, iri: &'a str) -> Option<(u32, &'a str)> {
        let after = self.0.partition_point(|entry| *entry.iri <= *iri);
        let last = (after as u32).checked_sub(1);
        let entry = &self.0[ancestor(&self.0, last, iri)? as usize];
        Some((entry.prefix, &iri[entry.iri.len()..]))
    }
}

impl Iris {
    /// Whether there are longer ones that begin with this text.
    pub(super) fn goes_on(&self, text: &str) -> bool {
        let after = self.0.partition_point(|entry| *entry.iri <= *text);
        self.0
            .get(after)
            .is_some_and(|entry| entry.iri.starts_with(text))
    }
}

/// The first of an entry and those that it starts with that the text starts with.
fn ancestor(entries: &[Entry], mut at: Option<u32>, text: &str) -> Option<u32> {
    while let Some(index) = at {
        let entry = &entries[index as usize];
        if text.starts_with(&*entry.iri) {
            return at;
        }
        at = entry.shorter;
    }
    None
}
