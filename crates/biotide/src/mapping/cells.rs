//! What stands in the cells of the columns of subjects and objects: an identifier, or a list of them.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ExprSchema, Result};
use datafusion::functions::math::expr_fn::trunc;
use datafusion::functions::string::expr_fn::btrim;
use datafusion::functions_nested::string::string_to_array_udf;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, cast, lit, when,
};

/// How the cells of a column are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cells {
    /// That of identifiers which have none.
    pub(super) prefix: Option<String>,
    /// What is between identifiers of a text.
    pub(super) separator: Option<String>,
}

impl Cells {
    /// Identifiers with this prefix; none: they have their own.
    pub(super) fn of(prefix: Option<&str>) -> Self {
        Self {
            prefix: prefix.map(str::to_owned),
            separator: None,
        }
    }

    /// Several of them in a text, with this between them.
    pub(super) fn between(self, separator: &str) -> Self {
        Self {
            separator: Some(separator.to_owned()),
            ..self
        }
    }

    /// A row for each identifier of a column. A cell that has none stays, unless it is a text of several.
    pub(super) fn unnested(
        &self,
        plan: LogicalPlan,
        column: &Column,
        kind: &DataType,
    ) -> Result<LogicalPlan> {
        let Some(separator) = &self.separator else {
            return match is_list(kind) {
                true => LogicalPlanBuilder::from(plan)
                    .unnest_column(column.clone())?
                    .build(),
                false => Ok(plan),
            };
        };
        let own = Expr::Column(column.clone());
        let list = match is_list(kind) {
            true => own.clone(),
            false => {
                let text = cast(text_of(own.clone(), kind)?, DataType::Utf8);
                string_to_array_udf().call(vec![text, lit(separator.as_str())])
            }
        };
        let name = column.name();
        let columns = plan
            .schema()
            .columns()
            .into_iter()
            .map(|other| match other == *column {
                true => list.clone().alias(name),
                false => Expr::Column(other),
            });
        let columns: Vec<Expr> = columns.collect();
        let list = Column::new_unqualified(name);
        let rows = LogicalPlanBuilder::from(plan)
            .filter(own.is_not_null())?
            .project(columns)?
            .unnest_column(list.clone())?;
        let kind = match rows.schema().field_from_column(&list) {
            Ok(field) => field.data_type().clone(),
            Err(_) => DataType::Utf8,
        };
        let text = btrim(vec![text_of(Expr::Column(list), &kind)?]);
        rows.filter(text.not_eq(lit("")))?.build()
    }

    /// The identifiers of a column that has one in each cell.
    pub(super) fn identifier(&self, column: &Column, kind: &DataType) -> Result<Expr> {
        let text = text_of(Expr::Column(column.clone()), kind)?;
        // (Blanks in front would be behind the prefix.)
        let text = match self.prefix.is_some() || self.separator.is_some() {
            true => btrim(vec![text]),
            false => text,
        };
        Ok(match &self.prefix {
            Some(prefix) => binary_expr(lit(format!("{prefix}:")), Operator::StringConcat, text),
            None => text,
        })
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
