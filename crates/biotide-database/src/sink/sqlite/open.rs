//! Opening: the table is looked at or created, and an earlier run is found.

use std::time::Instant;

use arrow::datatypes::SchemaRef;
use datafusion_common_runtime::SpawnedTask;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio::sync::mpsc;

use super::super::{DatabaseSink, Position, SinkOptions, WriteMode, differences, statements};
use super::worker::Worker;
use super::{QUEUE, SqliteSink};
use crate::error::DatabaseError;
use crate::sql;
use crate::sqlite::catalog;
use crate::target::SqliteTarget;
use crate::types::sqlite::column_type;

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
    let run = |what: &str, sql: &str| {
        let failed = |error| DatabaseError::sqlite(format!("{what} {table}"), error);
        connection.execute_batch(sql).map_err(failed)
    };

    let position = match options.run() {
        Some(id) => {
            run(
                "keeping positions of",
                &statements::create_positions(statements::POSITIONS),
            )?;
            known_position(&connection, table, id)?
        }
        None => None,
    };
    let key = options.mode.key();
    let columns = match catalog::columns(&connection, table)? {
        Some(columns) => columns,
        None if options.create => {
            let columns = names.iter().zip(&types);
            let mut parts: Vec<_> = columns
                .map(|(name, of)| format!("{} {}", sql::identifier(name), of.sql()))
                .collect();
            if !key.is_empty() {
                let key = sql::identifiers(key.iter().map(String::as_str));
                parts.push(format!("PRIMARY KEY ({key})"));
            }
            let parts = parts.join(", ");
            let create = format!(
                "CREATE TABLE IF NOT EXISTS {} ({parts})",
                sql::identifier(table)
            );
            run("creating", &create)?;
            catalog::columns(&connection, table)?.unwrap_or_default()
        }
        None => return Err(DatabaseError::table(table, "it does not exist")),
    };
    let problems = differences::of_sqlite(schema, &columns);
    if !problems.is_empty() {
        let table = table.clone();
        return Err(DatabaseError::Table { table, problems });
    }
    if !key.is_empty() && !catalog::has_unique(&connection, table, &columns, key)? {
        let keys = sql::identifiers(key.iter().map(String::as_str));
        let problem = format!(
            "an upsert needs a unique index on exactly its key: CREATE UNIQUE INDEX … ON {} ({keys})",
            sql::identifier(table)
        );
        return Err(DatabaseError::table(table, problem));
    }

    // One transaction is a replacement by itself; more than one need a table to gather in.
    let is_staged = options.mode == WriteMode::Replace && (options.commits() || position.is_some());
    let stage = is_staged.then(|| statements::staging(options.run().unwrap_or_default(), table));
    if let Some(stage) = &stage {
        let found = catalog::columns(&connection, stage)?.is_some();
        match (position.is_some(), found) {
            (true, true) => {}
            (true, false) => {
                let problem = format!(
                    "the run cannot be resumed: its staging table {stage} is gone. Delete its row of {} \
                     to begin anew",
                    statements::POSITIONS
                );
                return Err(DatabaseError::table(table, problem));
            }
            (false, _) => {
                let name = sql::identifier(stage);
                let like = sql::identifiers(names.iter().map(String::as_str));
                let from = sql::identifier(table);
                let create = format!(
                    "DROP TABLE IF EXISTS {name}; CREATE TABLE {name} AS SELECT {like} FROM {from} LIMIT 0"
                );
                run("creating the staging table of", &create)?;
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
        stage,
        options,
        names,
        types,
        key,
        before,
        rows: 0,
        bytes: 0,
        is_open: false,
    };
    Ok((worker, position))
}

fn known_position(
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
