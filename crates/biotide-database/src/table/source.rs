//! What is known of a table: its columns, and how each is selected.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common_runtime::SpawnedTask;
use rusqlite::OpenFlags;

use crate::error::DatabaseError;
use crate::postgres::catalog::{self as postgres, PgColumn};
use crate::postgres::connection::Connection;
use crate::sql;
use crate::sqlite::catalog::{self as sqlite, SqliteColumn};
use crate::target::{DatabaseTarget, SqliteTarget};
use crate::types::postgres::PgType;
use crate::types::sqlite::SqliteType;

/// How values compare in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    /// As in Arrow.
    Ordered,
    /// Equal texts are equal; their order may differ.
    Equal,
    /// As in Arrow, but for zeros and NaN.
    Float,
    /// Only NULL is.
    Null,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    /// What is selected.
    pub(super) select: String,
    /// What filters compare.
    pub(super) compared: String,
    pub(super) compare: Compare,
    /// How a value of SQLite is kept.
    pub(super) of: SqliteType,
}

#[derive(Debug)]
pub(super) struct Source {
    pub(super) target: DatabaseTarget,
    /// The table's name in SQL.
    pub(super) table: String,
    pub(super) schema: SchemaRef,
    pub(super) columns: Vec<Column>,
    /// Whether rows of SQLite have a number, for messages.
    pub(super) has_rowid: bool,
}

impl Source {
    pub(super) async fn open(target: &DatabaseTarget) -> Result<Self, DatabaseError> {
        match target {
            DatabaseTarget::Postgres(postgres) => {
                let connection = Connection::open(postgres).await?;
                let columns = postgres::columns(&connection.client, &postgres.table).await?;
                let missing = || DatabaseError::table(&postgres.table, "it does not exist");
                let columns = columns.ok_or_else(missing)?;
                let table = postgres.table.quoted();
                let columns = columns.iter().map(of_postgres);
                Ok(Self::new(target, table, columns.unzip(), false))
            }
            DatabaseTarget::Sqlite(sqlite) => {
                let own = sqlite.clone();
                let read = SpawnedTask::spawn_blocking(move || sqlite_columns(&own));
                let (columns, has_rowid) =
                    read.join().await.map_err(|_| DatabaseError::Ended {
                        table: sqlite.table.clone(),
                    })??;
                let table = sql::identifier(&sqlite.table);
                let columns = columns.iter().map(of_sqlite);
                Ok(Self::new(target, table, columns.unzip(), has_rowid))
            }
        }
    }

    pub(super) async fn exists(target: &DatabaseTarget) -> Result<bool, DatabaseError> {
        match target {
            DatabaseTarget::Postgres(postgres) => {
                let connection = Connection::open(postgres).await?;
                postgres::exists(&connection.client, &postgres.table.quoted()).await
            }
            DatabaseTarget::Sqlite(sqlite) => {
                let own = sqlite.clone();
                let look = SpawnedTask::spawn_blocking(move || sqlite_exists(&own));
                look.join().await.map_err(|_| DatabaseError::Ended {
                    table: sqlite.table.clone(),
                })?
            }
        }
    }

    fn new(
        target: &DatabaseTarget,
        table: String,
        (fields, columns): (Vec<Field>, Vec<Column>),
        has_rowid: bool,
    ) -> Self {
        Self {
            target: target.clone(),
            table,
            schema: Arc::new(Schema::new(fields)),
            columns,
            has_rowid,
        }
    }

    /// The query for some columns and rows. Before the columns of SQLite stands the number of the row.
    pub(super) fn query(
        &self,
        columns: &[usize],
        filters: &[String],
        limit: Option<usize>,
    ) -> String {
        let mut selected: Vec<_> = columns
            .iter()
            .map(|&i| self.columns[i].select.as_str())
            .collect();
        if matches!(self.target, DatabaseTarget::Sqlite(_)) {
            selected.insert(0, if self.has_rowid { "rowid" } else { "NULL" });
        }
        let mut query = format!("SELECT {} FROM {}", selected.join(", "), self.table);
        if !filters.is_empty() {
            query.push_str(" WHERE ");
            query.push_str(&filters.join(" AND "));
        }
        if let Some(limit) = limit {
            query.push_str(&format!(" LIMIT {limit}"));
        }
        query
    }
}

fn of_postgres(column: &PgColumn) -> (Field, Column) {
    let name = sql::identifier(&column.name);
    let read_as = column.of.as_ref().and_then(PgType::read_as);
    let text = format!("{name}::text");
    let select = match &read_as {
        Some(_) => name.clone(),
        None => text.clone(),
    };
    let (compare, compared) = match (&column.of, &read_as) {
        // (Blanks at the end do not count there; and json cannot be compared.)
        (Some(PgType::Char | PgType::Json | PgType::Interval | PgType::Array(_)), Some(_)) => {
            (Compare::Null, name)
        }
        (Some(PgType::Float4 | PgType::Float8), _) => (Compare::Float, name),
        (Some(PgType::Text(_)) | None, _) | (_, None) => {
            let compare = if column.deterministic {
                Compare::Equal
            } else {
                Compare::Null
            };
            (compare, text)
        }
        (Some(PgType::Bytea), _) => (Compare::Null, name),
        _ => (Compare::Ordered, name),
    };
    let data_type = read_as.unwrap_or(DataType::Utf8View);
    let field = Field::new(&column.name, data_type, column.nullable);
    let column = Column {
        select,
        compared,
        compare,
        of: SqliteType::Any,
    };
    (field, column)
}

fn of_sqlite(column: &SqliteColumn) -> (Field, Column) {
    let name = sql::identifier(&column.name);
    let of = column.of();
    let (compare, compared) = match of {
        SqliteType::Boolean | SqliteType::Integer => (Compare::Ordered, name.clone()),
        SqliteType::Real => (Compare::Float, name.clone()),
        // (A column may have been declared to ignore case.)
        SqliteType::Text => (Compare::Equal, format!("{name} COLLATE BINARY")),
        _ => (Compare::Null, name.clone()),
    };
    let field = Field::new(&column.name, of.read_as(), true);
    let select = name;
    (
        field,
        Column {
            select,
            compared,
            compare,
            of,
        },
    )
}

fn sqlite_columns(target: &SqliteTarget) -> Result<(Vec<SqliteColumn>, bool), DatabaseError> {
    let connection = sqlite::open(target, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let columns = sqlite::columns(&connection, &target.table)?;
    let missing = || DatabaseError::table(&target.table, "it does not exist");
    let has_rowid = sqlite::has_rowid(&connection, &target.table);
    Ok((columns.ok_or_else(missing)?, has_rowid))
}

fn sqlite_exists(target: &SqliteTarget) -> Result<bool, DatabaseError> {
    if matches!(target.path.try_exists(), Ok(false)) {
        return Ok(false);
    }
    // (What a writer has left that was killed must be rolled back before anything is read.)
    let connection = sqlite::open(target, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .or_else(|_| sqlite::open(target, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    Ok(sqlite::columns(&connection, &target.table)?.is_some())
}
