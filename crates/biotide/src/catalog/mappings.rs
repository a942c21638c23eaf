//! The table `system.mappings`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use biotide_exec::catalog::{Mapping, Mappings};
use biotide_exec::index::Index;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream;

/// The mappings of a session, as they are when the table is read.
#[derive(Debug)]
pub(super) struct MappingsTable {
    schema: SchemaRef,
    mappings: Arc<Mappings>,
}

/// A count of an index.
type Count = (&'static str, fn(&Index) -> u64);

const COUNTS: [Count; 7] = [
    ("identifiers", |index| index.nodes().into()),
    ("edges", |index| index.counts().edges),
    ("negated", |index| index.counts().negated),
    ("self_loops", |index| index.counts().self_loops),
    ("duplicates", |index| index.counts().duplicates),
    ("rejected", |index| index.counts().rejected),
    ("skipped", |index| index.counts().skipped),
];

impl MappingsTable {
    pub(super) fn new(mappings: Arc<Mappings>) -> Self {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let mut fields = vec![text("mapping")];
        fields.extend(COUNTS.map(|(name, _)| Field::new(name, DataType::Int64, true)));
        fields.push(text("prefixes"));
        Self {
            schema: Arc::new(Schema::new(fields)),
            mappings,
        }
    }
}

impl PartitionStream for MappingsTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let all = self.mappings.all();
        let names = all.iter().map(|mapping| Some(mapping.name()));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(names.collect::<StringArray>())];
        for (_, count) in COUNTS {
            let count = |mapping: &Arc<Mapping>| {
                let index = mapping.loaded()?;
                i64::try_from(count(index)).ok()
            };
            columns.push(Arc::new(all.iter().map(count).collect::<Int64Array>()));
        }
        let prefixes = all
            .iter()
            .map(|mapping| Some(mapping.loaded()?.prefixes().join("|")));
        columns.push(Arc::new(prefixes.collect::<StringArray>()));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let batches = stream::iter([batch.map_err(Into::into)]);
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            batches,
        ))
    }
}
