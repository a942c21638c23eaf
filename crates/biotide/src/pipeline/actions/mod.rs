//! What a step can do: a file an action, with its table of parameters.
//!
//! From a table come the check of a step's parameters ([`Params`]), the published JSON Schema and the reference. A new
//! action is a file here and a line below.

mod action;
mod check;
mod params;
mod registry;
mod shared;

mod aggregate;
mod cache;
mod cross_reference;
mod deduplicate;
mod derive;
mod filter;
mod filter_dataset;
mod historical;
mod join;
mod load;
mod load_identifiers;
mod merge;
mod normalize;
mod overlap;
mod parse;
mod parse_composite;
mod report;
mod select;
mod sink;
mod sql;
mod uniprot_xrefs;
mod validate;

pub use action::{Action, Kind, Param};
pub use params::Params;
pub use registry::Actions;
pub(in crate::pipeline) use shared::{CHUNK_ROWS, CHUNK_SIZE, SHARE};
pub use shared::{INPUT, OUTPUT};

/// The actions that are built in, in the order of the reference.
pub fn built_in() -> &'static [Action] {
    const ACTIONS: &[Action] = &[
        load::ACTION,
        load_identifiers::ACTION,
        filter::ACTION,
        filter_dataset::ACTION,
        select::ACTION,
        derive::ACTION,
        sql::ACTION,
        parse::ACTION,
        parse_composite::ACTION,
        normalize::ACTION,
        cross_reference::ACTION,
        historical::ACTION,
        uniprot_xrefs::ACTION,
        validate::ACTION,
        aggregate::ACTION,
        join::ACTION,
        merge::ACTION,
        deduplicate::ACTION,
        overlap::ACTION,
        cache::ACTION,
        sink::ACTION,
        report::ACTION,
    ];
    ACTIONS
}
