//! Rows whose folder is not open: sorted by their folder first, then written one folder after the other.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::{SortOptions, partition};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use futures::TryStreamExt;

use super::sink::failed;
use super::split::{Columns, Key, key};
use super::writer::{Writer, Writers, channel};

/// The column that keeps the order of the input.
const ROW: &str = "__biotide_row";

/// Files that are completed at a time.
const CLOSING: usize = 2;

/// Sorts rows, and writes them when there are no more.
pub(super) struct Late {
    rows: Writer,
    schema: SchemaRef,
    next: u64,
}

impl Late {
    pub(super) fn start(
        schema: &Schema,
        columns: &Arc<Columns>,
        writers: &Arc<Writers>,
        context: &Arc<TaskContext>,
    ) -> Result<Self> {
        let row = Arc::new(Field::new(ROW, DataType::UInt64, false));
        let fields = schema.fields().iter().cloned().chain([row]);
        let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let (sender, rows) = channel(&schema)?;
        let last = schema.fields().len() - 1;
        let by = columns.key_indices().iter().copied().chain([last]);
        let by = by.map(|i| {
            let column = Arc::new(Column::new(schema.field(i).name(), i));
            PhysicalSortExpr::new(column, SortOptions::default())
        });
        let by =
            LexOrdering::new(by).ok_or_else(|| internal_datafusion_err!("folders by no column"))?;
        let sorted = SortExec::new(by, rows);
        let (columns, writers) = (Arc::clone(columns), Arc::clone(writers));
        let context = Arc::clone(context);
        let task =
            SpawnedTask::spawn(async move { write(&sorted, &columns, &writers, context).await });
        let rows = Writer::new(sender, task);
        Ok(Self {
            rows,
            schema,
            next: 0,
        })
    }

    /// Hands rows on. `false`: see [`Writer::send`].
    pub(super) async fn send(&mut self, rows: &RecordBatch) -> Result<bool> {
        let end = self.next + rows.num_rows() as u64;
        let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(self.next..end));
        self.next = end;
        let columns = rows.columns().iter().cloned().chain([numbers]);
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns.collect())?;
        Ok(self.rows.send(rows).await)
    }

    /// Writes them: the rows written.
    pub(super) async fn finish(self) -> Result<u64> {
        self.rows.finish().await
    }
}

async fn write(
    sorted: &SortExec,
    columns: &Columns,
    writers: &Writers,
    context: Arc<TaskContext>,
) -> Result<u64> {
    let mut batches = sorted.execute(0, context)?;
    let mut written = 0;
    // Files that are being completed while the next is written.
    let mut closing: VecDeque<Writer> = VecDeque::new();
    let mut open: Option<(Key, Writer)> = None;
    while let Some(batch) = batches.try_next().await? {
        let keys = columns.keys(&batch)?;
        for range in partition(&keys)?.ranges() {
            let folder = key(&keys, range.start);
            let writer = match open.take() {
                Some((same, writer)) if same == folder => writer,
                other => {
                    if let Some((_, mut writer)) = other {
                        writer.end();
                        closing.push_back(writer);
                    }
                    if closing.len() >= CLOSING
                        && let Some(first) = closing.pop_front()
                    {
                        written += first.finish().await?;
                    }
                    writers.start(&columns.schema, &folder).await?
                }
            };
            let rows = columns.written(&batch.slice(range.start, range.len()))?;
            if !writer.send(rows).await {
                return failed(writer.finish().await);
            }
            open = Some((folder, writer));
        }
    }
    closing.extend(open.map(|(_, writer)| writer));
    for writer in closing {
        written += writer.finish().await?;
    }
    Ok(written)
}
