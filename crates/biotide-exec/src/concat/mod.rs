//! Tables one below the other: all rows of the first, in their order, then those of the second, and so on.
//!
//! `UNION ALL` takes from all its inputs at once, as they have rows. Here one is read after the other, so that nothing
//! is sorted and nothing waits: the order costs that the inputs are not read at the same time. (Each of them is decoded
//! by all threads.)

mod exec;
mod logical;

pub use exec::ConcatExec;
pub use logical::ConcatNode;
