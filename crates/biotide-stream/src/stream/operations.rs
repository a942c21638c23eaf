//! Operations on the rows of a chunk.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use futures::FutureExt;

use super::Stream;
use crate::chunk::Chunk;
use crate::errors::{BoxError, ErrorKind, ProcessorError};
use crate::processor::Processor;
use crate::row::{Row, Rows};
use crate::run::Operation;

/// Other columns than were expected.
#[derive(Debug, thiserror::Error)]
#[error("the columns are {found}, not {expected}")]
struct OtherColumns {
    found: String,
    expected: String,
}

impl Stream {
    /// Another batch in the place of each. As many rows are taken to be made of the same items.
    pub fn map(self, f: impl Fn(RecordBatch) -> RecordBatch + Send + Sync + 'static) -> Self {
        self.now("map", move |chunk| {
            let batch = f(chunk.batch().clone());
            Ok(chunk.with_batch(batch))
        })
        .changed()
    }

    /// Another batch in the place of each, or an error.
    pub fn try_map<E: Into<BoxError>>(
        self,
        f: impl Fn(RecordBatch) -> Result<RecordBatch, E> + Send + Sync + 'static,
    ) -> Self {
        self.now("try_map", move |chunk| {
            let batch = f(chunk.batch().clone()).map_err(Into::into)?;
            Ok(chunk.with_batch(batch))
        })
        .changed()
    }

    /// Another batch in the place of each, when it is there.
    pub fn then<F, E>(self, f: impl Fn(RecordBatch) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<RecordBatch, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let later = move |chunk: Chunk| {
            let batch = f(chunk.batch().clone());
            async move {
                let batch = batch
                    .await
                    .map_err(|error| ProcessorError::from(error.into()))?;
                Ok(chunk.with_batch(batch))
            }
            .boxed()
        };
        self.work("then", Operation::Later(Arc::new(later)))
            .changed()
    }

    /// Another chunk in the place of each: with its number, place and metadata.
    pub fn transform(
        self,
        f: impl Fn(Chunk) -> Result<Chunk, ProcessorError> + Send + Sync + 'static,
    ) -> Self {
        self.now("transform", f).changed()
    }

    /// The rows for which it is true.
    pub fn filter(self, f: impl Fn(Row<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.now("filter", move |chunk| filter(chunk, |row| Ok(f(row))))
    }

    /// The rows for which it is true, or an error.
    pub fn try_filter<E: Into<BoxError>>(
        self,
        f: impl Fn(Row<'_>) -> Result<bool, E> + Send + Sync + 'static,
    ) -> Self {
        self.now("try_filter", move |chunk| {
            filter(chunk, |row| f(row).map_err(|error| error.into().into()))
        })
    }

    /// What a processor makes of each chunk.
    pub fn process(self, processor: Arc<dyn Processor>) -> Self {
        let schema = match self.schema.as_ref().map(|it| processor.output_schema(it)) {
            Some(Ok(schema)) => Some(schema),
            None => None,
            Some(Err(error)) => {
                let error = crate::StreamError::outside(processor.name(), error);
                return self.broken(error);
            }
        };
        let operation = Operation::Processor(Arc::clone(&processor));
        let mut stream = self.work(processor.name(), operation);
        stream.processors.push(processor);
        stream.schema = schema;
        stream
    }

    /// Says what the columns are now. A chunk with others fails.
    pub fn expect_schema(self, schema: SchemaRef) -> Self {
        let expected = Arc::clone(&schema);
        let mut stream = self.now("expect_schema", move |chunk| {
            let found = chunk.schema();
            if Arc::ptr_eq(&found, &expected) {
                return Ok(chunk);
            }
            let of = |schema: &SchemaRef| {
                let fields = schema.fields().iter();
                let fields = fields.map(|field| (field.name().clone(), field.data_type().clone()));
                fields.collect::<Vec<_>>()
            };
            if of(&found) != of(&expected) {
                let others = OtherColumns {
                    found: shown(&found),
                    expected: shown(&expected),
                };
                return Err(ProcessorError::new(ErrorKind::Schema, others));
            }
            // (It fails for NULL where there must be none.)
            let columns = chunk.batch().columns().to_vec();
            let rows = RecordBatchOptions::new().with_row_count(Some(chunk.rows()));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&expected), columns, &rows)?;
            Ok(chunk.with_batch(batch))
        });
        stream.schema = Some(schema);
        stream
    }

    fn now(
        self,
        name: &'static str,
        f: impl Fn(Chunk) -> Result<Chunk, ProcessorError> + Send + Sync + 'static,
    ) -> Self {
        self.work(name, Operation::Now(Arc::new(f)))
    }

    /// Nobody knows the columns of what a closure gives.
    fn changed(mut self) -> Self {
        self.schema = None;
        self
    }
}

fn filter(
    chunk: Chunk,
    keep: impl Fn(Row<'_>) -> Result<bool, ProcessorError>,
) -> Result<Chunk, ProcessorError> {
    let rows = Rows::new(&chunk);
    let mask = (0..chunk.rows())
        .map(|index| keep(rows.row(index)))
        .collect::<Result<Vec<bool>, _>>()?;
    rows.check()?;
    drop(rows);
    Ok(chunk.filter(&BooleanArray::from(mask))?)
}

fn shown(schema: &SchemaRef) -> String {
    let fields = schema
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.name(), field.data_type()));
    format!("({})", fields.collect::<Vec<_>>().join(", "))
}
