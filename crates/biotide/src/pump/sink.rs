//! What rows are pumped into.

use async_trait::async_trait;
use biotide_database::DatabaseSink;
use biotide_formats::sink::resumable::{Durable, FileSink};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result};

/// Takes rows in order.
#[async_trait]
pub(crate) trait RowSink: Send {
    /// Takes a batch.
    async fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Makes durable what it has taken. What a file is like then is needed to go on with it; a database knows by
    /// itself.
    async fn commit(&mut self) -> Result<Option<Durable>>;
}

#[async_trait]
impl RowSink for Box<dyn FileSink> {
    async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        (**self).write(batch).await
    }

    async fn commit(&mut self) -> Result<Option<Durable>> {
        Ok(Some((**self).commit().await?))
    }
}

#[async_trait]
impl RowSink for Box<dyn DatabaseSink> {
    async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let written = (**self).write(batch).await;
        written.map_err(DataFusionError::from)
    }

    async fn commit(&mut self) -> Result<Option<Durable>> {
        (**self).commit("").await.map_err(DataFusionError::from)?;
        Ok(None)
    }
}
