//! Batches with a schema that tells what their prefixes stand for: a table that is made of them has it from there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;

use super::told::with_told;

/// Hands on rows, and tells.
#[derive(Debug)]
pub(crate) struct ToldExec {
    input: Arc<dyn ExecutionPlan>,
    told: BTreeMap<String, String>,
    properties: Arc<PlanProperties>,
}

impl ToldExec {
    pub(crate) fn try_new(
        input: Arc<dyn ExecutionPlan>,
        told: BTreeMap<String, String>,
    ) -> Result<Self> {
        let known = input.schema();
        let metadata = with_told(known.metadata(), &told);
        let schema = Arc::new(Schema::new_with_metadata(known.fields().clone(), metadata));
        let equal = input.equivalence_properties().clone();
        let properties = PlanProperties::new(
            equal.with_new_schema(schema)?,
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Ok(Self {
            input,
            told,
            properties: Arc::new(properties),
        })
    }
}

impl DisplayAs for ToldExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ExecutionPlan for ToldExec {
    fn name(&self) -> &str {
        "ToldExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
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

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
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
        match children.pop() {
            Some(input) => Ok(Arc::new(Self::try_new(input, self.told.clone())?)),
            None => internal_err!("what is told is of an input"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let rows = self.input.execute(partition, context)?;
        let own = Arc::clone(&schema);
        let rows = rows.map(move |batch| told(&batch?, &own));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

fn told(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = batch.columns().to_vec();
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns,
        &rows,
    )?)
}
