//! What the issue and the seeds ask for.

mod bounds;
mod chunking;
mod errors;
mod exec;
mod lazy;
mod order;
mod processors;
mod shapes;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use futures::stream;

use crate::{Dataset, Stream};

/// One column `n`: `start` and the numbers after it.
pub(crate) fn numbers(start: i64, rows: usize) -> RecordBatch {
    let column = Int64Array::from_iter_values(start..start + rows as i64);
    RecordBatch::try_new(schema(), vec![Arc::new(column)]).unwrap()
}

pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]))
}

/// The numbers of batches.
pub(crate) fn values<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> Vec<i64> {
    let columns = batches.into_iter();
    columns
        .flat_map(|batch| {
            batch
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        })
        .collect()
}

/// The numbers from 0, and how many batches were read.
pub(crate) fn counted(rows: usize, batch: usize) -> (Dataset, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let dataset = Dataset::new("numbers", schema(), move || {
        let counter = Arc::clone(&counter);
        stream::iter((0..rows).step_by(batch).map(move |start| {
            counter.fetch_add(1, Ordering::SeqCst);
            let rows = batch.min(rows - start);
            Ok::<_, DataFusionError>(numbers(start as i64, rows))
        }))
    });
    (dataset, read)
}

pub(crate) fn upto(rows: usize, batch: usize) -> Stream {
    counted(rows, batch).0.stream()
}

/// Adds to each number.
pub(crate) fn plus(batch: &RecordBatch, more: i64) -> RecordBatch {
    let column = batch.column(0).as_primitive::<Int64Type>();
    let column = column.unary::<_, Int64Type>(|n| n + more);
    RecordBatch::try_new(batch.schema(), vec![Arc::new(column)]).unwrap()
}
