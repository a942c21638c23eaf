//! From statements to cliques, bucket by bucket.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, ListBuilder, RecordBatch, StringBuilder};
use biotide_common::nearest::list;
use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::components::Components;
use super::denials::Denials;
use super::logical::CliqueSpec;
use crate::index::Reader;
use crate::index::build::{Member, Members, Nodes, Numbered, place};
use crate::mapping::dictionary::{Class, Vocabulary};
use crate::mapping::predicate::inverse;

/// The names of a clique's members.
#[derive(Debug, Default)]
struct Names {
    /// All of them, one behind the other.
    text: String,
    members: Vec<Name>,
}

/// Where a name is.
#[derive(Debug, Clone, Copy)]
struct Name {
    /// Of its prefix.
    rank: u32,
    start: usize,
    /// Where its local identifier begins.
    local: usize,
    end: usize,
}

impl Names {
    fn clear(&mut self) {
        self.text.clear();
        self.members.clear();
    }

    fn size(&self) -> usize {
        self.text.capacity() + self.members.capacity() * size_of::<Name>()
    }

    fn text(&self, name: &Name) -> &str {
        &self.text[name.start..name.end]
    }

    /// The best first.
    fn sort(&mut self) {
        let text = self.text.as_bytes();
        let key = |name: &Name| (name.rank, &text[name.local..name.end]);
        self.members.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// Bytes of names that are charged for at a time.
const CHARGED: usize = 1 << 20;

/// Cliques, dealt to buckets.
pub(super) struct Cliques {
    nodes: Nodes,
    members: Members,
    /// By the number of a prefix: its place among all, those in `priority` first, others as their identifiers are
    /// ordered.
    ranks: Vec<u32>,
    /// By rank: the prefix.
    ranked: Vec<u16>,
    held: MemoryReservation,
}

impl Cliques {
    /// Finds the cliques of statements.
    pub(super) fn new(
        mut numbered: Numbered,
        spec: &CliqueSpec,
        held: &MemoryReservation,
    ) -> Result<Self> {
        let nodes = numbered.nodes();
        if held.try_grow(Components::size(nodes)).is_err() {
            numbered.make_room()?;
            held.try_grow(Components::size(nodes))?;
        }
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
        let prefixes = &nodes.vocabulary().prefixes;
        let mut ranked: Vec<u16> = (0..=u16::MAX).take(prefixes.len()).collect();
        ranked.sort_unstable_by_key(|&prefix| {
            let name = &prefixes[usize::from(prefix)].name;
            let place = spec.priority.iter().position(|own| own == name);
            (place.unwrap_or(usize::MAX), format!("{name}:"))
        });
        let mut ranks = vec![0; prefixes.len()];
        for (rank, &prefix) in (0..).zip(&ranked) {
            ranks[usize::from(prefix)] = rank;
        }
        Ok(Self {
            nodes,
            members,
            ranks,
            ranked,
            held: held.new_empty(),
        })
    }

    pub(super) fn buckets(&self) -> usize {
        self.members.len()
    }

    /// The rows of a bucket.
    pub(super) fn rows(&self, bucket: usize, batch_size: usize) -> Result<Vec<RecordBatch>> {
        let mut members = self.members.take(bucket)?;
        members.sort_unstable_by_key(|member| (place(member.root()), member.node()));
        let (mut rows, mut batches) = (Rows::default(), Vec::new());
        let (mut reader, mut names) = (Reader::default(), Names::default());
        let held = self.held.new_empty();
        for clique in members.chunk_by(|a, b| a.root() == b.root()) {
            self.name(clique, &mut reader, &mut names, &held)?;
            names.sort();
            let conflicts = self.conflicts(&names.members);
            let best = names.text(&names.members[0]);
            for name in &names.members {
                rows.push(names.text(name), best, names.members.len(), &conflicts);
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

    /// The names of a clique.
    fn name(
        &self,
        clique: &[Member],
        reader: &mut Reader,
        names: &mut Names,
        held: &MemoryReservation,
    ) -> Result<()> {
        names.clear();
        let prefixes = &self.nodes.vocabulary().prefixes;
        for member in clique {
            let (start, prefix) = (names.text.len(), usize::from(member.prefix()));
            self.nodes.write_curie(reader, member, &mut names.text)?;
            names.members.push(Name {
                rank: self.ranks[prefix],
                start,
                local: start + prefixes[prefix].name.len() + 1,
                end: names.text.len(),
            });
            // (A clique may be most of a mapping.)
            if names.size() > held.size() + CHARGED {
                held.try_resize(names.size())?;
            }
        }
        Ok(())
    }

    /// Prefixes of which there are several, of sorted names; in the order of texts.
    fn conflicts(&self, names: &[Name]) -> Vec<&str> {
        let several = names.chunk_by(|a, b| a.rank == b.rank);
        let several = several.filter(|same| same.len() > 1).map(|same| {
            let prefix = self.ranked[same[0].rank as usize];
            self.nodes.vocabulary().prefixes[usize::from(prefix)]
                .name
                .as_str()
        });
        let mut conflicts: Vec<&str> = several.collect();
        conflicts.sort_unstable();
        conflicts
    }
}

/// By the number of a class: whether it makes cliques.
fn chosen(vocabulary: &Vocabulary, spec: &CliqueSpec) -> Vec<bool> {
    let name = |class: &Class| &vocabulary.predicates[class.predicate as usize].name;
    let is_meant = |name: &String| {
        let other = inverse(name);
        let mut own = spec.predicates.iter();
        own.any(|own| own == name || other.is_some_and(|other| own == other))
    };
    let classes = &vocabulary.classes;
    if !classes.is_empty() && !classes.iter().any(|class| is_meant(name(class))) {
        let known = vocabulary
            .predicates
            .iter()
            .map(|known| known.name.as_str());
        log::warn!(
            "clique_assign: no statement has a predicate of {}: there are {}",
            spec.predicates.join(", "),
            list(known)
        );
    }
    let chosen = classes.iter().map(|class| {
        !class.negated && class.confidence() >= spec.min_confidence && is_meant(name(class))
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
