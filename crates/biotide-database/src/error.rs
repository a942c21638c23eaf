//! What can go wrong with a database, and whether to try again.

use std::error::Error;
use std::fmt;

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion_common::DataFusionError;
use tokio_postgres::error::SqlState;

/// What can be wrong with a database, its tables, or the rows that go there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// A URL that names no table of a database.
    #[error("{url}: {problem}")]
    Target {
        /// The URL, without its password.
        url: String,
        /// What is wrong, and the form that is expected.
        problem: String,
        /// What the driver says, if it was asked.
        source: Option<tokio_postgres::Error>,
    },
    /// PostgreSQL, or the way to it, refused something.
    #[error("{doing}: {}", Reason(.source))]
    Postgres {
        /// What was being done, to which table.
        doing: String,
        /// What the driver says.
        source: tokio_postgres::Error,
    },
    /// SQLite refused something.
    #[error("{doing}: {source}")]
    Sqlite {
        /// What was being done, to which table.
        doing: String,
        /// What the driver says.
        source: Box<rusqlite::Error>,
    },
    /// A column whose type the database, or the column of its table, does not take.
    #[error("column {column}: {database} does not take {given} here; {advice}")]
    Type {
        /// The column's name.
        column: String,
        /// PostgreSQL or SQLite.
        database: &'static str,
        /// The type of the rows.
        given: Box<DataType>,
        /// What to cast to.
        advice: &'static str,
    },
    /// A value that cannot be stored.
    #[error("column {column}, row {}: {problem}", .row + 1)]
    Value {
        /// The column's name.
        column: String,
        /// The row, counted from 0 in what was given to this sink (or read by this scan). People are told it from 1.
        row: u64,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A value of a SQLite table whose type is not that of its column.
    #[error(
        "{table}, column {column}, {row}: found {found} in a column read as {expected}; \
             CAST the column in a view, or correct the row"
    )]
    Mixed {
        /// The table.
        table: Box<str>,
        /// The column.
        column: Box<str>,
        /// `rowid 7`, or `row 7` (from 1) where there is no rowid.
        row: Box<str>,
        /// The type of the value.
        found: &'static str,
        /// The type of the column.
        expected: Box<DataType>,
    },
    /// A table that is not as the rows need it.
    #[error("table {table}: {}", problems.join("; "))]
    Table {
        /// The table.
        table: String,
        /// All that differs.
        problems: Vec<String>,
    },
    /// Rows cannot be put into the form of the database.
    #[error("column {column}: {source}")]
    Arrow {
        /// The column's name.
        column: String,
        /// What Arrow says.
        source: ArrowError,
    },
    /// What came from the database is not what its protocol says.
    #[error("{table}: the data that came from the database is broken: {problem}")]
    Protocol {
        /// The table.
        table: String,
        /// What was found.
        problem: &'static str,
    },
    /// The sink failed before, so it takes no more.
    #[error("writing to {table} has failed or ended before")]
    Ended {
        /// The table.
        table: String,
    },
}

impl DatabaseError {
    /// Whether the same may work a little later, from the last position that was committed: a lost
    /// connection, a server that starts or stops, a conflict of transactions, a file locked by another, a full disk.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Postgres { source, .. } => is_passing(source),
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::DatabaseBusy
                        | rusqlite::ErrorCode::DatabaseLocked
                        | rusqlite::ErrorCode::DiskFull
                        | rusqlite::ErrorCode::SystemIoFailure
                )
            ),
            _ => false,
        }
    }

    pub(crate) fn postgres(doing: impl Into<String>, source: tokio_postgres::Error) -> Self {
        let doing = doing.into();
        Self::Postgres { doing, source }
    }

    pub(crate) fn sqlite(doing: impl Into<String>, source: rusqlite::Error) -> Self {
        Self::Sqlite {
            doing: doing.into(),
            source: Box::new(source),
        }
    }

    pub(crate) fn value(column: &str, row: u64, problem: impl Into<String>) -> Self {
        Self::Value {
            column: column.to_owned(),
            row,
            problem: problem.into(),
        }
    }

    pub(crate) fn table(table: impl fmt::Display, problem: impl Into<String>) -> Self {
        Self::Table {
            table: table.to_string(),
            problems: vec![problem.into()],
        }
    }
}

impl From<DatabaseError> for DataFusionError {
    fn from(error: DatabaseError) -> Self {
        Self::External(Box::new(error))
    }
}

/// Whether an error of PostgreSQL says nothing against trying again.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    if let Some(code) = error.code() {
        let listed = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
        ];
        // (Class 08 is all about connections, class 53 about what there is not enough of: disk, memory, connections.)
        return listed.contains(code)
            || ["08", "53"]
                .iter()
                .any(|class| code.code().starts_with(class));
    }
    if error.is_closed() {
        return true;
    }
    // The way there: refused, reset, timed out.
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<std::io::Error>() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// The driver's own text is "db error"; what the server said stands in the error below.
struct Reason<'a>(&'a tokio_postgres::Error);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(said) = self.0.as_db_error() {
            write!(f, "{said} (SQLSTATE {})", said.code().code())?;
            return match said.where_() {
                Some(place) => write!(f, "\n{place}"),
                None => Ok(()),
            };
        }
        write!(f, "{}", self.0)?;
        match self.0.source() {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}
