//! Work on chunks that begins, goes on and ends.

mod exec;
mod logical;
mod options;

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use crate::chunk::Chunk;
use crate::errors::ProcessorError;

pub use exec::ProcessorExec;
pub use logical::ProcessorNode;
pub use options::ProcessorOptions;

/// Works on chunks, several at a time.
///
/// A chunk that fails is given again in halves, so the work on it must not leave traces when it fails.
#[async_trait]
pub trait Processor: Debug + Send + Sync {
    /// What messages and plans call it.
    fn name(&self) -> &str;

    /// The columns that it gives for these.
    ///
    /// # Errors
    ///
    /// Columns that it cannot work on.
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, ProcessorError> {
        Ok(Arc::clone(input))
    }

    /// Called once, before the first chunk is read.
    ///
    /// # Errors
    ///
    /// It cannot work. The run ends.
    async fn initialize(&self) -> Result<(), ProcessorError> {
        Ok(())
    }

    /// Works on a chunk.
    ///
    /// # Errors
    ///
    /// The kind tells whether it is tried again, in halves, or neither.
    async fn process_chunk(&self, chunk: Chunk) -> Result<Chunk, ProcessorError>;

    /// Called once, after the last chunk, also when the run ended early. What it gives stands in the summary.
    ///
    /// Where the rows are let go before their end (a LIMIT has enough, somebody else failed, Ctrl-C) nobody is left to
    /// wait for it: then it is called on a task of its own, after the report perhaps, and not at all if the runtime is
    /// shut down before.
    ///
    /// # Errors
    ///
    /// Its work could not be ended.
    async fn finalize(&self) -> Result<serde_json::Value, ProcessorError> {
        Ok(serde_json::Value::Null)
    }
}
