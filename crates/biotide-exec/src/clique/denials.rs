//! What is denied of pairs.

use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;
use parking_lot::Mutex;

use crate::index::build::{Numbered, Statement};
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::predicate::Kind;

/// What a statement says, read from the lesser of its nodes: the pair, the kind, and of what is of no kind, and has no
/// inverse, the predicate and whether it goes the other way.
type Said = ((u32, u32), Kind, (u32, bool));

fn said(vocabulary: &Vocabulary, statement: &Statement) -> Said {
    let class = &vocabulary.classes[statement.class as usize];
    let kind = vocabulary.predicates[class.predicate as usize].kind;
    let (a, b) = (statement.subject, statement.object);
    let is_turned = a > b;
    let (read, other) = match (kind, is_turned) {
        (Kind::Other, _) => (kind, (class.predicate, is_turned)),
        (_, false) => (kind, (0, false)),
        (_, true) => (kind.inverse().unwrap_or(kind), (0, false)),
    };
    ((a.min(b), a.max(b)), read, other)
}

/// What is denied, in order.
#[derive(Debug)]
pub(super) struct Denials(Vec<Said>);

impl Denials {
    /// Those among statements, charged for here.
    pub(super) fn new(numbered: &Numbered, held: &MemoryReservation) -> Result<Self> {
        let vocabulary = &numbered.vocabulary;
        let all = Mutex::new(Vec::new());
        if vocabulary.classes.iter().any(|class| class.negated) {
            numbered.peek(&|statements| {
                let denied = |class: u32| vocabulary.classes[class as usize].negated;
                let own = statements.iter().filter(|own| denied(own.class));
                let mut all = all.lock();
                let before = all.capacity();
                all.extend(own.map(|own| said(vocabulary, own)));
                held.try_grow((all.capacity() - before) * size_of::<Said>())
            })?;
        }
        let mut all = all.into_inner();
        all.sort_unstable();
        all.dedup();
        Ok(Self(all))
    }

    /// Whether they deny a statement.
    pub(super) fn deny(&self, vocabulary: &Vocabulary, statement: &Statement) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let (pair, kind, other) = said(vocabulary, statement);
        let from = self.0.partition_point(|(denied, ..)| *denied < pair);
        let own = self.0[from..].iter().take_while(|(of, ..)| *of == pair);
        own.into_iter()
            .any(|(_, denied, which)| denied.denies(kind) && *which == other)
    }
}
