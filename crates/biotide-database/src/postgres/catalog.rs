//! What the catalog says of a table.

use tokio_postgres::Client;

use crate::error::DatabaseError;
use crate::target::TableName;
use crate::types::postgres::PgType;

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct PgColumn {
    pub(crate) name: String,
    /// The type, if its binary form is known.
    pub(crate) of: Option<PgType>,
    /// The type as the server writes it.
    pub(crate) declared: String,
    /// Whether a row may come without it: NULL is allowed, or there is a default.
    pub(crate) optional: bool,
    pub(crate) nullable: bool,
    /// Whether the server computes it.
    pub(crate) generated: bool,
    /// Whether equal texts are the same bytes.
    pub(crate) deterministic: bool,
}

/// (A domain is read and written as what it is made of.)
const COLUMNS: &str = "\
SELECT a.attname::text,
       CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typtype = 'e' THEN 25 ELSE a.atttypid END,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
       format_type(a.atttypid, a.atttypmod),
       NOT (a.attnotnull OR t.typnotnull) OR a.atthasdef OR a.attidentity <> '',
       NOT (a.attnotnull OR t.typnotnull),
       a.attgenerated <> '',
       coalesce(c.collisdeterministic, true)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     LEFT JOIN pg_collation c ON c.oid = a.attcollation
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum";

/// Whether there is a table of this quoted name.
pub(crate) async fn exists(client: &Client, table: &str) -> Result<bool, DatabaseError> {
    let failed = |error| DatabaseError::postgres(format!("looking for {table}"), error);
    let sql = "SELECT to_regclass($1::text) IS NOT NULL";
    let row = client.query_one(sql, &[&table]).await.map_err(failed)?;
    row.try_get(0).map_err(failed)
}

/// The columns; nothing if there is no such table.
pub(crate) async fn columns(
    client: &Client,
    table: &TableName,
) -> Result<Option<Vec<PgColumn>>, DatabaseError> {
    let doing = || format!("looking at the columns of {table}");
    let failed = |error| DatabaseError::postgres(doing(), error);
    let name = table.quoted();
    if !exists(client, &name).await? {
        return Ok(None);
    }
    let sql = COLUMNS.replace("$1", "$1::text");
    let rows = client.query(&sql, &[&name]).await.map_err(failed)?;
    let columns = rows.iter().map(|row| {
        let (oid, modifier): (u32, i32) = (row.try_get(1)?, row.try_get(2)?);
        Ok(PgColumn {
            name: row.try_get(0)?,
            of: PgType::from_oid(oid, modifier),
            declared: row.try_get(3)?,
            optional: row.try_get(4)?,
            nullable: row.try_get(5)?,
            generated: row.try_get(6)?,
            deterministic: row.try_get(7)?,
        })
    });
    let columns: Result<Vec<_>, _> = columns.collect();
    columns.map(Some).map_err(failed)
}

/// The schema where the search path finds a table.
pub(crate) async fn schema_of(
    client: &Client,
    table: &TableName,
) -> Result<Option<String>, DatabaseError> {
    let failed =
        |error| DatabaseError::postgres(format!("looking for the schema of {table}"), error);
    let sql = "SELECT n.nspname::text FROM pg_class c \
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1::text)";
    let row = client
        .query_opt(sql, &[&table.quoted()])
        .await
        .map_err(failed)?;
    row.map(|row| row.try_get(0)).transpose().map_err(failed)
}

/// The columns of each unique index that can be the target of ON CONFLICT.
const UNIQUE: &str = "\
SELECT ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
             ORDER BY a.attname::text)
FROM pg_index i
WHERE i.indrelid = to_regclass($1::text) AND i.indisunique AND i.indisvalid AND i.indimmediate
      AND i.indpred IS NULL AND i.indexprs IS NULL";

