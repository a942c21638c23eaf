//! The names of a clique's members.

use datafusion_common::Result;
use datafusion_execution::memory_pool::MemoryReservation;

use crate::index::Reader;
use crate::index::build::{Member, Nodes};

/// Names, in order: by the rank of their prefix, then as texts.
#[derive(Debug)]
pub(super) struct Names {
    /// All of them, one behind the other.
    text: String,
    names: Vec<Name>,
    reader: Reader,
    held: MemoryReservation,
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

/// Bytes that are charged for at a time.
const CHARGED: usize = 1 << 20;

impl Names {
    /// None, which will be charged for here.
    pub(super) fn new(held: MemoryReservation) -> Self {
        Self {
            text: String::new(),
            names: Vec::new(),
            reader: Reader::default(),
            held,
        }
    }

    /// The names of these members instead. `ranks` are those of prefixes, by their number.
    pub(super) fn fill(&mut self, members: &[Member], nodes: &Nodes, ranks: &[u32]) -> Result<()> {
        self.text.clear();
        self.names.clear();
        let prefixes = &nodes.vocabulary().prefixes;
        for member in members {
            let (start, prefix) = (self.text.len(), usize::from(member.prefix()));
            nodes.write_curie(&mut self.reader, member, &mut self.text)?;
            self.names.push(Name {
                rank: ranks[prefix],
                start,
                local: start + prefixes[prefix].name.len() + 1,
                end: self.text.len(),
            });
            // (An identifier may be very long.)
            if self.size() > self.held.size() + CHARGED {
                self.held.try_resize(self.size())?;
            }
        }
        let text = self.text.as_bytes();
        let key = |name: &Name| (name.rank, &text[name.local..name.end]);
        self.names.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        Ok(())
    }

    fn size(&self) -> usize {
        self.text.capacity() + self.names.capacity() * size_of::<Name>()
    }

    /// Each.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .map(|name| &self.text[name.start..name.end])
    }

    /// The rank of the first one's prefix, its local identifier, and all of it.
    pub(super) fn first(&self) -> Option<(u32, &str, &str)> {
        let name = self.names.first()?;
        Some((
            name.rank,
            &self.text[name.local..name.end],
            &self.text[name.start..name.end],
        ))
    }

    /// The ranks of their prefixes, each with how many have it, in order.
    pub(super) fn ranks(&self) -> impl Iterator<Item = (u32, usize)> {
        let same = self.names.chunk_by(|a, b| a.rank == b.rank);
        same.map(|same| (same[0].rank, same.len()))
    }
}
