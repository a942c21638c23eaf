//! What stands in the cells of a column of subjects or objects: an identifier, or a list of them.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result};
use datafusion::functions::core::expr_fn::nullif;
use datafusion::functions::math::expr_fn::trunc;
use datafusion::functions::string::expr_fn::btrim;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, cast, lit, when,
};

/// How the cells of a column are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cells {
    /// That of identifiers which have none.
    pub(super) prefix: Option<String>,
}

impl Cells {
    /// Identifiers with this prefix; none: they have their own.
    pub(super) fn of(prefix: Option<&str>) -> Self {
        Self {
            prefix: prefix.map(str::to_owned),
        }
    }

    /// The identifiers of a column that has one in each cell.
    pub(super) fn identifier(&self, column: &Column, kind: &DataType) -> Result<Expr> {
        let text = text_of(Expr::Column(column.clone()), kind)?;
        let Some(prefix) = &self.prefix else {
            return Ok(text);
        };
        // (Blanks in front would be behind the prefix, and an empty cell would be a prefix with nothing behind it.)
        let text = nullif(btrim(vec![text]), lit(""));
        let prefix = lit(format!("{prefix}:"));
        Ok(binary_expr(prefix, Operator::StringConcat, text))
    }
}

/// A row for each identifier of a column. A cell that has none stays.
pub(super) fn unnested(plan: LogicalPlan, column: &Column, kind: &DataType) -> Result<LogicalPlan> {
    match is_list(kind) {
        true => LogicalPlanBuilder::from(plan)
            .unnest_column(column.clone())?
            .build(),
        false => Ok(plan),
    }
}

/// Whether it is a list.
pub(super) fn is_list(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::List(_)
            | DataType::LargeList(_)
            | DataType::FixedSizeList(..)
            | DataType::ListView(_)
            | DataType::LargeListView(_)
    )
}

/// An identifier as text. A number without a fraction has none (`7529`, not `7529.0`): a column of numbers of which
/// some are missing is often one of floating point numbers.
pub(super) fn text_of(value: Expr, kind: &DataType) -> Result<Expr> {
    let text = |value: Expr| cast(value, DataType::Utf8View);
    if !kind.is_floating() {
        return Ok(text(value));
    }
    let whole = trunc(vec![value.clone()]);
    // (Beyond 2^53 they are not exact.)
    let is_whole = value
        .clone()
        .eq(whole)
        .and(value.clone().between(lit(-9e15), lit(9e15)));
    let number = cast(value.clone(), DataType::Int64);
    when(is_whole, text(number)).otherwise(text(value))
}
