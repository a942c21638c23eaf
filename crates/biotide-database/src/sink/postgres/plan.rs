//! Which tables a sink writes, and the SQL for it.
//!
//! A replacement goes into a staging table. If the target is plain (nothing depends on it, see
//! `postgres/catalog.rs`) the staging table takes its name. Otherwise the rows are copied over in the
//! transaction that deletes the old ones: views, rights, triggers and sequences stay as they are, and
//! readers see the old rows until it commits.

use super::super::statements;
use crate::sql;
use crate::target::TableName;

/// Names and texts that stay the same while a sink is open.
pub(super) struct Plan {
    pub(super) target: TableName,
    /// Where COPY writes: the target, or a staging table.
    pub(super) written: String,
    /// Where positions are, quoted.
    pub(super) positions: String,
    /// What the first transaction makes.
    pub(super) prepare: Vec<String>,
    pub(super) columns: Vec<String>,
    pub(super) key: Vec<String>,
    /// The column that numbers the rows of the staging table of an upsert.
    pub(super) number: String,
}

impl Plan {
    pub(super) fn new(target: TableName, columns: Vec<String>, key: &[String]) -> Self {
        let mut number = "biotide_row".to_owned();
        while columns.contains(&number) {
            number.push('_');
        }
        Self {
            written: target.quoted(),
            positions: target.sibling(statements::POSITIONS).quoted(),
            prepare: Vec::new(),
            target,
            columns,
            key: key.to_vec(),
            number,
        }
    }

    pub(super) fn names(&self) -> String {
        sql::identifiers(self.columns.iter().map(String::as_str))
    }

    /// Creates the target; `types` has the type of each column.
    pub(super) fn create(&self, types: &[String]) -> String {
        let columns = self.columns.iter().zip(types);
        let mut parts: Vec<_> = columns
            .map(|(name, of)| format!("{} {of}", sql::identifier(name)))
            .collect();
        if !self.key.is_empty() {
            let key = sql::identifiers(self.key.iter().map(String::as_str));
            parts.push(format!("PRIMARY KEY ({key})"));
        }
        let table = self.target.quoted();
        format!("CREATE TABLE {table} ({})", parts.join(", "))
    }

    pub(super) fn copy(&self) -> String {
        let number = match self.key.is_empty() {
            true => String::new(),
            false => format!(", {}", sql::identifier(&self.number)),
        };
        let (table, names) = (&self.written, self.names());
        format!("COPY {table} ({names}{number}) FROM STDIN (FORMAT binary)")
    }

    /// Creates the staging table of a replacement.
    pub(super) fn create_staging(&self) -> String {
        let (written, like) = (&self.written, self.target.quoted());
        format!(
            "DROP TABLE IF EXISTS {written}; CREATE TABLE {written} (LIKE {like} INCLUDING ALL)"
        )
    }

    /// Creates the temporary table of an upsert, with the types of the target. Its rows live as long as
    /// the transaction.
    pub(super) fn create_merged(&self) -> String {
        let (names, table, target) = (self.names(), &self.written, self.target.quoted());
        let number = sql::identifier(&self.number);
        format!(
            "CREATE TEMPORARY TABLE {table} ON COMMIT DELETE ROWS AS \
             SELECT {names}, 0::bigint AS {number} FROM {target} WITH NO DATA"
        )
    }

    /// Merges the temporary table into the target: of equal keys, the last row.
    pub(super) fn merge(&self) -> String {
        let (names, table, target) = (self.names(), &self.written, self.target.quoted());
        let keys = sql::identifiers(self.key.iter().map(String::as_str));
        let conflict = statements::on_conflict(&self.columns, &self.key);
        let number = sql::identifier(&self.number);
        format!(
            "INSERT INTO {target} ({names}) OVERRIDING SYSTEM VALUE \
             SELECT DISTINCT ON ({keys}) {names} FROM {table} ORDER BY {keys}, {number} DESC {conflict}"
        )
    }

    /// Puts the staging table in the place of the target. `indexes` are the names of its indexes, each with
    /// the one that its like had.
    pub(super) fn swap(&self, indexes: &[(TableName, String)]) -> String {
        let (table, target) = (&self.written, self.target.quoted());
        let name = sql::identifier(&self.target.table);
        let mut swap =
            format!("DROP TABLE IF EXISTS {target}; ALTER TABLE {table} RENAME TO {name}");
        for (index, name) in indexes {
            let (index, name) = (index.quoted(), sql::identifier(name));
            swap.push_str(&format!("; ALTER INDEX {index} RENAME TO {name}"));
        }
        swap
    }

    /// Puts the rows of the staging table in the place of those of the target.
    pub(super) fn exchange_rows(&self) -> String {
        let (names, table, target) = (self.names(), &self.written, self.target.quoted());
        format!(
            "DELETE FROM {target}; \
             INSERT INTO {target} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {table}; \
             DROP TABLE {table}"
        )
    }
}
