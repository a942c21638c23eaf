//! PostgreSQL and SQLite as tables and sinks of Biotide.
//!
//! ```text
//! postgres://… or sqlite:… ─► DatabaseTarget ─┬─► open_sink ─► write, commit, finish     (sink/)
//!                                             └─► DatabaseTable, a TableProvider         (table/)
//! ```
//!
//! Rows go to PostgreSQL by binary `COPY` and to SQLite by prepared statements. A position of the caller
//! is written by the transaction that writes the rows, so a run that is resumed writes each row once.
//!
//! # Types
//!
//! | Arrow | PostgreSQL | read as | SQLite | read as |
//! |---|---|---|---|---|
//! | Boolean | boolean | Boolean | BOOLEAN (0, 1) | Boolean |
//! | Int8, Int16, UInt8 | smallint | Int16 | INTEGER | Int64 |
//! | Int32, UInt16 | integer | Int32 | INTEGER | Int64 |
//! | Int64, UInt32 | bigint | Int64 | INTEGER | Int64 |
//! | UInt64 | numeric(20,0) | Decimal128(20,0) | INTEGER, an error above 2⁶³-1 | Int64 |
//! | Float16, Float32 | real | Float32 | REAL, NaN is NULL | Float64 |
//! | Float64 | double precision | Float64 | REAL, NaN is NULL | Float64 |
//! | Decimal(p, s) | numeric(p,s) | Decimal128, text if p > 38 | `DECIMAL_TEXT(p,s)` | the same |
//! | text, dictionaries of it | text | Utf8View | TEXT | Utf8View |
//! | binary | bytea | Binary | BLOB | Binary |
//! | Date32, Date64 | date | Date32 | DATE, `2020-01-31` | Date32 |
//! | Time | time | Time64(µs) | TIME, `13:00:00.000000` | Time64(µs) |
//! | Timestamp | timestamp | Timestamp(µs) | TIMESTAMP, `2020-01-31 13:00:00.000000` | Timestamp(µs) |
//! | Timestamp with zone | timestamptz | Timestamp(µs, UTC) | TIMESTAMPTZ, the same with `Z` | Timestamp(µs, UTC) |
//! | Interval, Duration | interval | Interval(MonthDayNano) | refused: CAST to VARCHAR or BIGINT | |
//! | List of scalars | array | List | `JSON_TEXT` | Utf8View |
//! | Struct, Map, other lists | jsonb | Utf8View | `JSON_TEXT` | Utf8View |
//! | Null | text | Utf8View | TEXT | Utf8View |
//!
//! Nanoseconds are cut to microseconds. SQLite has no decimals: as numbers they would lose digits after
//! the fifteenth, so they are text, in a type whose name gives it the affinity of text.

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
pub use sink::{Commit, DatabaseSink, Position, SinkOptions, SinkSummary, WriteMode, open_sink};
pub use table::DatabaseTable;
pub use target::{DatabaseTarget, PostgresTarget, SqliteTarget, TableName, is_database};
