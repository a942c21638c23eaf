//! What a prefix means that a set declares with an IRI of its own (`curie_map` of SSSOM): the IRI decides, unless it is
//! but another spelling of those that the registry has for the prefix.

use biotide_common::identifiers::bare_iri;

use super::{Key, Prefix, Registry};
use crate::identifier::written::trim;

/// What ends the IRI of a prefix, before the identifier.
const ENDS: [char; 7] = ['/', ':', '=', '#', '?', '_', '&'];

/// Whose IRIs are made of any prefix.
const RESOLVERS: [&str; 5] = [
    "bioregistry.io/",
    "identifiers.org/",
    "n2t.net/",
    "purl.bioontology.org/ontology/",
    "purl.obolibrary.org/obo/",
];

/// What a declared prefix means.
#[derive(Debug)]
pub(crate) enum Declared<'r> {
    /// A prefix of the registry.
    Prefix(&'r Prefix),
    /// The registry has neither the name nor the IRI.
    Unknown,
    /// It has the name, but for something else.
    Another,
}

impl Registry {
    /// What a prefix means that is declared with this IRI.
    pub(crate) fn declared(&self, name: &str, iri: &str) -> Declared<'_> {
        let Some(named) = self.find(trim(name)) else {
            return match self.owner(iri) {
                Some(owner) => Declared::Prefix(owner),
                None => Declared::Unknown,
            };
        };
        let has_none = named.iris().next().is_none();
        match self.owner(iri) {
            // (The registry gives IRIs to one prefix only: those of KEGG.COMPOUND to KEGG.)
            Some(owner)
                if owner.prefix != named.prefix
                    && !self.names(iri, named)
                    && !(has_none && owner.iris().any(|iri| self.names(iri, named))) =>
            {
                Declared::Prefix(owner)
            }
            None if !has_none && !self.is_alike(iri, named) => Declared::Another,
            _ => Declared::Prefix(named),
        }
    }

    /// The prefix that a prefix without IRIs is the same as: `orphanet.ordo`, whose identifiers are written
    /// `Orphanet_558` and have the IRIs of `orpha`, alias `Orphanet`.
    pub(super) fn same(&self, prefix: &Prefix) -> Option<&Prefix> {
        let banana = prefix
            .banana
            .as_ref()
            .filter(|_| prefix.iris().next().is_none())?;
        let other = self
            .find(banana)
            .filter(|other| other.prefix != prefix.prefix)?;
        other
            .iris()
            .any(|iri| self.names(iri, prefix))
            .then_some(other)
    }

    /// Whether IRIs of the registry begin with this one and go on: `http://purl.obolibrary.org/obo/`.
    pub(crate) fn is_stem(&self, iri: &str) -> bool {
        self.iris.goes_on(iri)
    }

    /// Whose IRI it is, in any spelling of its start.
    fn owner(&self, iri: &str) -> Option<&Prefix> {
        let bare = bare_iri(iri);
        let starts = ["http://", "https://", "http://www.", "https://www."];
        let written = std::iter::once(iri.to_owned());
        let all = written.chain(starts.iter().map(|start| format!("{start}{bare}")));
        let whole = |iri: String| match self.find_iri(&iri) {
            Some((prefix, "")) => Some(prefix),
            _ => None,
        };
        all.into_iter().find_map(whole)
    }

    /// Whether the end of an IRI is the name of a prefix.
    fn names(&self, iri: &str, prefix: &Prefix) -> bool {
        let iri = iri.trim_end_matches(ENDS);
        let name = iri.rsplit(['/', ':', '=', '#', '?']).next();
        name.is_some_and(|name| {
            self.find(name)
                .is_some_and(|found| found.prefix == prefix.prefix)
        })
    }

    /// Whether an IRI that the registry does not have is another form of those of a prefix.
    fn is_alike(&self, iri: &str, prefix: &Prefix) -> bool {
        let own = bare_iri(iri);
        let is_resolved = RESOLVERS.iter().any(|resolver| own.starts_with(resolver));
        if is_resolved && self.names(iri, prefix) {
            return true;
        }
        // (`http://aims.fao.org/aos/agrovoc/c_`: what follows is part of its identifiers.)
        if self
            .find_iri(iri)
            .is_some_and(|(found, _)| found.prefix == prefix.prefix)
        {
            return true;
        }
        let stem = self.stem(iri, prefix);
        prefix.iris().any(|iri| self.stem(iri, prefix) == stem)
    }

    /// An IRI without its start, and without the prefix and the signs at its end.
    fn stem(&self, iri: &str, prefix: &Prefix) -> String {
        let mut rest = bare_iri(iri).trim_end_matches(ENDS);
        let banana = prefix.banana.as_deref().map(Key::new);
        while let Some(at) = rest.rfind(ENDS) {
            let end = &rest[at + 1..];
            let is_banana = banana
                .as_ref()
                .is_some_and(|banana| banana.bytes() == Key::new(end).bytes());
            if !is_banana
                && self
                    .find(end)
                    .is_none_or(|found| found.prefix != prefix.prefix)
            {
                break;
            }
            rest = rest[..at].trim_end_matches(ENDS);
        }
        rest.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::super::embedded;
    use super::*;

    #[test]
    fn the_iri_decides_unless_it_is_another_spelling() {
        let registry = embedded();
        for (name, iri, means) in [
            ("FOO", "http://purl.obolibrary.org/obo/CHEBI_", "chebi"),
            ("HP", "http://purl.obolibrary.org/obo/FBbt_", "fbbt"),
            ("OMIM", "https://omim.org/phenotypicSeries/PS", "omim.ps"),
            ("CHEBI", "https://purl.obolibrary.org/obo/CHEBI_", "chebi"),
            ("OMIM", "https://omim.org/", "omim"),
            ("HGNC", "http://identifiers.org/hgnc/HGNC:", "hgnc"),
            ("GARD", "http://purl.obolibrary.org/obo/GARD_", "gard"),
            ("agrovoc", "http://aims.fao.org/aos/agrovoc/c_", "agrovoc"),
            ("Orphanet", "http://www.orpha.net/ORDO/Orphanet_", "orpha"),
            ("Orphanet", "http://www.orpha.net/ORDO/", "orpha"),
            (
                "ORDO",
                "http://www.orpha.net/ORDO/Orphanet_",
                "orphanet.ordo",
            ),
            ("refseq", "http://identifiers.org/refseq/", "refseq"),
            (
                "KEGG.COMPOUND",
                "https://www.kegg.jp/entry/",
                "kegg.compound",
            ),
            ("FOO", "http://example.org/foo/", "unknown"),
            ("CHEBI", "http://example.org/chebi/", "another"),
        ] {
            let found = match registry.declared(name, iri) {
                Declared::Prefix(prefix) => &prefix.prefix,
                Declared::Unknown => "unknown",
                Declared::Another => "another",
            };
            assert_eq!(found, means, "{name}: {iri}");
        }
    }

    #[test]
    fn one_prefix_is_the_same_as_another() {
        let registry = embedded();
        let same = registry
            .prefixes()
            .iter()
            .filter_map(|prefix| Some((prefix, registry.same(prefix)?)));
        let same: Vec<_> = same
            .map(|(one, other)| (one.prefix.as_str(), other.prefix.as_str()))
            .collect();
        assert_eq!(same, [("orphanet.ordo", "orpha")]);
    }
}
