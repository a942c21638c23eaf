//! What is asked of a cross-reference.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use biotide_common::identifiers::Identifiers;

use crate::catalog::Mapping;
use crate::mapping::declared::Declared;
use crate::walk::WalkOptions;

/// What becomes of an identifier with several results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Policy {
    /// A row for each.
    #[default]
    Explode,
    /// A row with all of them in a list.
    List,
    /// The first, in the order of `priority`, then of the results.
    First,
    /// An error, if several are of one namespace.
    Error,
    /// Those of a namespace that has several are left out.
    Drop,
}

impl Policy {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 5] = [
        ("explode", Self::Explode),
        ("list", Self::List),
        ("first", Self::First),
        ("error", Self::Error),
        ("drop", Self::Drop),
    ];

    /// That of a name.
    pub fn of(name: &str) -> Option<Self> {
        let found = Self::ALL
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, policy)| *policy)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, policy)| *policy == self)
            .map_or("", |(name, _)| name)
    }
}

/// What a filter above wants of results. Others need not be written out, nor rows without one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// Results below this are not wanted.
    pub min_confidence: f64,
    /// Results of other prefixes are not wanted.
    pub prefix: Option<String>,
}

/// What is asked of a cross-reference.
#[derive(Debug, Clone)]
pub struct XrefSpec {
    /// What to walk in.
    pub mapping: Arc<Mapping>,
    /// How far.
    pub walk: WalkOptions,
    /// What becomes of an identifier with several results.
    pub policy: Policy,
    /// Prefixes in canonical form, the best first.
    pub priority: Vec<String>,
    /// The namespace of identifiers that have no prefix.
    pub namespace: Option<String>,
    /// Whether rows without a result stay.
    pub keep_unmapped: bool,
    /// Whether retired identifiers are brought forward.
    pub retired: bool,
    /// What a filter above wants, of rows with one result each.
    pub wanted: Option<Wanted>,
    /// What is known of identifiers.
    pub identifiers: Arc<dyn Identifiers>,
    /// What the set says of its prefixes that the identifiers are from.
    pub declared: Option<Arc<Declared>>,
}

impl XrefSpec {
    fn key(&self) -> (usize, String) {
        let mapping = Arc::as_ptr(&self.mapping) as usize;
        let Self {
            walk,
            policy,
            priority,
            namespace,
            keep_unmapped,
            retired,
            wanted,
            declared,
            ..
        } = self;
        let declared = declared.as_ref().map(|own| Arc::as_ptr(own) as usize);
        (
            mapping,
            format!(
                "{walk:?} {policy:?} {priority:?} {namespace:?} {keep_unmapped} {retired} {wanted:?} {declared:?}"
            ),
        )
    }

    /// For `EXPLAIN`.
    pub(crate) fn shown(&self) -> String {
        let defaults = WalkOptions::default();
        let mut text = format!(
            "mapping={}, max_hops={}",
            self.mapping.name(),
            self.walk.max_hops
        );
        let mut add = |key: &str, value: String| {
            text.push_str(", ");
            text.push_str(key);
            text.push('=');
            text.push_str(&value);
        };
        if !self.walk.targets.is_empty() {
            add("targets", format!("[{}]", self.walk.targets.join(", ")));
        }
        if self.walk.min_confidence != defaults.min_confidence {
            add("min_confidence", self.walk.min_confidence.to_string());
        }
        if self.walk.undirected {
            add("mode", "undirected".to_owned());
        }
        if self.policy != Policy::default() {
            add("policy", self.policy.name().to_owned());
        }
        if let Some(wanted) = &self.wanted {
            if wanted.min_confidence > 0.0 {
                add("wanted_confidence", wanted.min_confidence.to_string());
            }
            if let Some(prefix) = &wanted.prefix {
                add("wanted_prefix", prefix.clone());
            }
        }
        if let Some(namespace) = &self.namespace {
            add("namespace", namespace.clone());
        }
        text
    }
}

impl PartialEq for XrefSpec {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for XrefSpec {}

impl PartialOrd for XrefSpec {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.key().cmp(&other.key()))
    }
}

impl Hash for XrefSpec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
