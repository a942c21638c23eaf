//! Writing batches into a table.
//!
//! | mode | while rows come | at the end |
//! |---|---|---|
//! | append | the table itself | |
//! | replace | PostgreSQL: a staging table beside it. SQLite: the table in one transaction, or a staging table | the rows take the place of the old ones in one transaction |
//! | upsert | PostgreSQL: a temporary table, merged at each commit. SQLite: the table itself | |
//!
//! What is missing is made by the first transaction: a sink that commits nothing leaves nothing. A replacement
//! is refused where a foreign key would have rows of other tables go, or change, with the old ones.
//!
//! With [`Commit::PerChunk`], [`DatabaseSink::commit`] ends a transaction that holds the rows and, if the
//! run has an id, the caller's position, in `biotide_positions` beside the table. Who opens a sink with
//! the id of a run that was broken off gets that [`Position`] and goes on there.

mod differences;
mod options;
mod postgres;
mod sqlite;
mod statements;
#[cfg(test)]
mod tests;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

pub use options::{Commit, Position, SinkOptions, SinkSummary, WriteMode};

use crate::error::DatabaseError;
use crate::target::DatabaseTarget;

/// Where rows of one schema go. After an error it takes nothing more, and what was not committed is
/// rolled back.
#[async_trait]
pub trait DatabaseSink: Send {
    /// Takes the rows of a batch. That a row is wrong may be told by a later call.
    ///
    /// # Errors
    /// A value that cannot be stored is a [`DatabaseError::Value`] with its column and row.
    async fn write(&mut self, batch: &RecordBatch) -> Result<(), DatabaseError>;

    /// Makes everything written so far durable together with `position`, an opaque text of the caller.
    /// With [`Commit::Once`] it does nothing: all becomes durable in [`DatabaseSink::finish`].
    ///
    /// # Errors
    /// If it fails, the rows since the last commit are not there; but if the connection is lost while the
    /// server commits, nobody knows: open the sink anew and see which position it has.
    async fn commit(&mut self, position: &str) -> Result<(), DatabaseError>;

    /// Commits the rest, puts the rows in their place and forgets the position.
    ///
    /// # Errors
    /// As [`DatabaseSink::commit`]. A run with an id can be resumed from its last position.
    async fn finish(self: Box<Self>) -> Result<SinkSummary, DatabaseError>;

    /// Gives up what was not committed. What was stays, with its position, if the run has an id.
    ///
    /// # Errors
    /// If the database does not answer; it then rolls back by itself.
    async fn abort(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// Opens a table for rows of `schema`, matched to its columns by name, and creates it if
/// [`SinkOptions::create`] says so. The position is that of an earlier run of the same id, if it was
/// broken off: the caller goes on behind it.
///
/// # Errors
/// A database that is not there ([`DatabaseError::is_retriable`] tells whether it may come), a table
/// whose columns differ ([`DatabaseError::Table`], with all differences), a type that the database does
/// not take.
pub async fn open_sink(
    target: &DatabaseTarget,
    schema: SchemaRef,
    options: SinkOptions,
) -> Result<(Box<dyn DatabaseSink>, Option<Position>), DatabaseError> {
    options.check(target, &schema)?;
    match target {
        DatabaseTarget::Postgres(target) => postgres::open(target, schema, options).await,
        DatabaseTarget::Sqlite(target) => sqlite::open(target, schema, options).await,
    }
}
