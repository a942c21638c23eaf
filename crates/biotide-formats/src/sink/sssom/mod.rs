//! SSSOM TSV as its specification has it, so that the same mappings are the same bytes.
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
mod spool;

use arrow::compute::SortOptions;
use arrow::datatypes::Schema;
use biotide_common::sssom;
use datafusion_common::Result;
use datafusion_physical_expr::expressions::Column;
use datafusion_physical_expr::{LexOrdering, PhysicalSortExpr};
use std::sync::Arc;

pub(super) use spool::Spool;

/// The columns in the order of the schema's slots, others by name behind them.
fn in_order(schema: &Schema) -> Vec<usize> {
    let rank = |name: &str| {
        let slots = &sssom::SLOTS;
        let slot = slots.iter().position(|slot| slot.name == name);
        slot.unwrap_or(slots.len())
    };
    let name = |&i: &usize| schema.field(i).name();
    let mut order: Vec<usize> = (0..schema.fields().len()).collect();
    order.sort_by(|a, b| (rank(name(a)), name(a)).cmp(&(rank(name(b)), name(b))));
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
