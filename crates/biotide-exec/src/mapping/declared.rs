//! What the prefixes of a source mean that it declares itself: `curie_map` of SSSOM.

use std::collections::BTreeMap;

use biotide_common::identifiers::{Identifiers, Meaning, without_scheme};

/// The prefixes that a source declares, and the IRIs of those that only sources of its mapping know.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    prefixes: BTreeMap<String, Prefix>,
    iris: BTreeMap<String, String>,
}

/// A prefix that a source declares.
#[derive(Debug, Clone)]
pub struct Prefix {
    /// What it stands for.
    pub iri: String,
    /// How it is called where no namespace has it.
    pub name: String,
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
            let meaning = identifiers.declared(&prefix, &iri);
            let own = Prefix {
                name: match meaning {
                    Meaning::Another => another_name(&prefix, &iri),
                    _ => prefix.clone(),
                },
                is_stem: identifiers.is_stem(&iri),
                meaning,
                iri,
            };
            (prefix, own)
        });
        Self {
            prefixes: known.collect(),
            iris: BTreeMap::new(),
        }
    }

    /// With the IRIs of prefixes as all sources of its mapping declare them.
    pub fn with_iris(self, iris: &BTreeMap<String, String>, identifiers: &dyn Identifiers) -> Self {
        let is_own = |prefix: &str| identifiers.namespace(prefix).is_none();
        let own = iris.iter().filter(|(prefix, _)| is_own(prefix));
        let iris = own.map(|(prefix, iri)| (prefix.clone(), iri.clone()));
        Self {
            iris: iris.collect(),
            ..self
        }
    }

    /// With the names that a mapping has for prefixes which no namespace has: those of the same IRIs.
    pub fn named_as(mut self, iris: &BTreeMap<String, String>) -> Self {
        for (prefix, own) in self.own() {
            let mut all = iris.iter();
            let same = all.find(|(_, iri)| without_scheme(iri) == without_scheme(&own.iri));
            if let Some((name, _)) = same {
                own.name.clone_from(name);
            } else if iris.contains_key(prefix) {
                own.name = another_name(prefix, &own.iri);
            }
        }
        self
    }

    /// The namespaces among them, with the IRIs that they have here.
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, &str)> {
        self.prefixes.values().filter_map(|own| match &own.meaning {
            Meaning::Namespace(namespace) => Some((namespace.prefix(), own.iri.as_str())),
            Meaning::Unknown | Meaning::Another => None,
        })
    }

    pub(crate) fn get(&self, prefix: &str) -> Option<&Prefix> {
        self.prefixes.get(prefix)
    }

    /// Those that no namespace has, as they are written.
    pub fn own(&mut self) -> impl Iterator<Item = (&str, &mut Prefix)> {
        let is_own = |own: &Prefix| !matches!(own.meaning, Meaning::Namespace(_));
        let all = self.prefixes.iter_mut().filter(move |(_, own)| is_own(own));
        all.map(|(prefix, own)| (prefix.as_str(), own))
    }

    /// The prefix of the sources that stands for most of an IRI, and how much that is.
    pub(crate) fn of_iri(&self, iri: &str) -> Option<(&str, usize)> {
        let rest = without_scheme(iri);
        let fits = self.iris.iter().filter_map(|(prefix, start)| {
            let local = rest.strip_prefix(without_scheme(start))?;
            (start.contains("://") && !local.is_empty())
                .then_some((iri.len() - local.len(), prefix))
        });
        let (length, prefix) = fits.max()?;
        Some((prefix.as_str(), length))
    }
}

/// The name of what has that of a namespace: with its IRI, which tells it from that.
fn another_name(prefix: &str, iri: &str) -> String {
    let words = without_scheme(iri).split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("{prefix}.{}", words.join("."))
}
