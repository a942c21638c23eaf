//! A result, or a path, written out.

use super::rows::Shown;
use crate::mapping::dictionary::Vocabulary;

/// The predicate of what has taken another one's place.
const REPLACED_BY: &str = "IAO:0100001";

/// A result as it is shown, with what it borrows from. Used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) target: String,
    pub(super) predicate: Option<u32>,
    /// Whether it is what has taken the place of the identifier.
    pub(super) is_successor: bool,
    pub(super) confidence: f64,
    pub(super) hops: usize,
    pub(super) path: Vec<String>,
    pub(super) sources: Vec<String>,
}

impl Written {
    pub(super) fn shown<'a>(&'a self, vocabulary: &'a Vocabulary) -> Shown<'a> {
        let name = |number: u32| vocabulary.predicates[number as usize].name.as_str();
        Shown {
            target: &self.target,
            predicate: match self.is_successor {
                true => Some(REPLACED_BY),
                false => self.predicate.map(name),
            },
            confidence: self.confidence,
            hops: self.hops,
            path: &self.path,
            sources: &self.sources,
        }
    }
}
