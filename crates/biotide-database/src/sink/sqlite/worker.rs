//! The thread that writes.

use arrow::array::RecordBatch;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};
use tokio::sync::mpsc;

use super::super::{SinkOptions, WriteMode, statements};
use super::open::known_position;
use super::{Command, Done};
use crate::error::DatabaseError;
use crate::sql;
use crate::sqlite::bind::Values;
use crate::types::sqlite::SqliteType;

/// The most parameters of a statement, as SQLite is built.
const PARAMETERS: usize = 32_766;

pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) table: String,
    /// The file and the table, for messages.
    pub(super) shown: String,
    /// The staging table of a replacement in more than one transaction.
    pub(super) stage: Option<String>,
    pub(super) options: SinkOptions,
    pub(super) names: Vec<String>,
    pub(super) types: Vec<SqliteType>,
    /// Columns of the key.
    pub(super) key: Vec<usize>,
    /// What the first transaction makes.
    pub(super) prepare: Vec<String>,
    /// The rows of the position that was last seen or kept.
    pub(super) known: Option<u64>,
    /// Rows of earlier runs of this id, and of this one.
    pub(super) before: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// Whether a transaction is open.
    pub(super) is_open: bool,
}

/// An INSERT of some rows.
struct Insert<'a> {
    statement: Statement<'a>,
    rows: usize,
}

