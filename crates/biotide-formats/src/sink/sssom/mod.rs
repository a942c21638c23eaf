//! SSSOM as its specification has it, as TSV or CSV, so that the same mappings are the same bytes.
//!
//! ```text
//! rows, sorted on all slots ─► Spool: a temporary file, and what all rows have in common
//!                                 │ when all are there
//!                                 ▼
//!                  block of YAML, header, rows without empty and condensed columns
//! ```
//!
//! Which columns there are shows in the last row only: so rows wait in a file, and memory does not grow with
//! them.

mod block;
mod prefixes;
mod spool;

use arrow::compute::SortOptions;
use arrow::datatypes::Schema;
use biotide_common::sssom;
use biotide_common::yaml::Node;
use datafusion_common::Result;
use datafusion_physical_expr::expressions::Column;
use datafusion_physical_expr::{LexOrdering, PhysicalSortExpr};
use std::sync::Arc;

use block::Block;
pub(super) use spool::Spool;

/// What a schema says of a set, by its key.
fn metadata(schema: &Schema, key: &str) -> Vec<(String, Node)> {
    let node = schema
        .metadata()
        .get(key)
        .and_then(|text| Node::from_json(text));
    match node {
        Some(Node::Map(entries)) => entries,
        _ => Vec::new(),
    }
}

/// The columns in the order of the schema's slots, others by their properties behind them.
fn in_order(schema: &Schema) -> Vec<usize> {
    let set = Block::of(metadata(schema, sssom::SET));
    let rank = |name: &str| {
        let slots = &sssom::SLOTS;
        let slot = slots.iter().position(|slot| slot.name == name);
        slot.unwrap_or(slots.len())
    };
    let name = |&i: &usize| schema.field(i).name();
    let mut order: Vec<usize> = (0..schema.fields().len()).collect();
    order.sort_by_cached_key(|i| (rank(name(i)), set.property(name(i))));
    order
}

/// The order of rows: by all slots, as text, what is not there first.
pub(super) fn ordering(schema: &Schema) -> Option<LexOrdering> {
    let options = SortOptions {
        descending: false,
        nulls_first: true,
    };
    let by = in_order(schema).into_iter().map(|i| {
        let column = Column::new(schema.field(i).name(), i);
        PhysicalSortExpr::new(Arc::new(column), options)
    });
    LexOrdering::new(by)
}

/// An error of writing, with what to do.
fn refuse(problem: String) -> Result<()> {
    Err(biotide_common::BiotideError::file("writing SSSOM", problem).into())
}
