//! Where streams end.

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use crate::chunk::Chunk;
use crate::errors::ProcessorError;

/// Takes chunks, one after another.
#[async_trait]
pub trait Sink: Send {
    /// What messages call it.
    fn name(&self) -> &str {
        "sink"
    }

    /// Called once, before the first chunk is read. The columns are given if they are known by then.
    ///
    /// # Errors
    ///
    /// It cannot take anything. Nothing is read.
    async fn initialize(&mut self, _schema: Option<&SchemaRef>) -> Result<(), ProcessorError> {
        Ok(())
    }

    /// Takes a chunk.
    ///
    /// # Errors
    ///
    /// It could not. The run ends: nothing says that a second try would not write it twice.
    async fn write_chunk(&mut self, chunk: Chunk) -> Result<(), ProcessorError>;

    /// Called once, after the last chunk. What it gives stands in the summary.
    ///
    /// # Errors
    ///
    /// What was taken could not be kept.
    async fn finalize(&mut self) -> Result<serde_json::Value, ProcessorError> {
        Ok(serde_json::Value::Null)
    }

    /// Called instead of `finalize` when the run ended early.
    async fn abort(&mut self) {}
}

#[async_trait]
impl<S: Sink + ?Sized> Sink for &mut S {
    fn name(&self) -> &str {
        (**self).name()
    }

    async fn initialize(&mut self, schema: Option<&SchemaRef>) -> Result<(), ProcessorError> {
        (**self).initialize(schema).await
    }

    async fn write_chunk(&mut self, chunk: Chunk) -> Result<(), ProcessorError> {
        (**self).write_chunk(chunk).await
    }

    async fn finalize(&mut self) -> Result<serde_json::Value, ProcessorError> {
        (**self).finalize().await
    }

    async fn abort(&mut self) {
        (**self).abort().await;
    }
}
