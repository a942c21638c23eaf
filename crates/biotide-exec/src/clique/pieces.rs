//! The members of a clique, of which memory may not hold all.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion_common::Result;

use crate::index::buckets::Dealer;
use crate::index::build::{Member, Members, place};

/// Members that are looked at together.
pub(super) const PIECE: usize = 1 << 14;

/// Members of a hand of a giant's.
const HAND: usize = 64;

/// Who takes pieces, until it says [`Break`](ControlFlow::Break).
pub(super) type Take<'a> = &'a mut dyn FnMut(&[Member]) -> Result<ControlFlow<()>>;

/// The members of a clique.
pub(super) trait Pieces {
    /// How many there are.
    fn size(&self) -> usize;

    /// Hands them over in the order of their nodes, [`PIECE`] at a time; for the last time or not.
    fn each(&self, is_last: bool, take: Take<'_>) -> Result<ControlFlow<()>>;
}

impl Pieces for &[Member] {
    fn size(&self) -> usize {
        self.len()
    }

    fn each(&self, _: bool, take: Take<'_>) -> Result<ControlFlow<()>> {
        for piece in self.chunks(PIECE) {
            if take(piece)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// A clique that makes its bucket larger than memory was planned for.
#[derive(Debug)]
pub(super) struct Giant {
    pub(super) root: u32,
    size: usize,
    /// By their nodes.
    parts: Members,
}

impl Pieces for Giant {
    fn size(&self) -> usize {
        self.size
    }

    fn each(&self, is_last: bool, take: Take<'_>) -> Result<ControlFlow<()>> {
        let mut piece: Vec<Member> = Vec::with_capacity(PIECE);
        for part in 0..self.parts.len() {
            let mut members = match is_last {
                true => self.parts.take(part)?,
                false => self.parts.read(part)?,
            };
            members.sort_unstable_by_key(Member::node);
            let mut rest = &members[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(PIECE - piece.len()));
                piece.extend_from_slice(now);
                rest = later;
                if piece.len() == PIECE {
                    if take(&piece)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    piece.clear();
                }
            }
            self.parts.release(members);
        }
        match piece.is_empty() {
            true => Ok(ControlFlow::Continue(())),
            false => take(&piece),
        }
    }
}

/// Takes the members of a bucket, those of its giants apart, which are in the order of their [places](place). There are
/// so many nodes in all.
pub(super) fn take(
    members: &Members,
    bucket: usize,
    nodes: u32,
) -> Result<(Vec<Member>, Vec<Giant>)> {
    let most = members.planned();
    if members.records(bucket) <= most {
        return Ok((members.take(bucket)?, Vec::new()));
    }
    let mut sizes: HashMap<u32, usize> = HashMap::new();
    members.look(bucket, &mut |some| {
        for member in some {
            *sizes.entry(member.root()).or_default() += 1;
        }
    })?;
    let (mut dealers, mut rest) = (HashMap::new(), 0);
    for (root, size) in sizes {
        match size > PIECE {
            true => {
                let parts = Arc::new(members.like(size / most.max(1) * 2 + 1));
                dealers.insert(root, (size, Dealer::new(&parts, HAND), parts));
            }
            false => rest += size,
        }
    }
    let mut others = members.room(rest)?;
    members.drain(bucket, &mut |some| {
        for &member in some {
            match dealers.get_mut(&member.root()) {
                Some((_, dealer, parts)) => {
                    let part = u64::from(member.node()) * parts.len() as u64 / u64::from(nodes);
                    dealer.deal(part as usize, member)?;
                }
                None => others.push(member),
            }
        }
        Ok(())
    })?;
    let giants = dealers.into_iter().map(|(root, (size, dealer, parts))| {
        dealer.finish()?;
        Ok(Giant { root, size, parts })
    });
    let mut giants: Vec<Giant> = giants.collect::<Result<_>>()?;
    giants.sort_unstable_by_key(|giant| place(giant.root));
    Ok((others, giants))
}