/// Whether a unique index is on exactly these columns.
pub(crate) async fn has_unique(
    client: &Client,
    table: &TableName,
    key: &[String],
) -> Result<bool, DatabaseError> {
    let failed =
        |error| DatabaseError::postgres(format!("looking at the indexes of {table}"), error);
    let name = table.quoted();
    let rows = client.query(UNIQUE, &[&name]).await.map_err(failed)?;
    let mut key = key.to_vec();
    key.sort_unstable();
    for row in &rows {
        let mut columns: Vec<String> = row.try_get(0).map_err(failed)?;
        columns.sort_unstable();
        if columns == key {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Foreign keys that refer to a table and do something to their rows when its rows go.
const CASCADES: &str = "\
SELECT conrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND confrelid = to_regclass($1::text) AND confdeltype IN ('c', 'n', 'd')
      AND conrelid <> confrelid AND conparentid = 0
ORDER BY 1";

/// Tables whose rows change or go with the rows of this one.
pub(crate) async fn cascades(
    client: &Client,
    table: &TableName,
) -> Result<Vec<String>, DatabaseError> {
    let failed =
        |error| DatabaseError::postgres(format!("looking at what refers to {table}"), error);
    let rows = client
        .query(CASCADES, &[&table.quoted()])
        .await
        .map_err(failed)?;
    let names = rows.iter().map(|row| row.try_get(0).map_err(failed));
    names.collect()
}

/// Indexes of two tables, by what they are, each with its number among those that are alike.
const ALIKE: &str = "\
WITH i AS (
    SELECT x.indrelid, n.nspname::text AS space, c.relname::text AS name, x.indisprimary AS first,
           x.indisunique AS one, d.def, row_number() OVER (
               PARTITION BY x.indrelid, x.indisprimary, x.indisunique, d.def ORDER BY x.indexrelid) AS number
    FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
         LATERAL (SELECT pg_get_indexdef(x.indexrelid) AS text) t,
         LATERAL (SELECT substr(t.text, strpos(t.text, ' USING ')) AS def) d
    WHERE x.indrelid IN (to_regclass($1::text), to_regclass($2::text)))
SELECT own.space, own.name, other.name FROM i own JOIN i other USING (first, one, def, number)
WHERE own.indrelid = to_regclass($1::text) AND other.indrelid = to_regclass($2::text)
ORDER BY 2";

/// The indexes of a table, each with the name of its like of another table; both names are quoted.
pub(crate) async fn alike(
    client: &Client,
    table: &str,
    other: &str,
) -> Result<Vec<(TableName, String)>, DatabaseError> {
    let failed =
        |error| DatabaseError::postgres(format!("looking at the indexes of {other}"), error);
    let rows = client
        .query(ALIKE, &[&table, &other])
        .await
        .map_err(failed)?;
    let pairs = rows.iter().map(|row| {
        let index = TableName {
            schema: Some(row.try_get(0)?),
            table: row.try_get(1)?,
        };
        Ok((index, row.try_get(2)?))
    });
    pairs
        .collect::<Result<_, tokio_postgres::Error>>()
        .map_err(failed)
}

/// A table is plain if another of the same columns and indexes can take its name unnoticed: nothing
/// depends on it, nobody was granted rights to it, nobody wrote a remark on it, and it has no triggers,
/// rules, children or settings.
const PLAIN: &str = "\
SELECT c.relkind = 'r' AND c.relpersistence = 'p' AND c.relacl IS NULL AND c.reloptions IS NULL
       AND c.reltablespace = 0 AND c.relreplident = 'd' AND NOT c.relhastriggers AND NOT c.relhasrules
       AND NOT c.relhassubclass AND NOT c.relispartition AND NOT c.relrowsecurity
       AND pg_get_userbyid(c.relowner) = current_user
       AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)
       AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND (
           attidentity <> '' OR attacl IS NOT NULL OR attoptions IS NOT NULL OR attnum > 0 AND attstattarget >= 0))
       AND NOT EXISTS (
           SELECT FROM pg_description r
           WHERE r.classoid = 'pg_class'::regclass AND r.objoid = c.oid AND r.objsubid = 0)
       AND NOT EXISTS (
           SELECT FROM pg_depend d
                  LEFT JOIN pg_class o ON d.classid = 'pg_class'::regclass AND o.oid = d.objid
           WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                 AND NOT (coalesce(o.relkind IN ('i', 't'), false)
                          OR d.deptype IN ('a', 'i') AND d.classid IN
                             ('pg_type'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass)))
FROM pg_class c WHERE c.oid = to_regclass($1::text)";

/// Whether the table may be dropped and another take its name.
pub(crate) async fn is_plain(client: &Client, table: &TableName) -> Result<bool, DatabaseError> {
    let failed = |error| DatabaseError::postgres(format!("looking at what uses {table}"), error);
    let name = table.quoted();
    let row = client.query_opt(PLAIN, &[&name]).await.map_err(failed)?;
    match row {
        Some(row) => row.try_get(0).map_err(failed),
        None => Ok(true),
    }
}
