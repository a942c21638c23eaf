//! Running a query, a few batches ahead of who takes them.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion_common::DataFusionError;
use datafusion_execution::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchReceiverStreamBuilder;
use futures::TryStreamExt;
use rusqlite::OpenFlags;
use rusqlite::types::ValueRef;
use tokio::sync::mpsc::Sender;

use crate::error::DatabaseError;
use crate::postgres::connection::Connection;
use crate::postgres::decode::Decoder;
use crate::sqlite::catalog;
use crate::sqlite::read::{Column, Mismatch};
use crate::target::{DatabaseTarget, PostgresTarget, SqliteTarget};
use crate::types::sqlite::SqliteType;

/// Batches that wait for who takes them.
const AHEAD: usize = 2;

/// What is read.
pub(super) struct Scan {
    pub(super) query: String,
    pub(super) schema: SchemaRef,
    /// How values of SQLite are kept, a column each.
    pub(super) types: Vec<SqliteType>,
    pub(super) batch_size: usize,
    pub(super) table: String,
    pub(super) has_rowid: bool,
}

type Batches = Sender<Result<RecordBatch, DataFusionError>>;

/// Starts when it is first asked, ends when dropped.
pub(super) fn open(target: &DatabaseTarget, scan: Scan) -> SendableRecordBatchStream {
    let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&scan.schema), AHEAD);
    let batches = stream.tx();
    match target {
        DatabaseTarget::Postgres(target) => {
            let target = target.clone();
            stream.spawn(async move { Ok(postgres(&target, scan, batches).await?) });
        }
        DatabaseTarget::Sqlite(target) => {
            let target = target.clone();
            stream.spawn_blocking(move || Ok(sqlite(&target, scan, &batches)?));
        }
    }
    stream.build()
}

async fn postgres(
    target: &PostgresTarget,
    scan: Scan,
    batches: Batches,
) -> Result<(), DatabaseError> {
    let mut connection = Connection::open(target).await?;
    let doing = format!("reading {}", scan.table);
    let copy = format!("COPY ({}) TO STDOUT (FORMAT binary)", scan.query);
    let mut rows = match connection.client.copy_out(&copy).await {
        Ok(rows) => Box::pin(rows),
        Err(error) => return Err(connection.explain(doing, error).await),
    };
    let mut decoder = Decoder::new(scan.table, scan.schema);
    loop {
        match rows.try_next().await {
            Ok(Some(row)) => decoder.push(&row)?,
            Ok(None) => break,
            Err(error) => return Err(connection.explain(doing, error).await),
        }
        if decoder.rows() >= scan.batch_size && batches.send(Ok(decoder.finish()?)).await.is_err() {
            return Ok(());
        }
    }
    if decoder.rows() > 0 {
        // (Whoever asked may have gone.)
        let _ = batches.send(Ok(decoder.finish()?)).await;
    }
    Ok(())
}

fn sqlite(target: &SqliteTarget, scan: Scan, batches: &Batches) -> Result<(), DatabaseError> {
    let connection = catalog::open(target, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let failed = |error| DatabaseError::sqlite(format!("reading {}", scan.table), error);
    let mut statement = connection.prepare(&scan.query).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut columns: Vec<_> = scan.types.iter().map(Column::new).collect();
    let (mut count, mut before) = (0, 0_u64);
    loop {
        let row = rows.next().map_err(failed)?;
        let is_end = row.is_none();
        if let Some(row) = row {
            for (index, column) in columns.iter_mut().enumerate() {
                let value = row.get_ref(index + 1).map_err(failed)?;
                column.append(value).map_err(|mismatch| {
                    let rowid = row.get_ref(0).unwrap_or(ValueRef::Null);
                    scan.mixed(index, mismatch, rowid, before + count as u64)
                })?;
            }
            count += 1;
        }
        if count == scan.batch_size || (is_end && count > 0) {
            before += count as u64;
            let batch = scan.batch(&mut columns, std::mem::take(&mut count))?;
            if batches.blocking_send(Ok(batch)).is_err() {
                return Ok(());
            }
        }
        if is_end {
            return Ok(());
        }
    }
}

impl Scan {
    fn batch(&self, columns: &mut [Column], rows: usize) -> Result<RecordBatch, DatabaseError> {
        let failed = |column: &str, source| DatabaseError::Arrow {
            column: column.to_owned(),
            source,
        };
        let fields = self.schema.fields().iter();
        let arrays = fields.zip(columns).map(|(field, column)| {
            column
                .finish()
                .map_err(|source| failed(field.name(), source))
        });
        let arrays: Vec<_> = arrays.collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|source| failed("*", source))
    }

    fn mixed(
        &self,
        column: usize,
        Mismatch(found): Mismatch,
        rowid: ValueRef<'_>,
        row: u64,
    ) -> DatabaseError {
        let field = self.schema.field(column);
        let row = match rowid {
            ValueRef::Integer(rowid) if self.has_rowid => format!("rowid {rowid}"),
            _ => format!("row {}", row + 1),
        };
        DatabaseError::Mixed {
            table: self.table.as_str().into(),
            column: field.name().as_str().into(),
            row: row.into(),
            found,
            expected: Box::new(field.data_type().clone()),
        }
    }
}
