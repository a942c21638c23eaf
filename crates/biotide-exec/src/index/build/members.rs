//! Nodes dealt by the component they are of.

use std::sync::Arc;

use datafusion_common::Result;

use super::numbered::Numbered;
use crate::index::Reader;
use crate::index::buckets::{Buckets, Dealer};
use crate::index::lookup::{Arrays, Counts, Index};
use crate::index::pages::{Paged, Pages};
use crate::index::record::Endpoint;
use crate::index::section::{Scratch, Section};
use crate::index::turns::{Turns, for_each};
use crate::mapping::dictionary::Vocabulary;
use crate::mapping::key::Key;

/// A node and the root of its component.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member(Endpoint);

impl Member {
    pub(crate) fn root(&self) -> u32 {
        self.0.at
    }

    pub(crate) fn key(&self) -> Key {
        self.0.key
    }

    pub(crate) fn node(&self) -> u32 {
        self.0.class
    }

    pub(crate) fn prefix(&self) -> u16 {
        self.0.key.prefix()
    }
}

impl crate::index::record::Record for Member {
    const BYTES: usize = Endpoint::BYTES;

    fn put(&self, to: &mut [u8]) {
        self.0.put(to);
    }

    fn get(from: &[u8]) -> Self {
        Self(Endpoint::get(from))
    }
}

/// Members, by the [place](place) of their component.
pub(crate) type Members = Arc<Buckets<Member>>;

/// Where a component stands among others, from 0 to 2^32. Roots are the least nodes of their components, so many more
/// of them are low than high; places are spread evenly, and no two roots have the same.
pub(crate) fn place(root: u32) -> u32 {
    // (An odd number, about 2^32 by the golden ratio: Knuth, The Art of Computer Programming 3, 6.4.)
    root.wrapping_mul(0x9e37_79b1)
}

/// Bytes that a member takes while the rows of a bucket are made: itself twice, its name, its row.
const BYTES: usize = 2 * size_of::<Member>() + 128;

/// Identifiers of nodes.
pub(crate) struct Nodes(Index);

impl Nodes {
    /// How many there are.
    pub(crate) fn len(&self) -> u32 {
        self.0.arrays.bases.last().copied().unwrap_or(0)
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.0.vocabulary
    }

    /// Appends the identifier of a member to a text, as a CURIE.
    pub(crate) fn write_curie(
        &self,
        reader: &mut Reader,
        member: &Member,
        out: &mut String,
    ) -> Result<()> {
        reader.write_key(&self.0, member.node(), member.key(), out)
    }
}

impl Numbered {
    /// Deals nodes by the place of their component.
    pub(crate) fn members(self, root: &(dyn Fn(u32) -> u32 + Sync)) -> Result<(Nodes, Members)> {
        let nodes = self.nodes();
        let shift = self.site.shift(nodes.into(), BYTES).min(31);
        let buckets = u64::from(nodes.saturating_sub(1) >> shift) + 1;
        let members = self.site.buckets::<Member>(buckets as usize);
        let hand = self.site.hand::<Member>(members.len(), self.site.threads);
        let pages = match self.site.file.size() {
            0 => None,
            size => Some(Arc::new(Pages::new(
                Paged::Spilled(Arc::clone(&self.site.file)),
                size,
                &self.site.pool,
            )?)),
        };
        let arrays = Arrays {
            bits: self.bits,
            keys: Section::new(self.keys, pages.clone()),
            bases: self.bases,
            texts: Section::new(self.texts, pages.clone()),
            text: Section::new(self.text, pages.clone()),
            shift: 0,
            offsets: Section::new(Vec::new(), None),
            entries: Section::new(Vec::new(), None),
        };
        let charge = Arc::clone(&self.site.charge);
        let index = Index::new(self.vocabulary, arrays, Counts::default(), pages, charge)?;
        let work = |segment: usize, _: &Turns| {
            let mut dealer = Dealer::new(&members, hand);
            let mut scratch = Scratch::default();
            let (base, n) = (index.arrays.bases[segment], index.arrays.keys.len(segment));
            for start in (0..n).step_by(PIECE) {
                let keys =
                    index
                        .arrays
                        .keys
                        .read(segment, start..(start + PIECE).min(n), &mut scratch)?;
                for (&key, node) in keys.iter().zip(base + start as u32..) {
                    let at = root(node);
                    let member = Member(Endpoint {
                        key,
                        at,
                        class: node,
                    });
                    let bucket = (u64::from(place(at)) * buckets) >> 32;
                    dealer.deal(bucket as usize, member)?;
                }
            }
            dealer.finish()
        };
        let cancelled = || self.site.is_cancelled();
        for_each(
            index.arrays.keys.segments.len(),
            self.site.threads,
            &cancelled,
            &work,
        )?;
        Ok((Nodes(index), members))
    }
}

/// Keys that are read at a time.
const PIECE: usize = 1 << 12;
