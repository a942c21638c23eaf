//! What the prefixes of a source mean that it declares itself: `curie_map` of SSSOM.

use std::collections::BTreeMap;

use biotide_common::identifiers::{Identifiers, Meaning};

/// The prefixes that a source declares.
#[derive(Debug, Clone, Default)]
pub struct Declared(BTreeMap<String, Prefix>);

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Prefix {
    pub(crate) iri: String,
    pub(crate) meaning: Meaning,
    /// Whether some of its identifiers may be of other namespaces: `obo:CHEBI_15377`.
    pub(crate) is_stem: bool,
}

impl Declared {
    /// Of prefixes with their IRIs.
    pub fn new(
        prefixes: impl IntoIterator<Item = (String, String)>,
        identifiers: &dyn Identifiers,
    ) -> Self {
        let known = prefixes.into_iter().map(|(prefix, iri)| {
            let own = Prefix {
                meaning: identifiers.declared(&prefix, &iri),
                is_stem: identifiers.is_stem(&iri),
                iri,
            };
            (prefix, own)
        });
        Self(known.collect())
    }

    pub(crate) fn get(&self, prefix: &str) -> Option<&Prefix> {
        self.0.get(prefix)
    }

    /// Those that keep their names, as nothing is known of them, with their IRIs.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_unknown = |own: &Prefix| matches!(own.meaning, Meaning::Unknown);
        let all = self.0.iter().filter(move |(_, own)| is_unknown(own));
        all.map(|(prefix, own)| (prefix.as_str(), own.iri.as_str()))
    }

    /// How identifiers are to be written whose namespace the registry does not have: prefixes with their IRIs. One with
    /// the very name of a namespace is written in capitals.
    pub fn written(&self, identifiers: &dyn Identifiers) -> BTreeMap<String, String> {
        let others = self
            .0
            .iter()
            .filter(|(_, own)| matches!(own.meaning, Meaning::Another));
        let others = others.map(|(prefix, own)| {
            let namespace = identifiers.namespace(prefix);
            let is_name = namespace.is_some_and(|namespace| namespace.prefix() == prefix);
            let written = if is_name {
                prefix.to_uppercase()
            } else {
                prefix.clone()
            };
            (written, own.iri.clone())
        });
        let unknown = self
            .unknown()
            .map(|(prefix, iri)| (prefix.to_owned(), iri.to_owned()));
        unknown.chain(others).collect()
    }
}
