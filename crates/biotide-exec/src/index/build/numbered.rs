//! Identifiers with numbers, and statements about numbers.

use std::sync::Arc;

use datafusion_common::{Result, exec_err, internal_err};
use parking_lot::Mutex;

use super::{Ingest, Site};
use crate::index::buckets::{Buckets, Dealer};
use crate::index::record::{End, Endpoint, Record};
use crate::index::section::{SectionBuilder, Segment, spill};
use crate::index::turns::{Turns, for_each};
use crate::mapping::dictionary::{Renumbering, Vocabulary};
use crate::mapping::key::Key;

/// A statement about two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) subject: u32,
    pub(crate) object: u32,
    pub(crate) class: u32,
    /// The prefixes of the two.
    pub(crate) prefixes: (u32, u32),
}

/// Identifiers with numbers, and statements that wait for theirs.
pub(crate) struct Numbered {
    pub(crate) site: Site,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) bits: u32,
    pub(crate) keys: Vec<Segment<Key>>,
    pub(crate) bases: Vec<u32>,
    pub(crate) texts: Vec<Segment<[u32; 2]>>,
    pub(crate) text: Vec<Segment<u8>>,
    pub(crate) statements: u64,
    pub(crate) rejected: u64,
    pub(crate) skipped: u64,
    ends: Arc<Buckets<End>>,
    /// Statements of a bucket: 2^shift.
    shift: u32,
}

/// Sections of identifiers, as they come.
struct Sections {
    keys: SectionBuilder<Key>,
    bases: Vec<u32>,
    texts: SectionBuilder<[u32; 2]>,
    text: SectionBuilder<u8>,
}

/// Texts that keys do not hold, of a bucket.
type Texts<'a> = Vec<(Key, &'a [u8])>;

impl Numbered {
    /// Numbers the identifiers of what was taken in.
    pub(crate) fn new(ingest: Ingest) -> Result<Self> {
        let (vocabulary, renumbering) = ingest.dictionary.finish();
        ingest.release_classes();
        let site = &ingest.site;
        let statements = ingest.statements();
        let shift = site.shift(statements, 2 * size_of::<End>());
        let ends = site.buckets::<End>(((statements >> shift) + 1) as usize);
        let sections = Mutex::new(Sections {
            keys: SectionBuilder::new(&site.charge, &site.file),
            bases: vec![0],
            texts: SectionBuilder::new(&site.charge, &site.file),
            text: SectionBuilder::new(&site.charge, &site.file),
        });
        let hand = site.hand::<End>(ends.len(), site.threads);
        let work = |bucket: usize, turns: &Turns| {
            let mut endpoints = ingest.endpoints.take(bucket)?;
            for endpoint in &mut endpoints {
                let prefix = renumbering.prefixes[usize::from(endpoint.key.prefix())];
                endpoint.key = endpoint.key.with_prefix(prefix);
            }
            let place = |endpoint: &Endpoint| endpoint.key.hi << ingest.bits;
            ingest
                .endpoints
                .sort(&mut endpoints, place, |endpoint| endpoint.key)?;
            let keys = distinct(&endpoints);
            let bytes = ingest.texts.take(bucket)?;
            let (texts, text) = texts(&bytes, &keys, &renumbering)?;
            ingest.texts.release(bytes);
            let n = keys.len();
            let base = turns.in_turn(bucket, || {
                let mut sections = sections.lock();
                sections.keys.push(keys)?;
                sections.texts.push(texts)?;
                sections.text.push(text)?;
                let base = sections.bases.last().copied().unwrap_or(0);
                match base.checked_add(u32::try_from(n).unwrap_or(u32::MAX)) {
                    Some(next) => sections.bases.push(next),
                    None => return exec_err!("a mapping has at most 2^32 identifiers"),
                }
                Ok(base)
            })?;
            let mut dealer = Dealer::new(&ends, hand);
            deal(&endpoints, base, shift, &renumbering, &mut dealer)?;
            dealer.finish()?;
            ingest.endpoints.release(endpoints);
            Ok(())
        };
        let cancelled = || site.is_cancelled();
        for_each(ingest.endpoints.len(), site.threads, &cancelled, &work)?;
        let sections = sections.into_inner();
        Ok(Self {
            vocabulary,
            bits: ingest.bits,
            keys: sections.keys.finish(),
            bases: sections.bases,
            texts: sections.texts.finish(),
            text: sections.text.finish(),
            statements,
            rejected: ingest.rejected.into_inner(),
            skipped: ingest.skipped.into_inner(),
            ends,
            shift,
            site: ingest.site,
        })
    }

    /// Identifiers.
    pub(crate) fn nodes(&self) -> u32 {
        self.bases.last().copied().unwrap_or(0)
    }

