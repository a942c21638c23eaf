//! Opening: the table is looked at or created, and an earlier run is found.

use std::time::Instant;

use arrow::datatypes::{Schema, SchemaRef};
use bytes::BytesMut;
use tokio_postgres::Client;

use super::super::{DatabaseSink, Position, SinkOptions, WriteMode, differences, statements};
use super::{Form, Plan, PostgresSink};
use crate::error::DatabaseError;
use crate::postgres::catalog;
use crate::postgres::connection::Connection;
use crate::sql;
use crate::target::{PostgresTarget, TableName};
use crate::types::postgres::{PgType, column_type};

/// How long another run of the same id is waited for. (The server may take a moment to see that a
/// client is gone.)
const PATIENCE: &str = "10s";

/// The longest name; longer ones are cut by the server.
const NAME_BYTES: usize = 63;

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
    let table = &target.table;
    let problems = names_that_cannot_be(table, &schema);
    if !problems.is_empty() {
        let table = table.to_string();
        return Err(DatabaseError::Table { table, problems });
    }
    let mut connection = Connection::open(target).await?;
    connection.prepare_to_write().await?;
    let names = schema.fields().iter().map(|field| field.name().clone());
    let mut plan = Plan::new(table.clone(), names.collect(), options.mode.key());
    let position = match options.run() {
        Some(run) => known_position(&mut connection, &plan, run).await?,
        None => None,
    };
    let opening = Opening {
        client: &connection.client,
        table,
        options: &options,
        is_resumed: position.is_some(),
    };
    let types = opening.types(&mut plan, &schema, wanted).await?;
    opening.staged(&mut plan).await?;

    let key = plan.key.iter().filter_map(|key| schema.index_of(key).ok());
    let form = Form {
        key: key.collect(),
        numbered: !plan.key.is_empty(),
        columns: plan.columns.iter().cloned().zip(types).collect(),
    };
    let sink = PostgresSink {
        connection,
        before: position.as_ref().map_or(0, |position| position.rows),
        shown: target.to_string(),
        options,
        plan,
        form,
        rows: 0,
        bytes: 0,
        copy: None,
        copied_from: 0,
        unmerged: false,
        open: false,
        buffer: BytesMut::new(),
        failed: false,
        started,
    };
    Ok((Box::new(sink), position))
}

/// Names that the server would refuse, or cut without an error, so that they would be found no more.
fn names_that_cannot_be(table: &TableName, schema: &Schema) -> Vec<String> {
    let long = |what: &str, name: &str| {
        let bytes = name.len();
        (bytes > NAME_BYTES).then(|| {
            format!("{what} {name} has a name of {bytes} bytes, PostgreSQL has {NAME_BYTES} at most: rename it")
        })
    };
    let mut problems: Vec<_> = long("the table", &table.table).into_iter().collect();
    for (number, field) in schema.fields().iter().enumerate() {
        match field.name().as_str() {
            "" => problems.push(format!("column {} has no name: give it one", number + 1)),
            name => problems.extend(long("column", name)),
        }
    }
    problems
}

/// Waits until no other sink of this run is open, and looks up how far it came.
async fn known_position(
    connection: &mut Connection,
    plan: &Plan,
    run: &str,
) -> Result<Option<Position>, DatabaseError> {
    let target = plan.target.to_string();
    let lock = sql::literal(&format!("biotide\n{run}\n{target}"));
    let lock = format!(
        "SET lock_timeout = '{PATIENCE}'; SELECT pg_advisory_lock(hashtextextended({lock}, 0)); \
         RESET lock_timeout"
    );
    let waiting = format!("waiting until no other process writes {target} for run {run}");
    connection.run(&waiting, &lock).await?;
    let doing = format!("looking for the position of run {run} in {target}");
    // (Who may not create tables may write to one that is there.)
    if !catalog::exists(&connection.client, &plan.positions).await? {
        // (IF NOT EXISTS alone fails if another session creates it at the same time.)
        let create = format!(
            "BEGIN; SELECT pg_advisory_xact_lock(7276003); {}; COMMIT",
            statements::create_positions(&plan.positions)
        );
        let creating = format!("creating {}, where positions are kept", plan.positions);
        connection.run(&creating, &create).await?;
    }
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

/// Looks, and notes in the plan what is to be made: that is done in the first transaction, so that a sink
/// that writes nothing leaves nothing.
struct Opening<'a> {
    client: &'a Client,
    table: &'a TableName,
    options: &'a SinkOptions,
    /// Whether an earlier run has made rows durable.
    is_resumed: bool,
}

impl Opening<'_> {
    /// The types of the columns that are written: those of the table, or of the one to be created.
    async fn types(
        &self,
        plan: &mut Plan,
        schema: &Schema,
        wanted: Vec<PgType>,
    ) -> Result<Vec<PgType>, DatabaseError> {
        let refused = |problems| DatabaseError::Table {
            table: self.table.to_string(),
            problems,
        };
        let Some(found) = catalog::columns(self.client, self.table).await? else {
            // (Of a replacement the rows are in the staging table.)
            if self.is_resumed && self.options.mode != WriteMode::Replace {
                return Err(statements::lost(self.table, None::<&str>, &plan.positions));
            }
            if !self.options.create {
                return Err(DatabaseError::table(self.table, "it does not exist"));
            }
            let types: Vec<_> = wanted.iter().map(PgType::sql).collect();
            plan.prepare.push(plan.create(&types));
            return Ok(wanted);
        };
        let key = &plan.key;
        if !key.is_empty() && !catalog::has_unique(self.client, self.table, key).await? {
            let keys = sql::identifiers(key.iter().map(String::as_str));
            let problem = format!(
                "an upsert needs a unique index on exactly its key: CREATE UNIQUE INDEX ON {} ({keys})",
                self.table.quoted()
            );
            return Err(DatabaseError::table(self.table, problem));
        }
        let mut problems = differences::of_postgres(schema, &found);
        if self.options.mode == WriteMode::Replace {
            let cascades = catalog::cascades(self.client, self.table).await?;
            problems.extend(cascades.iter().map(|other| differences::cascade(other)));
        }
        if !problems.is_empty() {
            return Err(refused(problems));
        }
        let types = plan.columns.iter().map(|name| {
            let column = found.iter().find(|column| column.name == *name);
            column
                .and_then(|column| column.of.clone())
                .unwrap_or(PgType::Char)
        });
        Ok(types.collect())
    }

    /// Finds the table that rows go to first, where they do, or notes how it is made.
    async fn staged(&self, plan: &mut Plan) -> Result<(), DatabaseError> {
        let target = self.table.to_string();
        match &self.options.mode {
            WriteMode::Append => {}
            WriteMode::Upsert { .. } => {
                // (In the session's own schema, whatever the table's is.)
                plan.written = sql::identifier(&statements::staging("", &target));
                plan.prepare.push(plan.create_merged());
            }
            WriteMode::Replace => {
                let run = match self.options.run() {
                    Some(run) => run.to_owned(),
                    None => format!("{} {:?}", std::process::id(), Instant::now()),
                };
                // (Where the table is, which need not be where the search path creates.)
                let stage = TableName {
                    schema: catalog::schema_of(self.client, self.table)
                        .await?
                        .or_else(|| self.table.schema.clone()),
                    table: statements::staging(&run, &target),
                };
                plan.written = stage.quoted();
                match self.is_resumed {
                    false => plan.prepare.push(plan.create_staging()),
                    true if catalog::exists(self.client, &plan.written).await? => {}
                    true => return Err(statements::lost(self.table, Some(stage), &plan.positions)),
                }
            }
        }
        Ok(())
    }
}
