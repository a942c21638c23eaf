//! A writer that is at work elsewhere now and then.

use datafusion_common::{DataFusionError, Result, internal_err};
use datafusion_common_runtime::SpawnedTask;

/// A writer, or the task that has it and gives it back.
#[derive(Debug)]
pub(super) enum Slot<T> {
    Idle(T),
    Busy(SpawnedTask<Result<T>>),
    /// A task has failed, and the writer is lost.
    Lost,
}

impl<T: Send + 'static> Slot<T> {
    /// Waits for the task, and takes the writer.
    pub(super) async fn take(&mut self) -> Result<T> {
        match std::mem::replace(self, Self::Lost) {
            Self::Idle(writer) => Ok(writer),
            Self::Busy(task) => joined(task).await,
            Self::Lost => internal_err!("a file is written after writing it has failed"),
        }
    }

    /// Waits for the task, if any; its error is told elsewhere.
    pub(super) async fn settle(&mut self) {
        if let Self::Busy(task) = std::mem::replace(self, Self::Lost) {
            joined(task).await.ok();
        }
    }

    /// Waits for the last task, and has the next one go on.
    pub(super) async fn proceed(
        &mut self,
        work: impl FnOnce(&mut T) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let mut writer = self.take().await?;
        *self = Self::Busy(SpawnedTask::spawn_blocking(move || {
            work(&mut writer)?;
            Ok(writer)
        }));
        Ok(())
    }

    /// Waits for the last task, does something, and tells what came of it.
    pub(super) async fn run<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut T) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let mut writer = self.take().await?;
        let task = SpawnedTask::spawn_blocking(move || {
            let result = work(&mut writer)?;
            Ok((writer, result))
        });
        let (writer, result) = joined(task).await?;
        *self = Self::Idle(writer);
        Ok(result)
    }
}

/// The result of a task; its panic goes on.
pub(super) async fn joined<T: 'static>(task: SpawnedTask<Result<T>>) -> Result<T> {
    let joined = task.join_unwind().await;
    joined.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))?
}
