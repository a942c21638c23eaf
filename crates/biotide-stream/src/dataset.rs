//! What can be streamed again and again.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use futures::stream;
use serde::Serialize;

use crate::errors::BoxError;
use crate::stream::Stream;

/// Bytes that a batch should have: enough to make up for what a batch costs, and little beside the caches.
const BATCH_BYTES: usize = 1 << 20;

/// A description of rows. Each of its streams reads for itself, so they can be used at the same time.
#[derive(Clone)]
pub struct Dataset {
    name: Arc<str>,
    schema: SchemaRef,
    metadata: DatasetMetadata,
    open: Arc<dyn Fn() -> Stream + Send + Sync>,
}

/// What is known of a dataset before it is read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetMetadata {
    /// Whether its rows come as they are read. If not, it is read whole first.
    pub streaming_supported: bool,
    /// Rows of a batch that suit it.
    pub recommended_batch_size: usize,
    /// MB (10⁶ bytes) that such a batch is expected to take.
    pub memory_estimate_mb: f64,
    /// How many rows there are, if that is known.
    pub rows: Option<u64>,
}

impl DatasetMetadata {
    /// What the columns let expect.
    pub fn of(schema: &Schema) -> Self {
        let fields = schema.fields().iter();
        let width: usize = fields.map(|field| width(field.data_type())).sum();
        let width = width.max(1);
        let rows = (BATCH_BYTES / width).clamp(1, 65_536);
        // (The greatest power of two below it.)
        let rows = 1 << rows.ilog2();
        Self {
            streaming_supported: true,
            recommended_batch_size: rows,
            memory_estimate_mb: (rows * width) as f64 / 1e6,
            rows: None,
        }
    }
}

/// Bytes that a value is expected to take.
fn width(kind: &DataType) -> usize {
    match kind {
        DataType::Null | DataType::Boolean => 1,
        DataType::List(of) | DataType::LargeList(of) | DataType::Map(of, _) => {
            8 + 4 * width(of.data_type())
        }
        DataType::FixedSizeList(of, n) => usize::try_from(*n).unwrap_or(1) * width(of.data_type()),
        DataType::Struct(fields) => fields.iter().map(|field| width(field.data_type())).sum(),
        DataType::Dictionary(key, _) => width(key),
        kind => kind.primitive_width().unwrap_or(32),
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("name", &self.name)
            .field("schema", &self.schema)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

impl Dataset {
    /// Rows that `open` gives anew each time it is called.
    pub fn new<S, E>(
        name: impl Into<Arc<str>>,
        schema: SchemaRef,
        open: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self
    where
        S: futures::Stream<Item = Result<RecordBatch, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let name = name.into();
        let (called, columns) = (Arc::clone(&name), Arc::clone(&schema));
        let open = move || Stream::from_batches(Arc::clone(&called), Arc::clone(&columns), open());
        Self {
            metadata: DatasetMetadata::of(&schema),
            name,
            schema,
            open: Arc::new(open),
        }
    }

    /// Rows in memory.
    pub fn from_memory(
        name: impl Into<Arc<str>>,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Self {
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let batches: Arc<[RecordBatch]> = batches.into();
        let mut dataset = Self::new(name, schema, move || {
            let batches = Arc::clone(&batches);
            let each =
                (0..batches.len()).map(move |i| Ok::<_, DataFusionError>(batches[i].clone()));
            stream::iter(each)
        });
        dataset.metadata.rows = Some(rows);
        dataset
    }

    /// Says more than the columns tell.
    #[must_use]
    pub fn with_metadata(mut self, metadata: DatasetMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What is known of it.
    pub fn metadata(&self) -> &DatasetMetadata {
        &self.metadata
    }

    /// Its rows from the first on, whatever else is read of it.
    pub fn stream(&self) -> Stream {
        let mut stream = (self.open)();
        stream.expect_rows(self.metadata.rows);
        stream
    }
}
