//! The node of physical plans.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{Result, internal_err};
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion_physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion_physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::TryStreamExt;

use super::source::Source;
use super::stream::{self, Scan};

/// Reads some columns and rows of a table, in one partition.
#[derive(Debug)]
pub(super) struct DatabaseExec {
    source: Arc<Source>,
    projection: Vec<usize>,
    filters: Vec<String>,
    limit: Option<usize>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl DatabaseExec {
    pub(super) fn try_new(
        source: Arc<Source>,
        projection: Vec<usize>,
        filters: Vec<String>,
        limit: Option<usize>,
    ) -> Result<Self> {
        let schema = Arc::new(source.schema.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            source,
            projection,
            filters,
            limit,
            schema,
            properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

impl DisplayAs for DatabaseExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(t, DisplayFormatType::TreeRender) {
            write!(f, "{}: ", self.name())?;
        }
        let fields = self.schema.fields().iter();
        let names: Vec<_> = fields.map(|field| field.name().as_str()).collect();
        write!(f, "{}, columns=[{}]", self.source.target, names.join(", "))?;
        if !self.filters.is_empty() {
            write!(f, ", where={}", self.filters.join(" AND "))?;
        }
        match self.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for DatabaseExec {
    fn name(&self) -> &str {
        "DatabaseExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => internal_err!("DatabaseExec has no input"),
        }
    }

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let columns = self
            .projection
            .iter()
            .map(|&index| &self.source.columns[index]);
        let scan = Scan {
            query: self
                .source
                .query(&self.projection, &self.filters, self.limit),
            types: columns.map(|column| column.of.clone()).collect(),
            schema: Arc::clone(&self.schema),
            batch_size: context.session_config().batch_size().max(1),
            table: self.source.target.table(),
            has_rowid: self.source.has_rowid,
        };
        let metrics = BaselineMetrics::new(&self.metrics, 0);
        let rows = stream::open(&self.source.target, scan);
        let rows = rows.inspect_ok(move |batch| metrics.record_output(batch.num_rows()));
        let schema = Arc::clone(&self.schema);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }
}
