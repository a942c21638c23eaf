//! Looks ahead at what the walks of many identifiers will read.
//!
//! A walk waits for memory at every step: the key, the offsets, the edges, the next node. Those of many identifiers do
//! not depend on each other, so that in short loops over all of them, step by step, the processor waits for several at
//! once. Nothing comes of it but that the walks find things in the cache.

use std::hint::black_box;

use crate::index::Index;
use crate::index::entry::Entry;
use crate::mapping::key::Key;

/// Edges of a node that are looked at: those of most nodes.
const EDGES: usize = 16;

/// Looks ahead, for one thread. Its memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    keys: Vec<Key>,
    nodes: Vec<u32>,
    next: Vec<u32>,
}

impl Ahead {
    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
    }

    /// Takes an identifier that will be walked from.
    pub(crate) fn add(&mut self, index: &Index, prefix: u16, local: &str) {
        if let Some(known) = index.vocabulary.prefixes.get(usize::from(prefix)) {
            self.keys
                .push(Key::new(prefix, known.seed, local.as_bytes()).0);
        }
    }

    /// Looks at what walks of at most so many edges to some prefixes begin with. An index that is read from a file is
    /// left alone.
    pub(crate) fn look(&mut self, index: &Index, hops: usize, is_target: impl Fn(u16) -> bool) {
        if !index.is_in_memory() {
            return;
        }
        let mut sum = 0;
        for &key in &self.keys {
            sum += index.glance(key);
        }
        self.nodes.clear();
        let nodes = self.keys.iter().filter_map(|&key| index.node_of(key));
        self.nodes.extend(nodes);
        for hop in 1..=hops.min(2) {
            for &node in &self.nodes {
                sum += index.edges_of(node).len();
            }
            for &node in &self.nodes {
                let first = index.edges_of(node).first();
                sum += first.map_or(0, |&first| Entry::unpack(first).to as usize);
            }
            self.next.clear();
            for &node in &self.nodes {
                let edges = index.edges_of(node).iter().take(EDGES);
                let edges = edges.map(|&edge| Entry::unpack(edge));
                let some = edges.filter(|edge| hop < hops || is_target(edge.prefix()));
                self.next.extend(some.map(|edge| edge.to));
            }
            std::mem::swap(&mut self.nodes, &mut self.next);
        }
        for &node in &self.nodes {
            sum += usize::from(index.prefix_of(node));
        }
        black_box(sum);
    }
}
