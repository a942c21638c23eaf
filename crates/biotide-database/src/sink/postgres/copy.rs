//! A running `COPY … FROM STDIN`.

use std::pin::Pin;

use arrow::array::{Array, RecordBatch};
use bytes::{BufMut, Bytes, BytesMut};
use futures::SinkExt;
use tokio_postgres::{Client, CopyInSink, Error};

use crate::error::DatabaseError;
use crate::postgres::encode::{Cells, HEADER, TRAILER};
use crate::types::postgres::PgType;

/// What is sent at a time.
const PIECE: usize = 128 << 10;

/// After how many bytes a COPY ends and another begins, in the same transaction: the driver hears that
/// the server refused a row only at the end, and would send terabytes until then.
const PART: u64 = 32 << 20;

/// How rows are written.
pub(super) struct Form {
    /// Name and type of each column of the rows.
    pub(super) columns: Vec<(String, PgType)>,
    /// Columns that are not NULL: those of a key.
    pub(super) key: Vec<usize>,
    /// Whether the number of the row follows the columns.
    pub(super) numbered: bool,
}

/// What can go wrong between two answers of the server.
pub(super) enum CopyError {
    /// A row is wrong.
    Row(DatabaseError),
    /// The server or the way to it.
    Driver(Error),
}

impl From<Error> for CopyError {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<DatabaseError> for CopyError {
    fn from(error: DatabaseError) -> Self {
        Self::Row(error)
    }
}

pub(super) struct Copy {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    buffer: BytesMut,
    bytes: u64,
}

impl Copy {
    /// `sql` is the COPY; `buffer` is one that was used before, so that its memory is used again.
    pub(super) async fn start(client: &Client, sql: &str, buffer: BytesMut) -> Result<Self, Error> {
        let sink = client.copy_in(sql).await?;
        let mut buffer = buffer;
        buffer.clear();
        buffer.extend_from_slice(HEADER);
        Ok(Self {
            sink: Box::pin(sink),
            buffer,
            bytes: 0,
        })
    }

    /// Writes the rows of a batch, the first of which is number `first` of the stream.
    pub(super) async fn write(
        &mut self,
        form: &Form,
        batch: &RecordBatch,
        first: u64,
    ) -> Result<(), CopyError> {
        let mut cells = Vec::with_capacity(form.columns.len());
        for ((name, of), array) in form.columns.iter().zip(batch.columns()) {
            cells.push(Cells::new(array, of, name, first)?);
        }
        for &key in &form.key {
            let array = batch.column(key);
            let null = array
                .logical_nulls()
                .and_then(|nulls| (0..nulls.len()).find(|&row| nulls.is_null(row)));
            if let Some(row) = null {
                let problem = "NULL in a column of the key; leave such rows out";
                let name = &form.columns[key].0;
                return Err(DatabaseError::value(name, first + row as u64, problem).into());
            }
        }
        let count = form.columns.len() + usize::from(form.numbered);
        let count = i16::try_from(count).unwrap_or(i16::MAX);
        for row in 0..batch.num_rows() {
            self.buffer.put_i16(count);
            for column in &cells {
                column.put(row, &mut self.buffer);
            }
            if form.numbered {
                self.buffer.put_i32(8);
                self.buffer.put_u64(first + row as u64);
            }
            if self.buffer.len() >= PIECE {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Whether it is time to see what the server says.
    pub(super) fn is_long(&self) -> bool {
        self.bytes >= PART
    }

    async fn send(&mut self) -> Result<(), CopyError> {
        let piece = self.buffer.split().freeze();
        self.bytes += piece.len() as u64;
        // The next piece needs as much, and some for the row that goes over.
        self.buffer.reserve(PIECE + PIECE / 4);
        match self.sink.feed(piece).await {
            Ok(()) => Ok(()),
            // The server has ended it and says why in its answer.
            Err(error) if error.is_closed() => match self.sink.as_mut().finish().await {
                Err(reason) => Err(reason.into()),
                Ok(_) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Ends it: bytes that were sent, and the buffer to be used again.
    pub(super) async fn finish(mut self) -> Result<(u64, BytesMut), CopyError> {
        self.buffer.extend_from_slice(&TRAILER);
        self.send().await?;
        self.sink.as_mut().finish().await?;
        Ok((self.bytes, self.buffer))
    }
}
