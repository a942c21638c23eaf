//! The edges of each node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion_common::Result;
use parking_lot::Mutex;

use super::numbered::{Numbered, Statement};
use crate::index::buckets::Dealer;
use crate::index::edge_id::edge_id;
use crate::index::entry::{Entry, Packed, halves};
use crate::index::lookup::{Arrays, Counts, Index};
use crate::index::pages::{Paged, Pages};
use crate::index::record::Half;
use crate::index::section::{Section, SectionBuilder};
use crate::index::turns::{Turns, for_each};
use crate::mapping::dictionary::Vocabulary;

/// Nodes of a segment, unless that makes too many segments, or these have more edges than so many.
const NODES: u64 = 1 << 14;
const HALVES: u64 = 1 << 17;

/// Indexes statements.
pub(crate) fn index(numbered: Numbered) -> Result<Index> {
    let site = &numbered.site;
    let nodes = numbered.nodes();
    // (How an index is cut depends on nothing but its size: the same statements give the same file.)
    let most = u64::from(nodes).div_ceil(4096).next_power_of_two().ilog2();
    let few = u64::from(nodes) * HALVES / (2 * numbered.statements).max(1);
    let shift = few.clamp(1, NODES).ilog2().max(most).min(31);
    let buckets = site.buckets::<Half>((nodes.saturating_sub(1) >> shift) as usize + 1);
    let vocabulary = &numbered.vocabulary;
    let (self_loops, negated) = (AtomicU64::new(0), AtomicU64::new(0));
    let hand = site.hand::<Half>(buckets.len(), site.threads);
    numbered.for_each(&|statements: &[Statement]| {
        let mut dealer = Dealer::new(&buckets, hand);
        for statement in statements {
            if statement.subject == statement.object {
                self_loops.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let class = &vocabulary.classes[statement.class as usize];
            let kind = vocabulary.predicates[class.predicate as usize].kind;
            let ends = (statement.subject, statement.object);
            for half in halves(
                ends,
                statement.prefixes,
                statement.class,
                kind,
                class.negated,
            ) {
                dealer.deal((half[0] >> shift) as usize, half)?;
            }
        }
        dealer.finish()
    })?;

    let offsets = SectionBuilder::<u32>::new(&site.charge, &site.file);
    let entries = SectionBuilder::<Packed>::new(&site.charge, &site.file);
    let sections = Mutex::new((offsets, entries));
    let held = AtomicU64::new(0);
    let work = |bucket: usize, turns: &Turns| {
        let mut halves = buckets.take(bucket)?;
        let first = (bucket as u32) << shift;
        let place = |half: &Half| u64::from(half[0] - first) << (64 - shift);
        let key = |half: &Half| u64::from(half[0]) << 32 | u64::from(half[1]);
        buckets.sort(&mut halves, place, key)?;
        let n = (nodes - first).min(1 << shift) as usize;
        let (offsets, entries) = adjacent(&halves, first, n, vocabulary);
        buckets.release(halves);
        for (node, ends) in (first..).zip(offsets.windows(2)) {
            // (Each edge is counted at the lesser of its nodes.)
            let own = entries[ends[0] as usize..ends[1] as usize]
                .iter()
                .map(|&entry| Entry::unpack(entry));
            for entry in own.filter(|entry| entry.to > node) {
                held.fetch_add(1, Ordering::Relaxed);
                negated.fetch_add(entry.is_negated().into(), Ordering::Relaxed);
            }
        }
        turns.in_turn(bucket, || {
            let mut sections = sections.lock();
            sections.0.push(offsets)?;
            sections.1.push(entries)
        })
    };
    let segments = if nodes == 0 { 0 } else { buckets.len() };
    for_each(segments, site.threads, &|| site.is_cancelled(), &work)?;

    let (offsets, entries) = sections.into_inner();
    let (edges, self_loops) = (held.into_inner(), self_loops.into_inner());
    let counts = Counts {
        edges,
        negated: negated.into_inner(),
        self_loops,
        duplicates: numbered.statements - self_loops - edges,
        rejected: numbered.rejected,
        skipped: numbered.skipped,
    };
    let pages = match site.file.size() {
        0 => None,
        size => {
            let paged = Paged::Spilled(Arc::clone(&site.file));
            Some(Arc::new(Pages::new(paged, size, &site.pool)?))
        }
    };
    let pages = || pages.clone();
    let arrays = Arrays {
        bits: numbered.bits,
        keys: Section::new(numbered.keys, pages()),
        bases: numbered.bases,
        texts: Section::new(numbered.texts, pages()),
        text: Section::new(numbered.text, pages()),
        shift,
        offsets: Section::new(offsets.finish(), pages()),
        entries: Section::new(entries.finish(), pages()),
    };
    Index::new(
        numbered.vocabulary,
        arrays,
        counts,
        pages(),
        Arc::clone(&numbered.site.charge),
    )
}

/// The entries of `n` nodes from `first` on, and where those of each begin. A source says a thing once: of the same
/// statement the most confident one stays.
fn adjacent(
    sorted: &[Half],
    first: u32,
    n: usize,
    vocabulary: &Vocabulary,
) -> (Vec<u32>, Vec<Packed>) {
    let mut offsets = Vec::with_capacity(n + 1);
    let mut entries: Vec<Packed> = Vec::with_capacity(sorted.len());
    let mut group: Vec<Entry> = Vec::new();
    let mut rest = sorted;
    for node in first..first + n as u32 {
        offsets.push(entries.len() as u32);
        while let [[from, to, ..], ..] = *rest
            && from == node
        {
            let same = rest
                .iter()
                .take_while(|half| half[0] == node && half[1] == to)
                .count();
            let (now, later) = rest.split_at(same);
            rest = later;
            if let [only] = now {
                entries.push(Entry::of_half(*only).pack());
                continue;
            }
            group.clear();
            group.extend(now.iter().map(|&half| Entry::of_half(half)));
            // (Denials first. Both ends tell statements apart alike, so that each keeps the same ones.)
            let says = |entry: &Entry| (!entry.is_negated(), edge_id(vocabulary, node, *entry));
            group.sort_unstable_by(|a, b| {
                let confidence =
                    |entry: &Entry| vocabulary.classes[entry.class as usize].confidence();
                let by_confidence = || confidence(b).total_cmp(&confidence(a));
                // (The same one from both ends.)
                let statement = |entry: &Entry| {
                    let class = &vocabulary.classes[entry.class as usize];
                    let subject = if entry.is_reversed() { entry.to } else { node };
                    (class.predicate, subject, entry.class)
                };
                let rest = || statement(a).cmp(&statement(b));
                says(a)
                    .cmp(&says(b))
                    .then_with(by_confidence)
                    .then_with(rest)
            });
            group.dedup_by_key(|entry| says(entry));
            entries.extend(group.iter().map(|entry| entry.pack()));
        }
    }
    offsets.push(entries.len() as u32);
    entries.shrink_to_fit();
    (offsets, entries)
}

/// The predicate of an entry, read from its node, or from the other one.
pub(crate) fn read(entry: Entry, from_other: bool, vocabulary: &Vocabulary) -> u32 {
    let predicate = vocabulary.classes[entry.class as usize].predicate;
    match entry.is_reversed() != from_other {
        true => vocabulary.predicates[predicate as usize]
            .inverse
            .unwrap_or(predicate),
        false => predicate,
    }
}
