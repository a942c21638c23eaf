//! One SQL statement: planned, run, reported.

pub(crate) mod coverage;
mod explained;
mod exported;
mod fit;
pub(crate) mod functions;
mod kept_order;
pub(crate) mod names;
pub(crate) mod normalize;
pub(crate) mod order;
mod partitions;
mod planning;
pub(crate) mod repeats;
mod reset;
mod rounded;
mod run;
mod staged;
mod star;
mod target;

pub(crate) use kept_order::KeptOrder;
pub use run::{Statement, XrefReport};
