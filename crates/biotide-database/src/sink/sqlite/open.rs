//! Opening: the table is looked at or created, and an earlier run is found.

use std::time::Instant;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion_common_runtime::SpawnedTask;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio::sync::mpsc;

use super::super::{DatabaseSink, Position, SinkOptions, WriteMode, differences, statements};
use super::worker::Worker;
use super::{QUEUE, SqliteSink};
use crate::error::DatabaseError;
use crate::sql;
use crate::sqlite::catalog::{self, SqliteColumn};
use crate::target::SqliteTarget;
use crate::types::sqlite::{SqliteType, column_type};

pub(in crate::sink) async fn open(
    target: &SqliteTarget,
    schema: SchemaRef,
    options: SinkOptions,
) -> Result<(Box<dyn DatabaseSink>, Option<Position>), DatabaseError> {
    let started = Instant::now();
    let (table, mode) = (target.table.clone(), options.mode.name());
    let ended = || DatabaseError::Ended {
        table: target.table.clone(),
    };
    let own = target.clone();
    let opening = SpawnedTask::spawn_blocking(move || opened(&own, &schema, options));
    let (worker, position) = opening.join().await.map_err(|_| ended())??;
    let (commands, queue) = mpsc::channel(QUEUE);
    let sink = SqliteSink {
        table,
        mode,
        started,
        commands,
        worker: Some(SpawnedTask::spawn_blocking(move || worker.run(queue))),
    };
    Ok((Box::new(sink), position))
}

fn opened(
    target: &SqliteTarget,
    schema: &SchemaRef,
    options: SinkOptions,
) -> Result<(Worker, Option<Position>), DatabaseError> {
    let fields = schema.fields().iter();
    let types: Vec<_> = fields
        .map(|field| column_type(field))
        .collect::<Result<_, _>>()?;
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, options.create);
    let connection = catalog::open(target, flags)?;
    let table = &target.table;
    let names: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let position = match options.run() {
        Some(id) => {
            let create = statements::create_positions(statements::POSITIONS);
            let failed =
                |error| DatabaseError::sqlite(format!("keeping positions of {table}"), error);
            connection.execute_batch(&create).map_err(failed)?;
            known_position(&connection, table, id)?
        }
        None => None,
    };
    let is_resumed = position.is_some();
    let key = options.mode.key();
    // What is missing is made in the first transaction, so that a sink that writes nothing leaves nothing.
    let mut prepare = Vec::new();
    match catalog::columns(&connection, table)? {
        Some(columns) => fits(&connection, target, schema, &columns, &options)?,
        // (Of a replacement the rows are in the staging table.)
        None if is_resumed && options.mode != WriteMode::Replace => {
            return Err(statements::lost(table, None::<&str>, statements::POSITIONS));
        }
        None if options.create => prepare.push(create(table, &names, &types, key)),
        None => return Err(DatabaseError::table(table, "it does not exist")),
    }

    // One transaction is a replacement by itself; more than one need a table to gather in.
    let is_staged = options.mode == WriteMode::Replace && (options.commits() || is_resumed);
    let stage = is_staged.then(|| statements::staging(options.run().unwrap_or_default(), table));
    if let Some(stage) = &stage {
        let found = catalog::columns(&connection, stage)?.is_some();
        match (is_resumed, found) {
            (true, true) => {}
            (true, false) => {
                return Err(statements::lost(table, Some(stage), statements::POSITIONS));
            }
            (false, _) => {
                let name = sql::identifier(stage);
                let like = sql::identifiers(names.iter().map(String::as_str));
                let from = sql::identifier(table);
                prepare.push(format!(
                    "DROP TABLE IF EXISTS {name}; CREATE TABLE {name} AS SELECT {like} FROM {from} LIMIT 0"
                ));
            }
        }
    }
    let key = key
        .iter()
        .filter_map(|key| schema.index_of(key).ok())
        .collect();
    let before = position.as_ref().map_or(0, |position| position.rows);
    let worker = Worker {
        connection,
        table: table.clone(),
        shown: target.to_string(),
        stage,
        options,
        names,
        types,
        key,
        prepare,
        known: position.as_ref().map(|position| position.rows),
        before,
        rows: 0,
        bytes: 0,
        is_open: false,
    };
    Ok((worker, position))
}

/// Whether the rows can go into a table that is there.
fn fits(
    connection: &Connection,
    target: &SqliteTarget,
    schema: &Schema,
    columns: &[SqliteColumn],
    options: &SinkOptions,
) -> Result<(), DatabaseError> {
    let table = &target.table;
    let mut problems = differences::of_sqlite(schema, columns);
    if options.mode == WriteMode::Replace {
        let cascades = catalog::cascades(connection, table)?;
        problems.extend(cascades.iter().map(|other| differences::cascade(other)));
    }
    if !problems.is_empty() {
        let table = table.clone();
        return Err(DatabaseError::Table { table, problems });
    }
    let key = options.mode.key();
    if !key.is_empty() && !catalog::has_unique(connection, table, columns, key)? {
        let keys = sql::identifiers(key.iter().map(String::as_str));
        let problem = format!(
            "an upsert needs a unique index on exactly its key: CREATE UNIQUE INDEX … ON {} ({keys})",
            sql::identifier(table)
        );
        return Err(DatabaseError::table(table, problem));
    }
    Ok(())
}

/// The SQL that makes the table.
fn create(table: &str, names: &[String], types: &[SqliteType], key: &[String]) -> String {
    let columns = names.iter().zip(types);
    let mut parts: Vec<_> = columns
        .map(|(name, of)| format!("{} {}", sql::identifier(name), of.sql()))
        .collect();
    if !key.is_empty() {
        let key = sql::identifiers(key.iter().map(String::as_str));
        parts.push(format!("PRIMARY KEY ({key})"));
    }
    format!(
        "CREATE TABLE {} ({})",
        sql::identifier(table),
        parts.join(", ")
    )
}

/// How far a run came.
pub(super) fn known_position(
    connection: &Connection,
    table: &str,
    run: &str,
) -> Result<Option<Position>, DatabaseError> {
    let found = format!(
        "SELECT \"position\", \"rows\" FROM {} WHERE {}",
        statements::POSITIONS,
        statements::position_of(run, table)
    );
    let read = |row: &rusqlite::Row<'_>| {
        let rows: i64 = row.get(1)?;
        Ok(Position {
            position: row.get(0)?,
            rows: u64::try_from(rows).unwrap_or_default(),
        })
    };
    let row = connection.query_row(&found, [], read).optional();
    row.map_err(|error| {
        DatabaseError::sqlite(
            format!("looking for the position of run {run} in {table}"),
            error,
        )
    })
}
