//! `COPY … TO 'x.sssom.tsv'`: numbers are written with three decimals, and rows are sorted by what is written. So they
//! are rounded before they are sorted: else a set that is read and written again would come out in another order.

use std::sync::Arc;

use biotide_common::sssom::{self, Kind};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, Result};
use datafusion::functions::math::expr_fn::round;
use datafusion::logical_expr::dml::CopyTo;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit};

/// Rounds the numbers of a set that is to be written.
pub(super) fn round_numbers(copy: &mut CopyTo) -> Result<()> {
    let schema = copy.input.schema();
    // (What is beyond the standard keeps its digits.)
    let is_score = |field: &Field| {
        let slot = sssom::by_name(field.name());
        let is_number = slot.is_some_and(|slot| matches!(slot.kind, Kind::Number(..)));
        is_number && field.data_type().is_floating()
    };
    let any = schema.fields().iter().any(|field| is_score(field));
    if copy.file_type.get_ext() != "sssom" || !any {
        return Ok(());
    }
    let columns = schema.iter().map(|(qualifier, field)| {
        let column = Expr::Column(Column::from((qualifier, field)));
        match is_score(field) {
            true => round(vec![cast(column, DataType::Float64), lit(3)]).alias(field.name()),
            false => column,
        }
    });
    let columns: Vec<Expr> = columns.collect();
    let input = LogicalPlanBuilder::from(copy.input.as_ref().clone()).project(columns)?;
    copy.input = Arc::new(input.build()?);
    Ok(())
}
