//! Identifiers found, taken apart, brought forward and mapped: a file an action.

mod composite;
mod cross_reference;
mod cuts;
mod historical;
mod of_xrefs;
mod parse;

pub(super) use composite::composite;
pub(super) use cross_reference::cross_reference;
pub(super) use historical::historical;
pub(super) use of_xrefs::of_xrefs;
pub(super) use parse::parse;
