//! From statements to cliques, bucket by bucket.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, ListBuilder, RecordBatch, StringBuilder};
use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::components::Components;
use super::denials::Denials;
use super::logical::CliqueSpec;
use crate::index::Reader;
use crate::index::build::{Members, Nodes, Numbered};
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::predicate::inverse;

/// A member: the rank of its prefix, its identifier, the prefix.
type Name = (usize, String, u16);

/// Bytes of names that are charged for at a time.
const CHARGED: usize = 1 << 20;

/// Cliques, dealt to buckets.
pub(super) struct Cliques {
    nodes: Nodes,
    members: Members,
    /// By the number of a prefix: its place in `priority`.
    ranks: Vec<usize>,
    held: MemoryReservation,
}

impl Cliques {
    /// Finds the cliques of statements.
    pub(super) fn new(
        numbered: Numbered,
        spec: &CliqueSpec,
        held: &MemoryReservation,
    ) -> Result<Self> {
        let nodes = numbered.nodes();
        held.try_grow(Components::size(nodes))?;
        let components = Components::new(nodes);
        let chosen = chosen(&numbered.vocabulary, spec);
        let denials = Denials::new(&numbered)?;
        numbered.for_each(&|statements| {
            for statement in statements {
                let (a, b) = (statement.subject, statement.object);
                if chosen[statement.class as usize]
                    && a != b
                    && !denials.deny(&numbered.vocabulary, statement)
                {
                    components.join(a, b);
                }
            }
            Ok(())
        })?;
        let (nodes, members) = numbered.members(&|node| components.root(node))?;
        drop((components, denials));
        held.free();
        let rank = |name: &String| {
            let place = spec.priority.iter().position(|own| own == name);
            place.unwrap_or(usize::MAX)
        };
        let ranks = nodes
            .vocabulary()
            .prefixes
            .iter()
            .map(|prefix| rank(&prefix.name))
            .collect();
        Ok(Self {
            nodes,
            members,
            ranks,
            held: held.new_empty(),
        })
    }

    pub(super) fn buckets(&self) -> usize {
        self.members.len()
    }

    /// The rows of a bucket.
    pub(super) fn rows(&self, bucket: usize, batch_size: usize) -> Result<Vec<RecordBatch>> {
        let mut members = self.members.take(bucket)?;
        members.sort_unstable_by_key(|member| (member.root(), member.node()));
        let mut rows = Rows::default();
        let (mut batches, mut reader, mut names) =
            (Vec::new(), Reader::default(), Vec::<Name>::new());
        let held = self.held.new_empty();
        for clique in members.chunk_by(|a, b| a.root() == b.root()) {
            names.clear();
            let mut bytes = 0;
            for member in clique {
                let mut name = String::new();
                self.nodes.write_curie(&mut reader, member, &mut name)?;
                let prefix = member.prefix();
                bytes += name.capacity() + size_of::<Name>();
                names.push((self.ranks[usize::from(prefix)], name, prefix));
                // (A clique may be most of a mapping.)
                if bytes > held.size() + CHARGED {
                    held.try_resize(bytes)?;
                }
            }
            names.sort_unstable();
            let mut prefixes: Vec<u16> = names.iter().map(|(_, _, prefix)| *prefix).collect();
            prefixes.sort_unstable();
            let mut conflicts: Vec<&str> = prefixes
                .chunk_by(|a, b| a == b)
                .filter(|same| same.len() > 1)
                .map(|same| {
                    self.nodes.vocabulary().prefixes[usize::from(same[0])]
                        .name
                        .as_str()
                })
                .collect();
            conflicts.sort_unstable();
            for (_, name, _) in &names {
                rows.push(name, &names[0].1, names.len(), &conflicts);
                if rows.len == batch_size {
                    batches.push(rows.finish()?);
                }
            }
        }
        if rows.len > 0 {
            batches.push(rows.finish()?);
        }
        self.members.release(members);
        Ok(batches)
    }
}

/// By the number of a class: whether it makes cliques.
fn chosen(vocabulary: &Vocabulary, spec: &CliqueSpec) -> Vec<bool> {
    let classes = vocabulary.classes.iter();
    let chosen = classes.map(|class| {
        let name = &vocabulary.predicates[class.predicate as usize].name;
        !class.negated
            && class.confidence() >= spec.min_confidence
            && (spec.predicates.contains(name)
                || inverse(name)
                    .is_some_and(|other| spec.predicates.iter().any(|own| own == other)))
    });
    chosen.collect()
}

/// Rows, as they come.
#[derive(Debug)]
struct Rows {
    id: StringBuilder,
    clique: StringBuilder,
    size: Int64Builder,
    conflicts: ListBuilder<StringBuilder>,
    len: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            id: StringBuilder::new(),
            clique: StringBuilder::new(),
            size: Int64Builder::new(),
            conflicts: ListBuilder::new(StringBuilder::new()),
            len: 0,
        }
    }
}

impl Rows {
    fn push(&mut self, id: &str, clique: &str, size: usize, conflicts: &[&str]) {
        self.id.append_value(id);
        self.clique.append_value(clique);
        self.size.append_value(size as i64);
        for conflict in conflicts {
            self.conflicts.values().append_value(conflict);
        }
        self.conflicts.append(!conflicts.is_empty());
        self.len += 1;
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        self.len = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.clique.finish()),
            Arc::new(self.size.finish()),
            Arc::new(self.conflicts.finish()),
        ];
        Ok(RecordBatch::try_new(CliqueSpec::schema(), columns)?)
    }
}
