//! From statements to cliques, bucket by bucket.

use std::ops::ControlFlow;

use biotide_common::nearest::list;
use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use super::components::Components;
use super::denials::Denials;
use super::logical::CliqueSpec;
use super::names::Names;
use super::pieces::{self, PIECE, Pieces};
use super::rows::{Clique, Out, Rows};
use crate::index::build::{Members, Nodes, Numbered, place};
use crate::mapping::dictionary::{Class, Vocabulary};
use crate::mapping::predicate::inverse;

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
        let denials = Denials::new(&numbered, held)?;
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
    ///
    /// Of a clique the members stand in the order of their names; of a large one each piece does, since memory may not
    /// hold all their names.
    pub(super) fn rows(&self, bucket: usize, batch_size: usize, out: Out<'_>) -> Result<()> {
        let (mut members, giants) = pieces::take(&self.members, bucket, self.nodes.len())?;
        members.sort_unstable_by_key(|member| (place(member.root()), member.node()));
        let mut rows = Rows::new(batch_size, out);
        let mut names = Names::new(self.held.new_empty());
        let mut giants = giants.into_iter().peekable();
        for clique in members.chunk_by(|a, b| a.root() == b.root()) {
            let here = place(clique[0].root());
            while let Some(giant) = giants.next_if(|giant| place(giant.root) < here) {
                if self.clique(&giant, &mut names, &mut rows)?.is_break() {
                    return Ok(());
                }
            }
            if self.clique(&clique, &mut names, &mut rows)?.is_break() {
                return Ok(());
            }
        }
        for giant in giants {
            if self.clique(&giant, &mut names, &mut rows)?.is_break() {
                return Ok(());
            }
        }
        // (Nothing comes after these.)
        let _ = rows.flush()?;
        self.members.release(members);
        Ok(())
    }

    fn clique(
        &self,
        members: &dyn Pieces,
        names: &mut Names,
        rows: &mut Rows<'_>,
    ) -> Result<ControlFlow<()>> {
        let mut best: Option<(u32, String, String)> = None;
        let mut ranks: Vec<(u32, usize)> = Vec::new();
        let _ = members.each(false, &mut |piece| {
            names.fill(piece, &self.nodes, &self.ranks)?;
            if let Some((rank, local, name)) = names.first()
                && best
                    .as_ref()
                    .is_none_or(|(best, own, _)| (rank, local) < (*best, own))
            {
                best = Some((rank, local.to_owned(), name.to_owned()));
            }
            for (rank, n) in names.ranks() {
                match ranks.binary_search_by_key(&rank, |(rank, _)| *rank) {
                    Ok(at) => ranks[at].1 += n,
                    Err(at) => ranks.insert(at, (rank, n)),
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let (_, _, name) = best.unwrap_or_default();
        let clique = Clique {
            name: &name,
            size: members.size(),
            conflicts: self.conflicts(&ranks),
        };
        if members.size() <= PIECE {
            return rows.push_all(names, &clique);
        }
        members.each(true, &mut |piece| {
            names.fill(piece, &self.nodes, &self.ranks)?;
            rows.push_all(names, &clique)
        })
    }

    /// Prefixes of which there are several, in the order of texts.
    fn conflicts(&self, ranks: &[(u32, usize)]) -> Vec<&str> {
        let prefixes = &self.nodes.vocabulary().prefixes;
        let several = ranks.iter().filter(|(_, n)| *n > 1);
        let several = several.map(|(rank, _)| usize::from(self.ranked[*rank as usize]));
        let mut conflicts: Vec<&str> = several
            .map(|prefix| prefixes[prefix].name.as_str())
            .collect();
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