    /// Writes what is in memory to disk, for who needs the memory now.
    pub(crate) fn make_room(&mut self) -> Result<()> {
        let Site { charge, file, .. } = &self.site;
        spill(&mut self.keys, charge, file)?;
        spill(&mut self.texts, charge, file)?;
        spill(&mut self.text, charge, file)?;
        self.ends.make_room()
    }

    /// Hands the statements to `take`, by several threads, in pieces in no particular order. Once only.
    pub(crate) fn for_each(
        &self,
        take: &(dyn Fn(&[Statement]) -> Result<()> + Sync),
    ) -> Result<()> {
        self.statements(&|bucket| self.ends.take(bucket), take)
    }

    /// The same, but they can be had again.
    pub(crate) fn peek(&self, take: &(dyn Fn(&[Statement]) -> Result<()> + Sync)) -> Result<()> {
        self.statements(&|bucket| self.ends.read(bucket), take)
    }

    fn statements(
        &self,
        ends: &(dyn Fn(usize) -> Result<Vec<End>> + Sync),
        take: &(dyn Fn(&[Statement]) -> Result<()> + Sync),
    ) -> Result<()> {
        let work = |bucket: usize, _: &Turns| {
            let ends = ends(bucket)?;
            let mut statements = vec![
                Statement {
                    subject: 0,
                    object: 0,
                    class: 0,
                    prefixes: (0, 0)
                };
                ends.len() / 2
            ];
            let bytes = statements.len() * size_of::<Statement>();
            self.ends.grow(bytes)?;
            let mask = (1 << self.shift) - 1;
            for &[at, node, class, prefix] in &ends {
                let Some(statement) = statements.get_mut((at >> 1 & mask) as usize) else {
                    return internal_err!("a statement lacks an end");
                };
                match at & 1 {
                    0 => {
                        (statement.subject, statement.class) = (node, class);
                        statement.prefixes.0 = prefix;
                    }
                    _ => {
                        statement.object = node;
                        statement.prefixes.1 = prefix;
                    }
                }
            }
            self.ends.release(ends);
            let taken = take(&statements);
            drop(statements);
            self.site.charge.shrink(bytes);
            taken
        };
        let cancelled = || self.site.is_cancelled();
        for_each(self.ends.len(), self.site.threads, &cancelled, &work)
    }
}

fn distinct(sorted: &[Endpoint]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::with_capacity(sorted.len());
    for endpoint in sorted {
        if keys.last() != Some(&endpoint.key) {
            keys.push(endpoint.key);
        }
    }
    keys.shrink_to_fit();
    keys
}

/// The texts of a bucket: (place of the key, start), and bytes.
fn texts(
    bytes: &[u8],
    keys: &[Key],
    renumbering: &Renumbering,
) -> Result<(Vec<[u32; 2]>, Vec<u8>)> {
    let mut all: Texts<'_> = Vec::new();
    let mut rest = bytes;
    while let Some((head, tail)) = rest.split_at_checked(Key::BYTES + 4) {
        let (key, length) = (Key::get(head), <[u32; 1]>::get(&head[Key::BYTES..])[0]);
        let Some((text, tail)) = tail.split_at_checked(length as usize) else {
            return internal_err!("the text of an identifier is cut short");
        };
        let prefix = renumbering.prefixes[usize::from(key.prefix())];
        all.push((key.with_prefix(prefix), text));
        rest = tail;
    }
    all.sort_unstable();
    all.dedup();
    let (mut places, mut text) = (Vec::with_capacity(all.len()), Vec::new());
    for pair in all.windows(2) {
        if pair[0].0 == pair[1].0 {
            // (Of a hash of 105 bits: nobody has seen it.)
            let [a, b] = [pair[0].1, pair[1].1].map(String::from_utf8_lossy);
            return exec_err!(
                "the identifiers \"{a}\" and \"{b}\" have the same hash, and cannot be in one mapping"
            );
        }
    }
    for (key, bytes) in all {
        // (Of a statement that was given up there may be a text without a key.)
        if let Ok(place) = keys.binary_search(&key) {
            places.push([place as u32, text.len() as u32]);
            text.extend_from_slice(bytes);
        }
    }
    if u32::try_from(text.len()).is_err() {
        return exec_err!(
            "the identifiers of a mapping are too long: of a part of them more than 4 GiB"
        );
    }
    Ok((places, text))
}

/// Deals the ends of statements, now that their nodes are known.
fn deal(
    sorted: &[Endpoint],
    base: u32,
    shift: u32,
    renumbering: &Renumbering,
    dealer: &mut Dealer<End>,
) -> Result<()> {
    let (mut node, mut last) = (base, None);
    for endpoint in sorted {
        if last.is_some_and(|last| last != endpoint.key) {
            node += 1;
        }
        last = Some(endpoint.key);
        let prefix = u32::from(endpoint.key.prefix());
        let class = renumbering.classes[endpoint.class as usize];
        dealer.deal(
            (endpoint.at >> 1 >> shift) as usize,
            [endpoint.at, node, class, prefix],
        )?;
    }
    Ok(())
}
