//! Connected components, by several threads at a time.

use std::sync::atomic::{AtomicU32, Ordering};

/// Nodes, each with one of its component: union by number, paths halved, without locks (Anderson and Woll 1991).
#[derive(Debug)]
pub(super) struct Components(Vec<AtomicU32>);

impl Components {
    /// So many nodes, each for itself.
    pub(super) fn new(nodes: u32) -> Self {
        Self((0..nodes).map(AtomicU32::new).collect())
    }

    /// Bytes of so many nodes.
    pub(super) fn size(nodes: u32) -> usize {
        nodes as usize * size_of::<AtomicU32>()
    }

    /// The least node of a component, when all edges are in.
    pub(super) fn root(&self, mut node: u32) -> u32 {
        loop {
            let parent = self.parent(node);
            if parent == node {
                return node;
            }
            let above = self.parent(parent);
            if above != parent {
                // (Whoever else has changed it has brought it nearer, too.)
                let _ = self.0[node as usize].compare_exchange_weak(
                    parent,
                    above,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
            }
            node = above;
        }
    }

    fn parent(&self, node: u32) -> u32 {
        self.0[node as usize].load(Ordering::Relaxed)
    }

    /// Puts the components of two nodes together.
    pub(super) fn join(&self, a: u32, b: u32) {
        let (mut a, mut b) = (a, b);
        loop {
            (a, b) = (self.root(a), self.root(b));
            if a == b {
                return;
            }
            let (low, high) = (a.min(b), a.max(b));
            let joined = self.0[high as usize].compare_exchange(
                high,
                low,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if joined.is_ok() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_those_of_a_plain_search() {
        let mut state = 1_u64;
        let mut random = move |n: u32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 33) % u64::from(n)) as u32
        };
        for edges in [0, 10, 90, 400] {
            let nodes = 100;
            let edges: Vec<(u32, u32)> =
                (0..edges).map(|_| (random(nodes), random(nodes))).collect();
            let components = Components::new(nodes);
            std::thread::scope(|scope| {
                for part in edges.chunks(50) {
                    scope.spawn(|| part.iter().for_each(|&(a, b)| components.join(a, b)));
                }
            });
            let mut least: Vec<u32> = (0..nodes).collect();
            for _ in 0..nodes {
                for &(a, b) in &edges {
                    let low = least[a as usize].min(least[b as usize]);
                    (least[a as usize], least[b as usize]) = (low, low);
                }
            }
            let roots: Vec<u32> = (0..nodes).map(|node| components.root(node)).collect();
            assert_eq!(roots, least);
        }
    }
}
