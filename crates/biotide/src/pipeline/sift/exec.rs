//! The node of physical plans.

use std::fmt;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::reject::RejectRecord;
use biotide_common::session::QueryLog;
use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StructArray};
use datafusion::arrow::compute::{filter_record_batch, is_null};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::logical::Flawed;
use super::{EMPTY, INVALID};

/// The most characters that the log has of a value.
const MOST_CHARACTERS: usize = 256;

/// Lets the rows pass with which nothing is wrong.
#[derive(Debug)]
pub(crate) struct SiftExec {
    input: Arc<dyn ExecutionPlan>,
    column: String,
    flawed: Flawed,
}

impl SiftExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, column: String, flawed: Flawed) -> Self {
        Self {
            input,
            column,
            flawed,
        }
    }
}

impl DisplayAs for SiftExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(t, DisplayFormatType::TreeRender) {
            write!(f, "{}: ", self.name())?;
        }
        write!(f, "{} {:?}", self.column, self.flawed)
    }
}

impl ExecutionPlan for SiftExec {
    fn name(&self) -> &str {
        "SiftExec"
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

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
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
            Some(input) => Ok(Arc::new(Self::new(input, self.column.clone(), self.flawed))),
            None => internal_err!("what is sifted has an input"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let log = context.session_config().get_extension::<QueryLog>();
        let at = self.input.schema().index_of(&self.column)?;
        let (schema, flawed) = (self.input.schema(), self.flawed);
        let rows = self.input.execute(partition, context)?;
        let rows = rows.map(move |batch| sift(&batch?, at, flawed, log.as_deref()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// The rows of a batch with which nothing is wrong.
fn sift(
    batch: &RecordBatch,
    at: usize,
    flawed: Flawed,
    log: Option<&QueryLog>,
) -> Result<RecordBatch> {
    let column = batch.column(at);
    if column.null_count() == column.len() {
        return Ok(batch.clone());
    }
    let Some(flaws) = column.as_struct_opt() else {
        return internal_err!("what is wrong with a row is a struct");
    };
    let rows = (0..flaws.len()).filter(|&row| flaws.is_valid(row));
    let records: Vec<RejectRecord> = rows.map(|row| record(flaws, row)).collect();
    if flawed == Flawed::Fails
        && let Some(first) = records.first()
    {
        let ending = ending(first);
        note(log, vec![first.clone()])?;
        return Err(ending.into());
    }
    note(log, records)?;
    let passes: BooleanArray = is_null(column)?;
    Ok(filter_record_batch(batch, &passes)?)
}

/// Notes rows that are set aside.
fn note(log: Option<&QueryLog>, records: Vec<RejectRecord>) -> Result<()> {
    let Some(log) = log else {
        return Ok(());
    };
    for record in &records {
        let reason = match record.reason.as_str() {
            EMPTY => EMPTY,
            _ => INVALID,
        };
        log.refuse(reason, record.line);
    }
    Ok(log.rejects.extend(records)?)
}

/// What ends a run, with its place as far as it is known.
fn ending(first: &RejectRecord) -> BiotideError {
    let file = Some(&first.source).filter(|file| !file.is_empty()).cloned();
    let line = Some(first.line).filter(|line| *line > 0);
    let line = line.map(|line| format!("line {line}"));
    let column = first
        .column
        .as_ref()
        .map(|column| format!("column {column}"));
    let place: Vec<String> = [file, line, column].into_iter().flatten().collect();
    // (Of a row without a value the message says so.)
    let problem = match first.raw.is_empty() {
        true => first.message.clone(),
        false => format!("{}: '{}'", first.message, first.raw),
    };
    BiotideError::file(place.join(", "), problem)
}

/// What the log has of a row.
fn record(flaws: &StructArray, row: usize) -> RejectRecord {
    let text = |name: &str| -> Option<String> {
        let column = flaws.column_by_name(name)?.as_string_opt::<i32>()?;
        column
            .is_valid(row)
            .then(|| column.value(row).chars().take(MOST_CHARACTERS).collect())
    };
    let number = |name: &str| -> Option<i64> {
        let column = flaws.column_by_name(name)?;
        let column = column.as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let place = |name: &str| number(name).map_or(0, i64::cast_unsigned);
    let raw: String = text("raw").unwrap_or_default();
    RejectRecord {
        source: text("source").unwrap_or_default(),
        offset: place("offset"),
        column: text("column"),
        reason: text("reason").unwrap_or_default(),
        record: None,
        line: place("line"),
        length: raw.len() as u64,
        message: text("message").unwrap_or_default(),
        raw,
        action: "rejected".to_owned(),
    }
}
