//! What statements have in common, numbered: prefixes, predicates, sources, and the statements themselves but for
//! their two identifiers.

use std::collections::BTreeMap;
use std::hash::Hash;

use biotide_common::BiotideError;
use datafusion_common::Result;
use hashbrown::HashMap;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::key;
use super::predicate::{Kind, inverse};

/// The most statements that differ in predicate, confidence or source.
const CLASSES: usize = 1 << 24;

/// The most prefixes and the most predicates or sources.
const NAMES: usize = 1 << 16;

/// Where a statement is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) release: Option<String>,
}

impl Source {
    /// As it is shown: `name`, or `name (release)`.
    pub(crate) fn shown(&self) -> String {
        match &self.release {
            Some(release) => format!("{} ({release})", self.name),
            None => self.name.clone(),
        }
    }
}

/// A predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Predicate {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// That of the same statement read from its object.
    pub(crate) inverse: Option<u32>,
    /// The least of the two: the same however the statement was written.
    pub(crate) canonical: u32,
}

/// What a statement says of its two identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Class {
    pub(crate) predicate: u32,
    pub(crate) source: u32,
    /// That it does not hold.
    pub(crate) negated: bool,
    /// Of an `f64` from 0 to 1: they are ordered as it is.
    confidence: u64,
}

impl Class {
    pub(crate) fn new(predicate: u32, source: u32, negated: bool, confidence: f64) -> Self {
        Self {
            predicate,
            source,
            negated,
            // (-0 is 0.)
            confidence: (confidence + 0.0).to_bits(),
        }
    }

    pub(crate) fn confidence(&self) -> f64 {
        f64::from_bits(self.confidence)
    }

    /// As numbers, for a file.
    pub(crate) fn to_parts(self) -> [u32; 4] {
        let confidence = self.confidence;
        let flags = self.source << 1 | u32::from(self.negated);
        [
            self.predicate,
            flags,
            (confidence >> 32) as u32,
            (confidence & 0xffff_ffff) as u32,
        ]
    }

    pub(crate) fn from_parts([predicate, flags, high, low]: [u32; 4]) -> Self {
        Self {
            predicate,
            source: flags >> 1,
            negated: flags & 1 == 1,
            confidence: u64::from(high) << 32 | u64::from(low),
        }
    }
}

/// Numbers in the order of arrival.
#[derive(Debug)]
struct Interner<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    fn number(&mut self, value: &T, most: usize) -> Option<u32> {
        if let Some(&number) = self.numbers.get(value) {
            return Some(number);
        }
        let number = u32::try_from(self.values.len()).ok()?;
        if self.values.len() >= most {
            return None;
        }
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), number);
        Some(number)
    }
}

/// The numbers while statements come in, from several threads.
#[derive(Debug, Default)]
pub(crate) struct Dictionary(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    prefixes: Interner<String>,
    predicates: Interner<String>,
    sources: Interner<Source>,
    classes: Interner<Class>,
}

fn too_many(what: &str, most: usize, advice: &str) -> BiotideError {
    BiotideError::Option {
        key: "mapping".to_owned(),
        value: format!("more than {most} {what}"),
        problem: format!("do not fit into one mapping: {advice}"),
    }
}

impl Dictionary {
    pub(crate) fn prefix(&self, name: &str) -> Result<u16> {
        if let Some(&number) = self.0.read().prefixes.numbers.get(name) {
            return Ok(number as u16);
        }
        let number = self.0.write().prefixes.number(&name.to_owned(), NAMES);
        let number = number.and_then(|number| u16::try_from(number).ok());
        let refused = || {
            too_many(
                "prefixes",
                NAMES,
                "are these columns of identifiers? Name the namespace of those that have no prefix",
            )
        };
        Ok(number.ok_or_else(refused)?)
    }

    pub(crate) fn predicate(&self, name: &str) -> Result<u32> {
        if let Some(&number) = self.0.read().predicates.numbers.get(name) {
            return Ok(number);
        }
        let number = self.0.write().predicates.number(&name.to_owned(), NAMES);
        let refused = || too_many("predicates", NAMES, "is the column one of predicates?");
        Ok(number.ok_or_else(refused)?)
    }

    pub(crate) fn source(&self, source: &Source) -> Result<u32> {
        if let Some(&number) = self.0.read().sources.numbers.get(source) {
            return Ok(number);
        }
        let number = self.0.write().sources.number(source, NAMES);
        let refused = || {
            let advice = "take a column that names sources, not single statements";
            too_many("sources", NAMES, advice)
        };
        Ok(number.ok_or_else(refused)?)
    }

