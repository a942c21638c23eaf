//! `PARTITIONED BY`: DataFusion gives a NULL the folder of the empty text, takes few types, and does not
//! find a column of a table by its bare name. So the columns are made text first, without a qualifier, and
//! NULL is what Hive calls it.

use std::collections::HashSet;

use biotide_formats::files::HIVE_NULL;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result, plan_err};
use datafusion::logical_expr::dml::CopyTo;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit, when};

/// Makes the partition columns of a `COPY` text that folders can be named by.
pub(super) fn name_folders(copy: &mut CopyTo) -> Result<()> {
    if copy.partition_by.is_empty() {
        return Ok(());
    }
    let mut seen = HashSet::new();
    if let Some(twice) = copy.partition_by.iter().find(|name| !seen.insert(*name)) {
        return plan_err!("the column {twice} is named twice to partition by");
    }
    let schema = copy.input.schema();
    let column = |(qualifier, field): (_, &std::sync::Arc<_>)| -> Result<Expr> {
        let column = Expr::Column(Column::from((qualifier, field)));
        let name = field.name();
        if !copy.partition_by.contains(name) {
            return Ok(column);
        }
        let text = when(column.clone().is_null(), lit(HIVE_NULL))
            .otherwise(cast(column, DataType::Utf8))?;
        Ok(text.alias(name))
    };
    let columns = schema.iter().map(column).collect::<Result<Vec<_>>>()?;
    let input = LogicalPlanBuilder::from(copy.input.as_ref().clone()).project(columns)?;
    copy.input = input.build()?.into();
    Ok(())
}
