//! Opening: the table is looked at or created, and an earlier run is found.

use std::time::Instant;

use arrow::datatypes::SchemaRef;
use bytes::BytesMut;

use super::super::{DatabaseSink, Position, SinkOptions, WriteMode, differences, statements};
use super::{Form, Plan, PostgresSink};
use crate::error::DatabaseError;
use crate::postgres::catalog::{self, PgColumn};
use crate::postgres::connection::Connection;
use crate::sql;
use crate::target::{PostgresTarget, TableName};
use crate::types::postgres::{PgType, column_type};

/// How long another run of the same id is waited for. (The server may take a moment to see that a
/// client is gone.)
const PATIENCE: &str = "10s";

pub(in crate::sink) async fn open(
    target: &PostgresTarget,
    schema: SchemaRef,
    options: SinkOptions,
) -> Result<(Box<dyn DatabaseSink>, Option<Position>), DatabaseError> {
    let started = Instant::now();
    let fields = schema.fields().iter();
    let wanted: Vec<_> = fields
        .map(|field| column_type(field))
        .collect::<Result<_, _>>()?;
    let mut connection = Connection::open(target).await?;
    let table = &target.table;
    let names = schema.fields().iter().map(|field| field.name().clone());
    let mut plan = Plan::new(table.clone(), names.collect(), options.mode.key());
    let position = match options.run() {
        Some(run) => known_position(&mut connection, &plan, run).await?,
        None => None,
    };

    let mut opening = Opening {
        connection: &mut connection,
        table,
        options: &options,
    };
    let found = opening.found_or_created(&plan, &wanted).await?;
    let problems = differences::of_postgres(&schema, &found);
    if !problems.is_empty() {
        let table = table.to_string();
        return Err(DatabaseError::Table { table, problems });
    }
    let open = opening.staged(&mut plan, position.is_some()).await?;

    let types = plan.columns.iter().map(|name| {
        let column = found.iter().find(|column| column.name == *name);
        column
            .and_then(|column| column.of.clone())
            .unwrap_or(PgType::Char)
    });
    let key = plan.key.iter().filter_map(|key| schema.index_of(key).ok());
    let form = Form {
        key: key.collect(),
        numbered: !plan.key.is_empty(),
        columns: plan.columns.iter().cloned().zip(types).collect(),
    };
    let sink = PostgresSink {
        connection,
        before: position.as_ref().map_or(0, |position| position.rows),
        options,
        plan,
        form,
        rows: 0,
        bytes: 0,
        copy: None,
        copied_from: 0,
        unmerged: false,
        open,
        buffer: BytesMut::new(),
        failed: false,
        started,
    };
    Ok((Box::new(sink), position))
}

/// Waits until no other sink of this run is open, and looks up how far it came.
async fn known_position(
    connection: &mut Connection,
    plan: &Plan,
    run: &str,
) -> Result<Option<Position>, DatabaseError> {
    let target = plan.target.to_string();
    let doing = format!("looking for the position of run {run} in {target}");
    let lock = sql::literal(&format!("biotide\n{run}\n{target}"));
    let lock = format!(
        "SET lock_timeout = '{PATIENCE}'; SELECT pg_advisory_lock(hashtextextended({lock}, 0)); \
         RESET lock_timeout"
    );
    connection.run(&doing, &lock).await?;
    // (IF NOT EXISTS alone fails if another session creates it at the same time.)
    let create = format!(
        "BEGIN; SELECT pg_advisory_xact_lock(7276003); {}; COMMIT",
        statements::create_positions(&plan.positions)
    );
    connection.run(&doing, &create).await?;
    let found = format!(
        "SELECT \"position\", \"rows\" FROM {} WHERE {}",
        plan.positions,
        statements::position_of(run, &target)
    );
    let row = match connection.client.query_opt(&found, &[]).await {
        Ok(row) => row,
        Err(error) => return Err(connection.explain(doing, error).await),
    };
    let read = |row: tokio_postgres::Row| {
        let rows: i64 = row.try_get(1)?;
        Ok(Position {
            position: row.try_get(0)?,
            rows: u64::try_from(rows).unwrap_or_default(),
        })
    };
    row.map(read)
        .transpose()
        .map_err(|error| DatabaseError::postgres(doing, error))
}

struct Opening<'a> {
    connection: &'a mut Connection,
    table: &'a TableName,
    options: &'a SinkOptions,
}

impl Opening<'_> {
    /// The columns of the table, which is created if it may be.
    async fn found_or_created(
        &mut self,
        plan: &Plan,
        wanted: &[PgType],
    ) -> Result<Vec<PgColumn>, DatabaseError> {
        let missing = || DatabaseError::table(self.table, "it does not exist");
        let client = &self.connection.client;
        if let Some(columns) = catalog::columns(client, self.table).await? {
            let key = &plan.key;
            if !key.is_empty() && !catalog::has_unique(client, self.table, key).await? {
                let keys = sql::identifiers(key.iter().map(String::as_str));
                let problem = format!(
                    "an upsert needs a unique index on exactly its key: \
                     CREATE UNIQUE INDEX ON {} ({keys})",
                    self.table.quoted()
                );
                return Err(DatabaseError::table(self.table, problem));
            }
            return Ok(columns);
        }
        if !self.options.create {
            return Err(missing());
        }
        let types: Vec<_> = wanted.iter().map(PgType::sql).collect();
        let doing = format!("creating {}", self.table);
        self.connection.run(&doing, &plan.create(&types)).await?;
        let columns = catalog::columns(&self.connection.client, self.table).await?;
        columns.ok_or_else(missing)
    }

    /// Makes the table that rows go to first, where they do; whether that opened a transaction.
    async fn staged(&mut self, plan: &mut Plan, is_resumed: bool) -> Result<bool, DatabaseError> {
        let doing = format!("creating the staging table of {}", self.table);
        let target = self.table.to_string();
        match &self.options.mode {
            WriteMode::Append => Ok(false),
            WriteMode::Upsert { .. } => {
                // (In the session's own schema, whatever the table's is.)
                plan.written = sql::identifier(&statements::staging("", &target));
                self.connection.run(&doing, &plan.create_merged()).await?;
                Ok(false)
            }
            WriteMode::Replace => {
                let run = match self.options.run() {
                    Some(run) => run.to_owned(),
                    None => format!("{} {:?}", std::process::id(), Instant::now()),
                };
                // (Where the table is, which need not be where the search path creates.)
                let schema = catalog::schema_of(&self.connection.client, self.table).await?;
                let stage = TableName {
                    schema,
                    table: statements::staging(&run, &target),
                };
                plan.written = stage.quoted();
                if is_resumed {
                    let found = catalog::columns(&self.connection.client, &stage).await?;
                    return match found {
                        Some(_) => Ok(false),
                        None => Err(lost(self.table, &stage, &run)),
                    };
                }
                let (written, like) = (&plan.written, self.table.quoted());
                let create = format!(
                    "DROP TABLE IF EXISTS {written}; \
                     CREATE TABLE {written} (LIKE {like} INCLUDING ALL)"
                );
                // What no run goes on with goes with its transaction.
                let open = !self.options.commits();
                let begin = if open { "BEGIN; " } else { "" };
                self.connection
                    .run(&doing, &format!("{begin}{create}"))
                    .await?;
                Ok(open)
            }
        }
    }
}

fn lost(table: &TableName, stage: &TableName, run: &str) -> DatabaseError {
    DatabaseError::table(
        table,
        format!(
            "run {run} cannot be resumed: its staging table {stage} is gone. Delete its row of \
             {} to begin anew",
            statements::POSITIONS
        ),
    )
}
