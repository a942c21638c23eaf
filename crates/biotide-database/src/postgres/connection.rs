//! A connection, and the task that drives it.

use std::time::Duration;

use datafusion_common_runtime::SpawnedTask;
use tokio_postgres::{Client, NoTls};

use crate::error::DatabaseError;
use crate::target::PostgresTarget;

/// How long the end of a connection is waited for, to say why it ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// Ends when dropped: what was not committed is rolled back by the server.
pub(crate) struct Connection {
    pub(crate) client: Client,
    driver: Option<SpawnedTask<Result<(), tokio_postgres::Error>>>,
}

impl Connection {
    pub(crate) async fn open(target: &PostgresTarget) -> Result<Self, DatabaseError> {
        let doing = || format!("connecting to {target}");
        let failed = |error| DatabaseError::postgres(doing(), error);
        let (client, connection) = target.config.connect(NoTls).await.map_err(failed)?;
        let connection = Self {
            client,
            driver: Some(SpawnedTask::spawn(connection)),
        };
        // (Literals that we write rely on it; some servers of old applications have it off.)
        let set = "SET standard_conforming_strings = on";
        connection.client.batch_execute(set).await.map_err(failed)?;
        Ok(connection)
    }

    /// Sets aside how long statements and transactions may take: a COPY takes as long as its rows take to
    /// come. What the URL itself says stays. And what is committed is durable: whoever notes that relies on
    /// it, whatever a server would lose in a crash otherwise.
    pub(crate) async fn prepare_to_write(&mut self) -> Result<(), DatabaseError> {
        let set = "SELECT set_config(name, '0', false) FROM pg_settings WHERE source <> 'client' AND name IN \
                   ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout'); \
                   SELECT set_config('synchronous_commit', 'on', false) \
                   WHERE current_setting('synchronous_commit') = 'off'";
        self.run("preparing to write", set).await
    }

    /// The error, with the cause of the connection's end if it has ended.
    pub(crate) async fn explain(
        &mut self,
        doing: impl Into<String>,
        mut error: tokio_postgres::Error,
    ) -> DatabaseError {
        if error.is_closed()
            && let Some(driver) = self.driver.take()
            && let Ok(Ok(Err(cause))) = tokio::time::timeout(FAREWELL, driver.join()).await
        {
            error = cause;
        }
        DatabaseError::postgres(doing, error)
    }

    /// Runs statements that return nothing.
    pub(crate) async fn run(&mut self, doing: &str, sql: &str) -> Result<(), DatabaseError> {
        match self.client.batch_execute(sql).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.explain(doing, error).await),
        }
    }
}
