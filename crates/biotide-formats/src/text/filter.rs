//! Filters that the reader applies itself.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use biotide_text::chunk::RowFilter;
use datafusion_common::Result;
use datafusion_common::cast::as_boolean_array;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::utils::{collect_columns, reassign_expr_columns};

/// A predicate over columns of the file.
#[derive(Debug)]
pub(super) struct Predicate {
    expr: Arc<dyn PhysicalExpr>,
    columns: Vec<usize>,
}

impl Predicate {
    /// A predicate from an expression over the file's schema.
    pub(super) fn new(expr: &Arc<dyn PhysicalExpr>, file_schema: &SchemaRef) -> Result<Self> {
        let mut columns: Vec<usize> = collect_columns(expr).iter().map(|c| c.index()).collect();
        columns.sort_unstable();
        columns.dedup();
        let schema: Schema = file_schema.project(&columns)?;
        Ok(Self {
            expr: reassign_expr_columns(Arc::clone(expr), &schema)?,
            columns,
        })
    }
}

impl RowFilter for Predicate {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn keep(
        &mut self,
        batch: &RecordBatch,
    ) -> std::result::Result<BooleanArray, Box<dyn std::error::Error + Send + Sync>> {
        let array = self.expr.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(as_boolean_array(&array)?.clone())
    }
}