impl Worker {
    /// Does what it is asked until the end; what was not committed then is rolled back with the
    /// connection.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Command>) -> Result<Done, DatabaseError> {
        while let Some(command) = queue.blocking_recv() {
            match command {
                Command::Write(batch) => self.write(&batch)?,
                Command::Commit(position, reply) => {
                    self.keep(&position)?;
                    // (Whoever asked may have gone.)
                    let _ = reply.send(());
                }
                Command::Finish => {
                    self.finish()?;
                    break;
                }
                Command::Abort => break,
            }
        }
        Ok(Done {
            rows: self.before + self.rows,
            bytes: self.bytes,
        })
    }

    fn execute(&self, what: &str, sql: &str) -> Result<(), DatabaseError> {
        let failed = |error| DatabaseError::sqlite(format!("{what} {}", self.shown), error);
        self.connection.execute_batch(sql).map_err(failed)
    }

    /// Opens a transaction unless one is open. A replacement at once begins with deleting.
    fn begin(&mut self) -> Result<(), DatabaseError> {
        if self.is_open {
            return Ok(());
        }
        self.execute("beginning to write to", "BEGIN IMMEDIATE")?;
        self.is_open = true;
        self.is_alone()?;
        for sql in std::mem::take(&mut self.prepare) {
            self.execute("making what is needed to write to", &sql)?;
        }
        if self.options.mode == WriteMode::Replace {
            // Rows that others refer to may go if they come again.
            self.execute("beginning to write to", "PRAGMA defer_foreign_keys = ON")?;
        }
        if self.options.mode == WriteMode::Replace && self.stage.is_none() {
            let delete = format!("DELETE FROM {}", sql::identifier(&self.table));
            self.execute("replacing the rows of", &delete)?;
        }
        Ok(())
    }

    /// Whether nobody else goes on with the same run: its rows would be there twice. (There is no lock that
    /// lasts longer than a transaction.)
    fn is_alone(&self) -> Result<(), DatabaseError> {
        let Some(run) = self.options.run() else {
            return Ok(());
        };
        let found = known_position(&self.connection, &self.table, run)?;
        if found.map(|position| position.rows) == self.known {
            return Ok(());
        }
        let problem = format!("another process has gone on with run {run} meanwhile");
        Err(DatabaseError::table(&self.table, problem))
    }

    fn end(&mut self) -> Result<(), DatabaseError> {
        if self.is_open {
            self.execute("committing rows to", "COMMIT")?;
            self.is_open = false;
        }
        Ok(())
    }

    fn insert(&self, rows: usize) -> Result<Insert<'_>, DatabaseError> {
        let row = vec!["?"; self.names.len()].join(", ");
        let values = vec![format!("({row})"); rows].join(", ");
        let names = sql::identifiers(self.names.iter().map(String::as_str));
        let table = sql::identifier(self.stage.as_deref().unwrap_or(&self.table));
        let conflict = match self.options.mode.key() {
            [] => String::new(),
            key => statements::on_conflict(&self.names, key),
        };
        let sql = format!("INSERT INTO {table} ({names}) VALUES {values} {conflict}");
        let failed = |error| DatabaseError::sqlite(format!("writing to {}", self.shown), error);
        // (Parsing it again for each batch would cost more than the rows of a small one.)
        let statement = self.connection.prepare(&sql).map_err(failed)?;
        Ok(Insert { statement, rows })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), DatabaseError> {
        let first = self.rows;
        let columns = self.types.iter().zip(&self.names).zip(batch.columns());
        let values: Vec<_> = columns
            .map(|((of, name), array)| Values::new(array, of, name, first))
            .collect::<Result<_, _>>()?;
        for &key in &self.key {
            let null =
                (0..batch.num_rows()).find(|&row| matches!(values[key].get(row), ValueRef::Null));
            if let Some(row) = null {
                let problem = "NULL in a column of the key; leave such rows out";
                return Err(DatabaseError::value(
                    &self.names[key],
                    first + row as u64,
                    problem,
                ));
            }
        }
        self.begin()?;
        let most = (PARAMETERS / self.names.len().max(1)).max(1);
        let many = self.options.batch_rows.clamp(1, most);
        let (mut row, mut bytes) = (0, 0);
        for rows in [many, 1] {
            if batch.num_rows() - row < rows {
                continue;
            }
            let mut insert = self.insert(rows)?;
            while batch.num_rows() - row >= rows {
                bytes += insert.put(&values, row).map_err(|error| {
                    let (start, end) = (first + row as u64 + 1, first + (row + rows) as u64);
                    let shown = &self.shown;
                    DatabaseError::sqlite(
                        format!("writing rows {start} to {end} to {shown}"),
                        error,
                    )
                })?;
                row += rows;
            }
        }
        self.rows += batch.num_rows() as u64;
        self.bytes += bytes;
        Ok(())
    }

    fn keep(&mut self, position: &str) -> Result<(), DatabaseError> {
        if !self.options.commits() {
            return Ok(());
        }
        if let Some(run) = self.options.run() {
            let (positions, rows) = (statements::POSITIONS, self.before + self.rows);
            let keep = statements::keep_position(positions, run, &self.table, position, rows);
            self.begin()?;
            self.execute("keeping the position of", &keep)?;
            self.end()?;
            self.known = Some(rows);
        }
        self.end()
    }

    fn finish(&mut self) -> Result<(), DatabaseError> {
        self.begin()?;
        if let Some(stage) = &self.stage {
            let (stage, table) = (sql::identifier(stage), sql::identifier(&self.table));
            let names = sql::identifiers(self.names.iter().map(String::as_str));
            let exchange = format!(
                "DELETE FROM {table}; INSERT INTO {table} ({names}) SELECT {names} FROM {stage}; \
                 DROP TABLE {stage}"
            );
            self.execute("replacing the rows of", &exchange)?;
        }
        if let Some(run) = self.options.run() {
            let forget = statements::forget_position(statements::POSITIONS, run, &self.table);
            self.execute("forgetting the position of", &forget)?;
        }
        self.end()
    }
}

impl Insert<'_> {
    /// Inserts as many rows as it has, from `row` on; the bytes of their values.
    fn put(&mut self, values: &[Values], row: usize) -> rusqlite::Result<u64> {
        let (mut parameter, mut bytes) = (0, 0);
        for row in row..row + self.rows {
            for column in values {
                parameter += 1;
                let value = column.get(row);
                bytes += match value {
                    ValueRef::Null => 0,
                    ValueRef::Text(value) | ValueRef::Blob(value) => value.len() as u64,
                    ValueRef::Integer(_) | ValueRef::Real(_) => 8,
                };
                self.statement
                    .raw_bind_parameter(parameter, ToSqlOutput::Borrowed(value))?;
            }
        }
        self.statement.raw_execute()?;
        Ok(bytes)
    }
}
