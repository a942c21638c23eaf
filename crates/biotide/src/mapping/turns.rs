//! Sources are read a few at a time: the files of a glob can be thousands.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

/// Sources that are read at a time.
const AT_ONCE: usize = 16;

/// Deals out turns.
#[derive(Debug)]
pub(super) struct Turns(Arc<Semaphore>);

impl Turns {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// That of a source.
    pub(super) fn one(&self) -> Arc<Turn> {
        Arc::new(Turn {
            turns: Arc::clone(&self.0),
            permit: OnceCell::new(),
        })
    }
}

/// The turn of a source: its partitions have it together, until the last of them is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Semaphore>,
    permit: OnceCell<OwnedSemaphorePermit>,
}

impl Turn {
    async fn come(&self) -> Result<()> {
        let permit = || Arc::clone(&self.turns).acquire_owned();
        let come = self.permit.get_or_try_init(permit).await;
        come.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(())
    }

    /// The rows of a partition, which waits for it.
    pub(super) fn rows(
        self: Arc<Self>,
        rows: SendableRecordBatchStream,
    ) -> SendableRecordBatchStream {
        let schema = rows.schema();
        let turn = Arc::clone(&self);
        let start = async move {
            turn.come().await?;
            Ok::<_, DataFusionError>(rows)
        };
        let rows = stream::once(start).try_flatten().map(move |batch| {
            let _held = &self;
            batch
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}
