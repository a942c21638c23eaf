//! JSON Lines: an object a row. A NULL is a key that is not there.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use datafusion_common::Result;

use super::TextEncoder;

/// An object a row.
#[derive(Debug, Clone, Copy)]
pub struct JsonLinesEncoder;

impl TextEncoder for JsonLinesEncoder {
    fn header(&self, _schema: &Schema) -> Vec<u8> {
        Vec::new()
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let builder = WriterBuilder::new().with_explicit_nulls(false);
        let mut writer = builder.build::<_, LineDelimited>(Vec::new());
        writer.write(batch)?;
        writer.finish()?;
        Ok(writer.into_inner())
    }
}
