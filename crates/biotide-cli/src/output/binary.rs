//! Arrow IPC and Parquet, for a pipe or a redirected standard output.

use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::ResultWriter;
use super::stdout::Stdout;

/// Writes an Arrow IPC stream.
pub(crate) struct ArrowWriter {
    writer: StreamWriter<BufWriter<Stdout>>,
}

impl ArrowWriter {
    pub(crate) fn new(out: BufWriter<Stdout>, schema: &SchemaRef) -> anyhow::Result<Self> {
        Ok(Self {
            writer: StreamWriter::try_new(out, schema)?,
        })
    }
}

impl ResultWriter for ArrowWriter {
    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        self.writer.write(batch)?;
        Ok(self.writer.flush()?)
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        self.writer.finish()?;
        Ok(self.writer.flush()?)
    }
}

/// Writes a Parquet file. Its row groups are small, as no memory is set aside for them: `-o FILE` writes
/// large ones.
pub(crate) struct ParquetWriter {
    writer: parquet::arrow::ArrowWriter<BufWriter<Stdout>>,
}

impl ParquetWriter {
    /// Bytes of a row group.
    const GROUP: usize = 8 << 20;

    pub(crate) fn new(out: BufWriter<Stdout>, schema: &SchemaRef) -> anyhow::Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_max_row_group_bytes(Some(Self::GROUP))
            .build();
        let writer =
            parquet::arrow::ArrowWriter::try_new(out, SchemaRef::clone(schema), Some(properties))?;
        Ok(Self { writer })
    }
}

impl ResultWriter for ParquetWriter {
    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        Ok(self.writer.write(batch)?)
    }

    fn finish(self: Box<Self>) -> anyhow::Result<()> {
        Ok(self.writer.into_inner()?.flush()?)
    }
}
