//! What the tests with real databases share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::prelude::{SessionConfig, SessionContext};
use tempfile::TempDir;

use crate::postgres::connection::Connection;
use crate::{DatabaseError, DatabaseSink, DatabaseTable, DatabaseTarget, SinkOptions};
use crate::{Position, SinkSummary, open_sink};

/// A database that lives as long as the test.
pub(crate) struct Database {
    url: String,
    _folder: Option<TempDir>,
}

static TABLES: AtomicUsize = AtomicUsize::new(0);

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self {
            url,
            _folder: Some(folder),
        }
    }

    /// The server of the environment, if there is one.
    pub(crate) fn postgres() -> Option<Self> {
        match std::env::var("BIOTIDE_TEST_POSTGRES") {
            Ok(url) => Some(Self { url, _folder: None }),
            Err(_) => {
                println!("skipped: BIOTIDE_TEST_POSTGRES holds no URL; see scripts/postgres");
                None
            }
        }
    }

    /// SQLite always, PostgreSQL if there is one.
    pub(crate) fn all() -> Vec<Self> {
        std::iter::once(Self::sqlite())
            .chain(Self::postgres())
            .collect()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// A table that no other test has.
    pub(crate) fn table(&self) -> DatabaseTarget {
        let number = TABLES.fetch_add(1, Ordering::Relaxed);
        self.named(&format!("t{}_{number}", std::process::id()))
    }

    pub(crate) fn named(&self, table: &str) -> DatabaseTarget {
        DatabaseTarget::parse(&format!("{}/{table}", self.url)).unwrap()
    }
}

/// Runs SQL in the database of a table.
pub(crate) async fn run(target: &DatabaseTarget, sql: &str) {
    match target {
        DatabaseTarget::Postgres(target) => {
            let connection = Connection::open(target).await.unwrap();
            connection.client.batch_execute(sql).await.unwrap();
        }
        DatabaseTarget::Sqlite(target) => {
            let connection = rusqlite::Connection::open(&target.path).unwrap();
            connection.execute_batch(sql).unwrap();
        }
    }
}

/// One text that a query gives.
pub(crate) async fn ask(target: &DatabaseTarget, sql: &str) -> String {
    match target {
        DatabaseTarget::Postgres(target) => {
            let connection = Connection::open(target).await.unwrap();
            connection.client.query_one(sql, &[]).await.unwrap().get(0)
        }
        DatabaseTarget::Sqlite(target) => {
            let connection = rusqlite::Connection::open(&target.path).unwrap();
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        }
    }
}

pub(crate) async fn open(
    target: &DatabaseTarget,
    schema: &SchemaRef,
    options: &SinkOptions,
) -> Result<(Box<dyn DatabaseSink>, Option<Position>), DatabaseError> {
    open_sink(target, Arc::clone(schema), options.clone()).await
}

/// Writes batches and finishes.
pub(crate) async fn write(
    target: &DatabaseTarget,
    batches: &[RecordBatch],
    options: &SinkOptions,
) -> Result<SinkSummary, DatabaseError> {
    let (mut sink, _) = open(target, &batches[0].schema(), options).await?;
    for batch in batches {
        sink.write(batch).await?;
    }
    sink.finish().await
}

pub(crate) fn context(batch_size: usize) -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_batch_size(batch_size))
}

/// What a statement says of the table, which it calls `t`.
pub(crate) async fn query(
    target: &DatabaseTarget,
    sql: &str,
) -> datafusion_common::Result<RecordBatch> {
    let context = context(7);
    let table = DatabaseTable::open(target).await?;
    context.register_table("t", Arc::new(table))?;
    let frame = context.sql(sql).await?;
    let schema = Arc::clone(frame.schema().inner());
    Ok(concat_batches(&schema, &frame.collect().await?)?)
}

/// How the table is read for a statement.
pub(crate) async fn plan(target: &DatabaseTarget, sql: &str) -> String {
    let context = context(7);
    let table = DatabaseTable::open(target).await.unwrap();
    context.register_table("t", Arc::new(table)).unwrap();
    let plan = context
        .sql(sql)
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    datafusion_physical_plan::displayable(plan.as_ref())
        .indent(false)
        .to_string()
}

/// The table as text, a line a row.
pub(crate) async fn rows(target: &DatabaseTarget, order: &str) -> Vec<String> {
    let batch = query(target, &format!("SELECT * FROM t ORDER BY {order}"))
        .await
        .unwrap();
    lines(&batch)
}

pub(crate) fn lines(batch: &RecordBatch) -> Vec<String> {
    let options = arrow::util::display::FormatOptions::default().with_null("NULL");
    let shown = |row: usize| {
        let values = batch.columns().iter().map(|column| {
            let formatter = arrow::util::display::ArrayFormatter::try_new(column, &options);
            formatter.unwrap().value(row).to_string()
        });
        values.collect::<Vec<_>>().join(" ")
    };
    (0..batch.num_rows()).map(shown).collect()
}

pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(
        schema,
        columns.into_iter().map(|(_, array)| array).collect(),
    )
    .unwrap()
}
