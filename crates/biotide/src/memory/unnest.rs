//! Lists that become rows, a few at a time.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt, stream};

/// Hands rows on in slices whose lists have no more elements in all than a batch has rows: unnesting makes one
/// batch of whatever it is given.
#[derive(Debug)]
pub(crate) struct FewElementsExec {
    input: Arc<dyn ExecutionPlan>,
    /// The lists, and how often each is unnested.
    columns: Vec<(usize, usize)>,
}

impl DisplayAs for FewElementsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FewElementsExec")
    }
}

impl ExecutionPlan for FewElementsExec {
    fn name(&self) -> &str {
        "FewElementsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self {
            input: children.swap_remove(0),
            columns: self.columns.clone(),
        }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let most = context.session_config().batch_size();
        let columns = self.columns.clone();
        let input = self.input.execute(partition, context)?;
        let schema = input.schema();
        let rows = input
            .map_ok(move |batch| stream::iter(slices(&batch, &columns, most).into_iter().map(Ok)))
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            schema,
            rows.boxed(),
        )))
    }
}

/// Slices of a batch: each has at most `most` rows when its lists are unnested, or is one row.
fn slices(batch: &RecordBatch, columns: &[(usize, usize)], most: usize) -> Vec<RecordBatch> {
    let rows_of = |row: usize| {
        let lengths = columns
            .iter()
            .map(|&(i, depth)| elements(batch.column(i), row, row + 1, depth));
        lengths.max().unwrap_or(1).max(1)
    };
    let mut slices = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for row in 0..batch.num_rows() {
        let rows = rows_of(row);
        if row > start && sum + rows > most {
            slices.push(batch.slice(start, row - start));
            (start, sum) = (row, 0);
        }
        sum += rows;
    }
    slices.push(batch.slice(start, batch.num_rows() - start));
    slices
}

/// Elements of the lists from `start` to `end`, and of the lists in them, down to this depth.
fn elements(list: &dyn Array, start: usize, end: usize, depth: usize) -> usize {
    let index = |offset: i64| usize::try_from(offset).unwrap_or(0);
    let (values, start, end) = match list.data_type() {
        _ if depth == 0 => return end - start,
        DataType::List(_) => {
            let list = list.as_list::<i32>();
            let offsets = list.value_offsets();
            let at = |i: usize| index(i64::from(offsets[i]));
            (list.values(), at(start), at(end))
        }
        DataType::LargeList(_) => {
            let list = list.as_list::<i64>();
            let offsets = list.value_offsets();
            (list.values(), index(offsets[start]), index(offsets[end]))
        }
        DataType::FixedSizeList(_, length) => {
            let length = usize::try_from(*length).unwrap_or(0);
            let list = list.as_fixed_size_list();
            (list.values(), start * length, end * length)
        }
        _ => return end - start,
    };
    elements(values, start, end, depth - 1)
}

/// Puts [`FewElementsExec`] below what unnests lists.
#[derive(Debug)]
pub(crate) struct UnnestFewAtATime;

impl PhysicalOptimizerRule for UnnestFewAtATime {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let few = |node: Arc<dyn ExecutionPlan>| {
            let Some(unnest) = node.downcast_ref::<UnnestExec>() else {
                return Ok(Transformed::no(node));
            };
            let lists = unnest.list_column_indices().iter();
            let columns: Vec<_> = lists
                .map(|list| (list.index_in_input_schema, list.depth))
                .collect();
            let input = Arc::clone(unnest.input());
            if columns.is_empty() || input.downcast_ref::<FewElementsExec>().is_some() {
                return Ok(Transformed::no(node));
            }
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            let below = Arc::new(FewElementsExec { input, columns });
            Ok(Transformed::yes(
                node.replace_children(vec![below], options)?,
            ))
        };
        Ok(plan.transform_up(few)?.data)
    }

    fn name(&self) -> &str {
        "biotide_unnest_few_at_a_time"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, ListArray};
    use arrow::datatypes::Int32Type;

    #[test]
    fn slices_have_few_elements_or_one_row() {
        let lengths = [2, 3, 0, 9, 1, 1, 1];
        let lists = lengths.map(|n| Some(vec![Some(1); n]));
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
        let numbers = Int32Array::from_iter_values(0..7);
        let batch = RecordBatch::try_from_iter([
            ("n", Arc::new(numbers) as _),
            ("l", Arc::new(lists) as _),
        ]);
        let slices = slices(&batch.unwrap(), &[(1, 1)], 5);
        let rows: Vec<_> = slices.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(rows, [2, 1, 1, 3]);
    }
}
