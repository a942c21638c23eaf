//! CSV, TSV and JSON Lines, in the spelling in which files of these formats are written.

use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use biotide::TextEncoder;

use super::ResultWriter;
use super::stdout::Stdout;

/// Writes what an encoder makes of the rows.
pub(crate) struct TextWriter<E> {
    out: BufWriter<Stdout>,
    encoder: E,
}

impl<E: TextEncoder> TextWriter<E> {
    /// Writes the header.
    pub(crate) fn new(
        mut out: BufWriter<Stdout>,
        schema: &Schema,
        encoder: E,
    ) -> anyhow::Result<Self> {
        out.write_all(&encoder.header(schema))?;
        Ok(Self { out, encoder })
    }
}

impl<E: TextEncoder> ResultWriter for TextWriter<E> {
    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        self.out.write_all(&self.encoder.encode(batch)?)?;
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}