    pub(crate) fn class(&self, class: Class) -> Result<u32> {
        if let Some(&number) = self.0.read().classes.numbers.get(&class) {
            return Ok(number);
        }
        let number = self.0.write().classes.number(&class, CLASSES);
        let refused = || too_many("different confidences", CLASSES, "round them");
        Ok(number.ok_or_else(refused)?)
    }

    /// The final numbers: in the order of names, whatever the order of arrival was.
    pub(crate) fn finish(&self) -> (Vocabulary, Renumbering) {
        let inner = std::mem::take(&mut *self.0.write());
        let (prefixes, new_prefix) = sorted(&inner.prefixes.values);
        let (sources, new_source) = sorted(&inner.sources.values);
        // A statement read from its object may have a predicate that nobody has written; and a chain may.
        let general = inner
            .predicates
            .values
            .iter()
            .filter_map(|name| Kind::of(name).general());
        let inverses = inner
            .predicates
            .values
            .iter()
            .filter_map(|name| inverse(name));
        let mut names: Vec<String> = inner.predicates.values.clone();
        names.extend(general.chain(inverses).map(str::to_owned));
        let twice: Vec<String> = names
            .iter()
            .filter_map(|name| inverse(name))
            .map(str::to_owned)
            .collect();
        names.extend(twice);
        names.sort_unstable();
        names.dedup();
        let number = |name: &String| {
            names
                .binary_search(name)
                .ok()
                .and_then(|n| u32::try_from(n).ok())
        };
        let new_predicate: Vec<u32> = inner
            .predicates
            .values
            .iter()
            .map(|name| number(name).unwrap_or(0))
            .collect();
        let predicates = Vocabulary::with_predicates(names);
        let classes: Vec<Class> = inner
            .classes
            .values
            .iter()
            .map(|class| Class {
                predicate: new_predicate[class.predicate as usize],
                source: new_source[class.source as usize],
                ..*class
            })
            .collect();
        let (classes, new_class) = sorted(&classes);
        let prefixes = prefixes.into_iter().map(Prefix::new).collect();
        let vocabulary = Vocabulary {
            prefixes,
            predicates,
            sources,
            classes,
        };
        let renumbering = Renumbering {
            prefixes: new_prefix.into_iter().map(|number| number as u16).collect(),
            classes: new_class,
        };
        (vocabulary, renumbering)
    }
}

/// The values in order, and the new number of each.
fn sorted<T: Clone + Ord>(values: &[T]) -> (Vec<T>, Vec<u32>) {
    let mut order: Vec<u32> = (0u32..).take(values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a as usize].cmp(&values[b as usize]));
    let mut new = vec![0; values.len()];
    for (number, &old) in (0u32..).zip(&order) {
        new[old as usize] = number;
    }
    let values = order
        .iter()
        .map(|&old| values[old as usize].clone())
        .collect();
    (values, new)
}

/// Final numbers by those of arrival.
#[derive(Debug)]
pub(crate) struct Renumbering {
    pub(crate) prefixes: Vec<u16>,
    pub(crate) classes: Vec<u32>,
}

/// A prefix and the seed of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) name: String,
    pub(crate) seed: u64,
}

impl Prefix {
    pub(crate) fn new(name: String) -> Self {
        let seed = key::seed(&name);
        Self { name, seed }
    }
}

/// What the numbers of an index mean.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    pub(crate) prefixes: Vec<Prefix>,
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) sources: Vec<Source>,
    pub(crate) classes: Vec<Class>,
}

impl Vocabulary {
    /// The number of a prefix in its canonical form.
    pub(crate) fn prefix(&self, name: &str) -> Option<u16> {
        let found = self
            .prefixes
            .binary_search_by(|prefix| prefix.name.as_str().cmp(name));
        found.ok().and_then(|number| u16::try_from(number).ok())
    }

    /// The number of a predicate.
    pub(crate) fn predicate(&self, name: &str) -> Option<u32> {
        let found = self
            .predicates
            .binary_search_by(|predicate| predicate.name.as_str().cmp(name));
        found.ok().and_then(|number| u32::try_from(number).ok())
    }

    /// Predicates by their names, with their kinds and inverses.
    pub(crate) fn with_predicates(names: Vec<String>) -> Vec<Predicate> {
        let numbers: BTreeMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
        let predicates = names.iter().zip(0u32..).map(|(name, own)| {
            let inverse = inverse(name).and_then(|inverse| numbers.get(inverse).copied());
            Predicate {
                kind: Kind::of(name),
                canonical: inverse.map_or(own, |inverse| inverse.min(own)),
                inverse,
                name: name.clone(),
            }
        });
        predicates.collect()
    }

    /// About how many bytes it holds.
    pub(crate) fn size(&self) -> usize {
        self.classes.len() * size_of::<Class>() + 128 * (self.prefixes.len() + self.sources.len())
    }
}
