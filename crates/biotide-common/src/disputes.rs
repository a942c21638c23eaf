//! Prefixes that the sources of a table do not mean the same by, as the metadata of its schema tells.

use std::collections::HashMap;

use crate::identifiers::{Identifiers, Meaning, bare_iri};
use crate::sssom::DISPUTED;
use crate::yaml::Node;

/// A source, and the IRI that a prefix stands for in it; an empty one: it does not say.
pub type Side = (String, String);

/// Two sources that do not mean the same by a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The prefix.
    pub prefix: String,
    /// The source that was there first. It declares the prefix.
    pub one: Side,
    /// The other one.
    pub other: Side,
}

impl Dispute {
    /// Those that the metadata of a schema tells of.
    pub fn all(metadata: &HashMap<String, String>) -> Vec<Self> {
        let text = metadata.get(DISPUTED);
        let Some(Node::List(all)) = text.and_then(|text| Node::from_json(text)) else {
            return Vec::new();
        };
        let dispute = |node: &Node| {
            let Node::List(said) = node else { return None };
            let said: Vec<&str> = said.iter().filter_map(Node::text).collect();
            let [prefix, one, iri, other, another] = *said.as_slice() else {
                return None;
            };
            let side = |source: &str, iri: &str| (source.to_owned(), iri.to_owned());
            Some(Self {
                prefix: prefix.to_owned(),
                one: side(one, iri),
                other: side(other, another),
            })
        };
        all.iter().filter_map(dispute).collect()
    }

    /// As the metadata of a schema has them.
    pub fn to_json(disputes: &[Self]) -> String {
        let node = |dispute: &Self| {
            let Self { prefix, one, other } = dispute;
            let said = [prefix, &one.0, &one.1, &other.0, &other.1];
            Node::List(said.map(|text| Node::Scalar(text.clone())).to_vec())
        };
        Node::List(disputes.iter().map(node).collect()).to_json()
    }

    /// Whether both sources declare the prefix.
    pub fn is_declared(&self) -> bool {
        !self.other.1.is_empty()
    }

    /// Whether they say the same with other words.
    pub fn is_spelling(&self, identifiers: &dyn Identifiers) -> bool {
        self.is_declared() && is_same(identifiers, &self.prefix, &self.one.1, &self.other.1)
    }

    /// What they say.
    pub fn words(&self) -> String {
        let Self { prefix, one, other } = self;
        let words = format!(
            "the curie_map of {} says that {prefix} stands for {}",
            one.0, one.1
        );
        match self.is_declared() {
            true => format!("{words}, and that of {} says {}", other.0, other.1),
            false => format!("{words}, which it does not in {}", other.0),
        }
    }
}

/// Whether a prefix means the same with either IRI.
pub fn is_same(identifiers: &dyn Identifiers, prefix: &str, one: &str, other: &str) -> bool {
    if bare_iri(one) == bare_iri(other) {
        return true;
    }
    let means = |iri| match identifiers.declared(prefix, iri) {
        Meaning::Namespace(namespace) => Some(namespace.prefix().to_owned()),
        Meaning::Unknown | Meaning::Another => None,
    };
    means(one).is_some_and(|prefix| means(other) == Some(prefix))
}
