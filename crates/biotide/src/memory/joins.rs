//! Joins that spill, where the side that a hash join holds would not fit.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use super::budget::Budget;

/// What the hash table holds for each row, besides the row.
const ROW: usize = 24;

/// A text or a nested value is taken to have so many bytes.
const TEXT: usize = 24;

/// Makes a sort-merge join, which can spill, of a hash join, which cannot, where the estimated rows of
/// the side that it holds are more than a quarter of the pool.
#[derive(Debug)]
pub(crate) struct JoinsThatSpill {
    budget: Budget,
}

impl JoinsThatSpill {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget }
    }

    fn spilling(&self, join: &HashJoinExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let left = join.left().schema();
        let sorts = join.on().iter().all(|(key, _)| {
            key.data_type(&left)
                .is_ok_and(|data_type| is_sortable(&data_type))
        });
        if join.null_aware
            || join.on().is_empty()
            || !sorts
            || self.budget.holds(held_bytes(join.left())?)
        {
            return Ok(None);
        }
        let merge: Arc<dyn ExecutionPlan> = Arc::new(SortMergeJoinExec::try_new(
            Arc::clone(join.left()),
            Arc::clone(join.right()),
            join.on().to_vec(),
            join.filter().cloned(),
            *join.join_type(),
            vec![SortOptions::default(); join.on().len()],
            join.null_equality(),
        )?);
        let Some(projection) = join.projection.as_deref() else {
            return Ok(Some(merge));
        };
        let schema = merge.schema();
        let columns = projection.iter().map(|&index| {
            let name = schema.field(index).name();
            ProjectionExpr::new(Arc::new(Column::new(name, index)), name.clone())
        });
        let projected = ProjectionExec::try_new(columns.collect::<Vec<_>>(), merge)?;
        Ok(Some(Arc::new(projected)))
    }
}

/// What an operator that holds these rows is taken to hold, if anything is known of them.
pub(super) fn held_bytes(rows: &Arc<dyn ExecutionPlan>) -> Result<Option<usize>> {
    let statistics = StatisticsContext::new().compute(rows.as_ref(), &StatisticsArgs::new())?;
    let count = statistics.num_rows.get_value();
    Ok(count.map(|count| count.saturating_mul(row_bytes(&rows.schema()))))
}

/// Bytes of a row in a hash join.
fn row_bytes(schema: &Schema) -> usize {
    let widths = schema
        .fields()
        .iter()
        .map(|field| field.data_type().primitive_width().unwrap_or(TEXT));
    ROW + widths.sum::<usize>()
}

/// What a sort-merge join compares.
fn is_sortable(data_type: &DataType) -> bool {
    data_type.is_primitive() || data_type.is_string() || matches!(data_type, DataType::Boolean)
}

impl PhysicalOptimizerRule for JoinsThatSpill {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let spilling = |node: Arc<dyn ExecutionPlan>| {
            let join = node.downcast_ref::<HashJoinExec>();
            Ok(
                match join.map(|join| self.spilling(join)).transpose()?.flatten() {
                    Some(merge) => Transformed::yes(merge),
                    None => Transformed::no(node),
                },
            )
        };
        Ok(plan.transform_up(spilling)?.data)
    }

    fn name(&self) -> &str {
        "biotide_joins_that_spill"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
