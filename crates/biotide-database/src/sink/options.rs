//! How rows are written, and what came of it.

use arrow::datatypes::Schema;
use serde::Serialize;

use crate::error::DatabaseError;
use crate::target::DatabaseTarget;

/// What becomes of the rows that a table has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// They stay; rows are added.
    #[default]
    Append,
    /// They give way to the new rows, all at once, when all have come.
    Replace,
    /// A row with the key of a new row is updated by it; other new rows are added. Of new rows with the
    /// same key the last one wins. The table needs a unique index on the key; one that is created gets it.
    Upsert {
        /// Names of the columns that tell rows apart.
        key: Vec<String>,
    },
}

impl WriteMode {
    /// `append`, `replace` or `upsert`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Upsert { .. } => "upsert",
        }
    }

    /// The key of an upsert; empty otherwise.
    pub(crate) fn key(&self) -> &[String] {
        match self {
            Self::Upsert { key } => key,
            _ => &[],
        }
    }
}

/// When rows become durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Commit {
    /// All in one transaction, at the end.
    #[default]
    Once,
    /// At each [`commit`](crate::DatabaseSink::commit). (A replacement without an id of its run cannot be
    /// resumed, and is written at once.)
    PerChunk,
}

/// How rows are written.
#[derive(Debug, Clone)]
pub struct SinkOptions {
    /// What becomes of the rows that are there.
    pub mode: WriteMode,
    /// When rows become durable.
    pub commit: Commit,
    /// Whether to create the table if it does not exist.
    pub create: bool,
    /// What a broken run is known by when it is resumed; without it no position is kept.
    pub run_id: Option<String>,
    /// Rows of an INSERT of SQLite: the more, the less work a row; the number of its parameters limits
    /// it further. PostgreSQL does not use it.
    pub batch_rows: usize,
}

impl Default for SinkOptions {
    fn default() -> Self {
        Self {
            mode: WriteMode::Append,
            commit: Commit::Once,
            create: true,
            run_id: None,
            batch_rows: 32,
        }
    }
}

impl SinkOptions {
    /// The id of the run, if positions are kept.
    pub(crate) fn run(&self) -> Option<&str> {
        self.run_id.as_deref()
    }

    /// Whether `commit` commits.
    pub(crate) fn commits(&self) -> bool {
        let resumable = self.mode != WriteMode::Replace || self.run_id.is_some();
        self.commit == Commit::PerChunk && resumable
    }

    /// Refuses what is wrong before any database is asked: columns that it would not tell apart, or a key that the rows
    /// do not have.
    pub fn check(&self, target: &DatabaseTarget, schema: &Schema) -> Result<(), DatabaseError> {
        let mut problems = Vec::new();
        if schema.fields().is_empty() {
            problems.push("the rows have no columns".to_owned());
        }
        let (database, most) = match target {
            DatabaseTarget::Postgres(_) => ("PostgreSQL", 1600),
            DatabaseTarget::Sqlite(_) => ("SQLite", 2000),
        };
        let columns = schema.fields().len();
        if columns > most {
            problems.push(format!(
                "{columns} columns: a table of {database} has at most {most}"
            ));
        }
        // (SQLite does not tell names apart by case.)
        let as_told_apart = |name: &str| match target {
            DatabaseTarget::Postgres(_) => name.to_owned(),
            DatabaseTarget::Sqlite(_) => name.to_ascii_lowercase(),
        };
        let mut names: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| (as_told_apart(field.name()), field.name()))
            .collect();
        names.sort_unstable();
        for pair in names.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let (left, right) = (pair[0].1, pair[1].1);
            problems.push(match left == right {
                true => format!("the rows have two columns {left}"),
                false => {
                    format!("SQLite does not tell the columns {left} and {right} apart: rename one")
                }
            });
        }
        if self.mode == (WriteMode::Upsert { key: Vec::new() }) {
            problems.push("an upsert needs the columns of a key".to_owned());
        }
        for key in self.mode.key() {
            if schema.field_with_name(key).is_err() {
                problems.push(format!(
                    "the rows have no column {key}, which is of the key"
                ));
            }
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(DatabaseError::Table {
                table: target.table(),
                problems,
            }),
        }
    }
}

/// How far a run came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What the caller gave to the last commit.
    pub position: String,
    /// Rows that were durable with it.
    pub rows: u64,
}

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct SinkSummary {
    /// Rows written by all runs of this id, upserted ones among them.
    pub rows: u64,
    /// Bytes sent to the database by this run: of `COPY` for PostgreSQL, of values for SQLite.
    pub bytes: u64,
    /// The table, with its schema if one was named.
    pub table: String,
    /// `append`, `replace` or `upsert`.
    pub mode: &'static str,
    /// From opening to finishing.
    pub seconds: f64,
    /// `postgres` or `sqlite`.
    pub format: &'static str,
}
