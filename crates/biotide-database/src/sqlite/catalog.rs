//! Opening a file, and what it says of a table.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::DatabaseError;
use crate::target::SqliteTarget;
use crate::types::sqlite::SqliteType;

/// How long the lock of another process is waited for, until the error is passed on as retriable.
const PATIENCE: Duration = Duration::from_secs(20);

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct SqliteColumn {
    pub(crate) name: String,
    pub(crate) declared: String,
    /// Whether a row may come without it.
    pub(crate) optional: bool,
    /// Whether SQLite computes it.
    pub(crate) generated: bool,
    /// Its place in the primary key, from 1; 0 if it is not of it.
    pub(crate) primary: i64,
}

/// Opens the file; `flags` say whether it is read, written or created. The journal stays as the file has
/// it: WAL would leave two more files beside it, and is set once by `PRAGMA journal_mode = wal` for good.
pub(crate) fn open(target: &SqliteTarget, flags: OpenFlags) -> Result<Connection, DatabaseError> {
    let failed = |error| DatabaseError::sqlite(format!("opening {}", shown(&target.path)), error);
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // (As it stands SQLite would take `:memory:` and `file:…` for more than names of files.)
    let path = std::path::absolute(&target.path).unwrap_or_else(|_| target.path.clone());
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    Ok(connection)
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The columns; nothing if there is no such table or view.
pub(crate) fn columns(
    connection: &Connection,
    table: &str,
) -> Result<Option<Vec<SqliteColumn>>, DatabaseError> {
    let failed = |error| DatabaseError::sqlite(format!("looking at the columns of {table}"), error);
    let sql = "SELECT name, type, \"notnull\" = 0 OR dflt_value IS NOT NULL, hidden, pk \
               FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let read = |row: &rusqlite::Row<'_>| {
        let hidden: i64 = row.get(3)?;
        Ok(SqliteColumn {
            name: row.get(0)?,
            declared: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            optional: row.get(2)?,
            generated: hidden > 1,
            primary: row.get(4)?,
        })
    };
    let columns = statement.query_map([table], read).map_err(failed)?;
    let columns: Vec<_> = columns.collect::<Result<_, _>>().map_err(failed)?;
    Ok((!columns.is_empty()).then_some(columns))
}

/// Whether a unique index, or the primary key, is on exactly these columns.
pub(crate) fn has_unique(
    connection: &Connection,
    table: &str,
    columns: &[SqliteColumn],
    key: &[String],
) -> Result<bool, DatabaseError> {
    let failed = |error| DatabaseError::sqlite(format!("looking at the indexes of {table}"), error);
    let lower = |names: Vec<String>| {
        let mut names: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names
    };
    let key = lower(key.to_vec());
    let primary = columns.iter().filter(|column| column.primary > 0);
    if lower(primary.map(|column| column.name.clone()).collect()) == key {
        return Ok(true);
    }
    // (An expression has no name; joined by a character that names hardly have.)
    let sql = "SELECT (SELECT group_concat(coalesce(name, char(0)), char(31)) FROM pragma_index_info(l.name)) \
               FROM pragma_index_list(?1) l WHERE l.\"unique\" = 1 AND l.partial = 0";
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let indexes = statement
        .query_map([table], |row| row.get::<_, Option<String>>(0))
        .map_err(failed)?;
    for index in indexes {
        let names = index.map_err(failed)?.unwrap_or_default();
        if lower(names.split('\u{1f}').map(str::to_owned).collect()) == key {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tables whose rows change or go with the rows of this one.
pub(crate) fn cascades(connection: &Connection, table: &str) -> Result<Vec<String>, DatabaseError> {
    let failed = |error| DatabaseError::sqlite(format!("looking at what refers to {table}"), error);
    let sql = "SELECT DISTINCT m.name FROM pragma_foreign_keys e, sqlite_schema m, pragma_foreign_key_list(m.name) f \
               WHERE e.foreign_keys = 1 AND m.type = 'table' AND lower(f.\"table\") = lower(?1) \
                     AND lower(m.name) <> lower(?1) \
                     AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') ORDER BY 1";
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let names = statement
        .query_map([table], |row| row.get(0))
        .map_err(failed)?;
    names.collect::<Result<_, _>>().map_err(failed)
}

/// Whether rows have a number of their own: not those of views, nor of tables WITHOUT ROWID.
pub(crate) fn has_rowid(connection: &Connection, table: &str) -> bool {
    let sql = format!(
        "SELECT rowid FROM {} LIMIT 0",
        crate::sql::identifier(table)
    );
    let is_table =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?1)";
    let count = connection.query_row(is_table, [table], |row| row.get::<_, i64>(0));
    count.is_ok_and(|count| count > 0) && connection.prepare(&sql).is_ok()
}

impl SqliteColumn {
    /// What is kept in it.
    pub(crate) fn of(&self) -> SqliteType {
        SqliteType::declared(&self.declared)
    }
}
