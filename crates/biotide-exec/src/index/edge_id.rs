//! Which statement an edge is.

use super::entry::Entry;
use crate::mapping::dictionary::Vocabulary;

/// What a statement says, wherever it is met: two nodes in the order of its canonical predicate, that and the source.
pub(crate) type EdgeId = (u32, u32, u32, u32);

/// Which statement the edge of a node is.
pub(crate) fn edge_id(vocabulary: &Vocabulary, node: u32, entry: Entry) -> EdgeId {
    let class = &vocabulary.classes[entry.class as usize];
    let predicate = &vocabulary.predicates[class.predicate as usize];
    let (subject, object) = match entry.is_reversed() {
        true => (entry.to, node),
        false => (node, entry.to),
    };
    let symmetric = predicate.inverse == Some(class.predicate);
    let (x, y) = match (symmetric, predicate.canonical == class.predicate) {
        (true, _) => (subject.min(object), subject.max(object)),
        (false, true) => (subject, object),
        (false, false) => (object, subject),
    };
    (x, y, predicate.canonical, class.source)
}
