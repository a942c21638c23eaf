//! Writing to PostgreSQL.

mod copy;
mod open;
mod plan;

use std::time::Instant;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::BytesMut;

use super::{DatabaseSink, SinkOptions, SinkSummary, WriteMode, statements};
use crate::error::DatabaseError;
use crate::postgres::catalog;
use crate::postgres::connection::Connection;
use copy::{Copy, CopyError, Form};
pub(super) use open::open;
use plan::Plan;

struct PostgresSink {
    connection: Connection,
    /// The database and the table, for messages.
    shown: String,
    options: SinkOptions,
    plan: Plan,
    form: Form,
    /// Rows of earlier runs of this id, and of this one.
    before: u64,
    rows: u64,
    bytes: u64,
    copy: Option<Copy>,
    /// The first row of the COPY that runs, or ran last; the server counts its lines from there.
    copied_from: u64,
    /// Whether rows wait in the temporary table of an upsert.
    unmerged: bool,
    /// Whether a transaction is open.
    open: bool,
    buffer: BytesMut,
    failed: bool,
    started: Instant,
}

impl PostgresSink {
    fn doing(&self, what: &str) -> String {
        format!("{what} {}", self.shown)
    }

    /// Runs SQL for what `what` says.
    async fn run(&mut self, what: &str, sql: &str) -> Result<(), DatabaseError> {
        let doing = self.doing(what);
        self.connection.run(&doing, sql).await
    }

    async fn told(&mut self, error: CopyError) -> DatabaseError {
        match error {
            CopyError::Row(error) => error,
            CopyError::Driver(error) => {
                let start = self.copied_from + 1;
                let doing = self.doing(&format!("writing rows (from row {start} on) to"));
                self.connection.explain(doing, error).await
            }
        }
    }

    /// Opens a transaction unless one is open. The first one makes the tables that are needed.
    async fn begin(&mut self) -> Result<(), DatabaseError> {
        if self.open {
            return Ok(());
        }
        self.run("beginning to write to", "BEGIN").await?;
        self.open = true;
        for sql in std::mem::take(&mut self.plan.prepare) {
            self.run("making what is needed to write to", &sql).await?;
        }
        Ok(())
    }

    async fn take(&mut self, batch: &RecordBatch) -> Result<(), DatabaseError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut copy = match self.copy.take() {
            Some(copy) => copy,
            None => {
                self.begin().await?;
                self.copied_from = self.rows;
                let buffer = std::mem::take(&mut self.buffer);
                let started = Copy::start(&self.connection.client, &self.plan.copy(), buffer).await;
                match started {
                    Ok(copy) => copy,
                    Err(error) => return Err(self.told(error.into()).await),
                }
            }
        };
        if let Err(error) = copy.write(&self.form, batch, self.rows).await {
            return Err(self.told(error).await);
        }
        self.rows += batch.num_rows() as u64;
        self.unmerged = self.form.numbered;
        let is_long = copy.is_long();
        self.copy = Some(copy);
        if is_long {
            self.end_copy().await?;
        }
        Ok(())
    }

    /// Ends the COPY, so that the connection takes other statements.
    async fn end_copy(&mut self) -> Result<(), DatabaseError> {
        let Some(copy) = self.copy.take() else {
            return Ok(());
        };
        match copy.finish().await {
            Ok((bytes, buffer)) => {
                self.bytes += bytes;
                self.buffer = buffer;
            }
            Err(error) => return Err(self.told(error).await),
        }
        Ok(())
    }

    /// Ends the COPY, and brings its rows to the target where they went to a temporary table.
    async fn settle(&mut self) -> Result<(), DatabaseError> {
        self.end_copy().await?;
        if self.unmerged {
            let merge = self.plan.merge();
            self.run("merging rows into", &merge).await?;
            self.unmerged = false;
        }
        Ok(())
    }

    async fn keep(&mut self, position: &str) -> Result<(), DatabaseError> {
        if !self.options.commits() {
            return Ok(());
        }
        self.settle().await?;
        if let Some(run) = self.options.run() {
            let (target, rows) = (self.plan.target.to_string(), self.before + self.rows);
            let positions = &self.plan.positions;
            let keep = statements::keep_position(positions, run, &target, position, rows);
            self.begin().await?;
            self.run("keeping the position of", &keep).await?;
        }
        self.end().await
    }

    async fn end(&mut self) -> Result<(), DatabaseError> {
        if self.open {
            self.run("committing rows to", "COMMIT").await?;
            self.open = false;
        }
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), DatabaseError> {
        self.settle().await?;
        self.begin().await?;
        if self.options.mode == WriteMode::Replace {
            // Nobody makes a view of the table between looking and dropping.
            let target = self.plan.target.quoted();
            let lock = format!("LOCK TABLE {target} IN SHARE ROW EXCLUSIVE MODE");
            self.run("locking", &lock).await?;
            let (client, plan) = (&self.connection.client, &self.plan);
            let put = match catalog::is_plain(client, &plan.target).await? {
                true => {
                    let indexes = catalog::alike(client, &plan.written, &target).await?;
                    plan.swap(&indexes)
                }
                false => plan.exchange_rows(),
            };
            self.run("replacing the rows of", &put).await?;
        }
        if let Some(run) = self.options.run() {
            let target = self.plan.target.to_string();
            let forget = statements::forget_position(&self.plan.positions, run, &target);
            self.run("forgetting the position of", &forget).await?;
        }
        self.end().await
    }

    fn usable(&self) -> Result<(), DatabaseError> {
        match self.failed {
            false => Ok(()),
            true => Err(DatabaseError::Ended {
                table: self.plan.target.to_string(),
            }),
        }
    }
}

#[async_trait]
impl DatabaseSink for PostgresSink {
    async fn write(&mut self, batch: &RecordBatch) -> Result<(), DatabaseError> {
        self.usable()?;
        // (Until it is done: a call that is dropped half way leaves half a row in the COPY.)
        self.failed = true;
        self.take(batch).await?;
        self.failed = false;
        Ok(())
    }

    async fn commit(&mut self, position: &str) -> Result<(), DatabaseError> {
        self.usable()?;
        self.failed = true;
        self.keep(position).await?;
        self.failed = false;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<SinkSummary, DatabaseError> {
        self.usable()?;
        self.complete().await?;
        Ok(SinkSummary {
            rows: self.before + self.rows,
            bytes: self.bytes,
            table: self.plan.target.to_string(),
            mode: self.options.mode.name(),
            seconds: self.started.elapsed().as_secs_f64(),
            format: "postgres",
        })
    }

    async fn abort(mut self: Box<Self>) -> Result<(), DatabaseError> {
        // A COPY that is dropped tells the server that it failed.
        drop(self.copy.take());
        if self.open {
            self.run("giving up rows of", "ROLLBACK").await?;
        }
        Ok(())
    }
}
