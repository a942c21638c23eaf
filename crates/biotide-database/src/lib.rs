//! PostgreSQL and SQLite as tables and sinks of Biotide.
//!
//! ```text
//! postgres://… or sqlite:… ─► DatabaseTarget ─┬─► open_sink ─► write, commit, finish     (sink/)
//!                                             └─► DatabaseTable, a TableProvider         (table/)
//! ```
//!
//! Rows go to PostgreSQL by binary `COPY` and to SQLite by prepared statements. A position of the caller
//! is written by the transaction that writes the rows, so a run that is resumed writes each row once.

mod error;
mod postgres;
mod sink;
mod sql;
mod sqlite;
mod table;
mod target;
#[cfg(test)]
mod testing;
mod types;

pub use error::DatabaseError;
pub use sink::{
    Commit, DatabaseSink, Position, SinkOptions, SinkSummary, WriteMode, open_sink,
};
pub use table::DatabaseTable;
pub use target::{DatabaseTarget, PostgresTarget, SqliteTarget, TableName, is_database};
