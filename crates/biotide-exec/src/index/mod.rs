//! The index of a mapping: its identifiers, and the edges of each.
//!
//! ```text
//! keys     sorted, in 2^bits segments by their first bits; the place of a key is the number of its node
//! texts    of identifiers that their keys do not hold: (place in the segment, start), and bytes
//! offsets  by node, in segments of 2^shift nodes: where its entries start, and one more at the end
//! entries  by node and the node at the other end; denials first
//! ```

pub(crate) mod buckets;
pub(crate) mod build;
pub(crate) mod charge;
pub(crate) mod edge_id;
pub(crate) mod entry;
mod glance;
pub(crate) mod hubs;
mod lookup;
mod pages;
mod record;
pub(crate) mod section;
mod sort;
mod spill;
pub(crate) mod stored;
mod turns;

#[cfg(test)]
pub(crate) mod testing;

pub(crate) use lookup::Reader;
pub use lookup::{Counts, Index};
