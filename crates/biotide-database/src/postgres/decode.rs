//! Rows of `COPY … TO STDOUT (FORMAT binary)` as batches.

use std::sync::Arc;

use arrow::array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, IntervalMonthDayNanoBuilder,
    NullBufferBuilder, StringViewBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::array::{ArrayRef, ListArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, IntervalMonthDayNano, SchemaRef};

use super::encode::{EPOCH_DAYS, EPOCH_MICROS, HEADER};
use super::numeric::{self, Numeric};
use crate::error::DatabaseError;

/// What is wrong with a value.
enum Wrong {
    /// The bytes are not of the type.
    Form(&'static str),
    /// The value is none of the Arrow type.
    Value(&'static str),
}

type Read<T> = Result<T, Wrong>;

/// Builds a column.
enum Column {
    Bool(BooleanBuilder),
    Int2(Int16Builder),
    Int4(Int32Builder),
    Int8(Int64Builder),
    Float4(Float32Builder),
    Float8(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Text(StringViewBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder, Option<Arc<str>>),
    Interval(IntervalMonthDayNanoBuilder),
    List(Box<Column>, FieldRef, Vec<i32>, NullBufferBuilder),
}

fn fixed<const N: usize>(bytes: &[u8]) -> Read<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| Wrong::Form("a value of another length than its type has"))
}

/// Takes the next bytes off.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Read<&'a [u8]> {
    let (head, tail) = bytes
        .split_at_checked(count)
        .ok_or(Wrong::Form("a row that ends within a value"))?;
    *bytes = tail;
    Ok(head)
}

fn take_i32(bytes: &mut &[u8]) -> Read<i32> {
    Ok(i32::from_be_bytes(fixed(take(bytes, 4)?)?))
}

/// A value with its length before it; NULL has none.
fn take_value<'a>(bytes: &mut &'a [u8]) -> Read<Option<&'a [u8]>> {
    match take_i32(bytes)? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| Wrong::Form("a negative length"))?;
            take(bytes, length).map(Some)
        }
    }
}

impl Column {
    /// For a type of [`PgType::read_as`](crate::types::postgres::PgType::read_as).
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int16 => Self::Int2(Int16Builder::new()),
            DataType::Int32 => Self::Int4(Int32Builder::new()),
            DataType::Int64 => Self::Int8(Int64Builder::new()),
            DataType::Float32 => Self::Float4(Float32Builder::new()),
            DataType::Float64 => Self::Float8(Float64Builder::new()),
            DataType::Decimal128(digits, scale) => {
                Self::Decimal(Decimal128Builder::new(), *digits, *scale)
            }
            DataType::Binary => Self::Bytes(BinaryBuilder::new()),
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Time64(_) => Self::Time(Time64MicrosecondBuilder::new()),
            DataType::Timestamp(_, zone) => {
                Self::Timestamp(TimestampMicrosecondBuilder::new(), zone.clone())
            }
            DataType::Interval(_) => Self::Interval(IntervalMonthDayNanoBuilder::new()),
            DataType::List(of) => Self::List(
                Box::new(Self::new(of.data_type())),
                Arc::clone(of),
                vec![0],
                NullBufferBuilder::new(0),
            ),
            _ => Self::Text(StringViewBuilder::new()),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Bool(column) => column.append_null(),
            Self::Int2(column) => column.append_null(),
            Self::Int4(column) => column.append_null(),
            Self::Int8(column) => column.append_null(),
            Self::Float4(column) => column.append_null(),
            Self::Float8(column) => column.append_null(),
            Self::Decimal(column, ..) => column.append_null(),
            Self::Text(column) => column.append_null(),
            Self::Bytes(column) => column.append_null(),
            Self::Date(column) => column.append_null(),
            Self::Time(column) => column.append_null(),
            Self::Timestamp(column, _) => column.append_null(),
            Self::Interval(column) => column.append_null(),
            Self::List(_, _, offsets, nulls) => {
                offsets.push(offsets.last().copied().unwrap_or_default());
                nulls.append_null();
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Read<()> {
        match self {
            Self::Bool(column) => column.append_value(fixed::<1>(bytes)? != [0]),
            Self::Int2(column) => column.append_value(i16::from_be_bytes(fixed(bytes)?)),
            Self::Int4(column) => column.append_value(i32::from_be_bytes(fixed(bytes)?)),
            Self::Int8(column) => column.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Float4(column) => column.append_value(f32::from_be_bytes(fixed(bytes)?)),
            Self::Float8(column) => column.append_value(f64::from_be_bytes(fixed(bytes)?)),
            Self::Decimal(column, _, scale) => {
                let value = match numeric::read(bytes, u32::from(scale.unsigned_abs())) {
                    Numeric::Value(value) => value,
                    Numeric::Special => {
                        return Err(Wrong::Value("NaN or an infinity, which no decimal is"));
                    }
                    Numeric::Large => {
                        return Err(Wrong::Value("more digits than the type of the column"));
                    }
                    Numeric::Broken => return Err(Wrong::Form("a numeric of another form")),
                };
                column.append_value(value);
            }
            Self::Text(column) => {
                let text =
                    std::str::from_utf8(bytes).map_err(|_| Wrong::Form("text that is no UTF-8"))?;
                column.append_value(text);
            }
            Self::Bytes(column) => column.append_value(bytes),
            Self::Date(column) => {
                let days = i32::from_be_bytes(fixed(bytes)?);
                if matches!(days, i32::MIN | i32::MAX) {
                    return Err(Wrong::Value("an infinite date"));
                }
                let days = days.checked_add(EPOCH_DAYS);
                column.append_value(days.ok_or(Wrong::Value("a date too far away"))?);
            }
            Self::Time(column) => column.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Timestamp(column, _) => {
                let micros = i64::from_be_bytes(fixed(bytes)?);
                if matches!(micros, i64::MIN | i64::MAX) {
                    return Err(Wrong::Value("an infinite time"));
                }
                let micros = micros.checked_add(EPOCH_MICROS);
                column.append_value(micros.ok_or(Wrong::Value("a time too far away"))?);
            }
            Self::Interval(column) => {
                let mut rest = bytes;
                let micros = i64::from_be_bytes(fixed(take(&mut rest, 8)?)?);
                let (days, months) = (take_i32(&mut rest)?, take_i32(&mut rest)?);
                let nanos = micros.checked_mul(1000);
                let nanos =
                    nanos.ok_or(Wrong::Value("an interval of more than 292 years of hours"))?;
                column.append_value(IntervalMonthDayNano::new(months, days, nanos));
            }
            Self::List(elements, _, offsets, nulls) => {
                let mut rest = bytes;
                let dimensions = take_i32(&mut rest)?;
                let (_, _) = (take_i32(&mut rest)?, take_i32(&mut rest)?);
                let count = match dimensions {
                    0 => 0,
                    1 => {
                        let count = take_i32(&mut rest)?;
                        take_i32(&mut rest)?;
                        count
                    }
                    _ => return Err(Wrong::Value("an array of more than one dimension")),
                };
                for _ in 0..count {
                    match take_value(&mut rest)? {
                        Some(value) => elements.append(value)?,
                        None => elements.append_null(),
                    }
                }
                let end = offsets
                    .last()
                    .copied()
                    .unwrap_or_default()
                    .checked_add(count);
                offsets.push(end.ok_or(Wrong::Value("too many elements in a batch"))?);
                nulls.append_non_null();
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef, arrow::error::ArrowError> {
        Ok(match self {
            Self::Bool(column) => Arc::new(column.finish()),
            Self::Int2(column) => Arc::new(column.finish()),
            Self::Int4(column) => Arc::new(column.finish()),
            Self::Int8(column) => Arc::new(column.finish()),
            Self::Float4(column) => Arc::new(column.finish()),
            Self::Float8(column) => Arc::new(column.finish()),
            Self::Decimal(column, digits, scale) => {
                Arc::new(column.finish().with_precision_and_scale(*digits, *scale)?)
            }
            Self::Text(column) => Arc::new(column.finish()),
            Self::Bytes(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Timestamp(column, zone) => {
                Arc::new(column.finish().with_timezone_opt(zone.clone()))
            }
            Self::Interval(column) => Arc::new(column.finish()),
            Self::List(elements, field, offsets, nulls) => {
                let offsets = std::mem::replace(offsets, vec![0]);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                let (field, elements) = (Arc::clone(field), elements.finish()?);
                Arc::new(ListArray::try_new(
                    field,
                    offsets,
                    elements,
                    nulls.finish(),
                )?)
            }
        })
    }
}

/// Gathers rows into batches.
pub(crate) struct Decoder {
    table: String,
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    /// Rows of the batches before.
    before: u64,
    header: bool,
}

impl Decoder {
    pub(crate) fn new(table: String, schema: SchemaRef) -> Self {
        let fields = schema.fields().iter();
        let columns = fields.map(|field: &Arc<Field>| Column::new(field.data_type()));
        Self {
            table,
            columns: columns.collect(),
            schema,
            rows: 0,
            before: 0,
            header: false,
        }
    }

    /// Rows that are no batch yet.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes what the server sent in one piece: a row, with the header before the first and the trailer
    /// in place of one.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), DatabaseError> {
        if !self.header {
            bytes = bytes
                .strip_prefix(HEADER)
                .ok_or_else(|| self.broken("there is no header"))?;
            self.header = true;
        }
        while !bytes.is_empty() {
            let count = take(&mut bytes, 2).and_then(|count| Ok(i16::from_be_bytes(fixed(count)?)));
            match count {
                Ok(-1) => break,
                Ok(count) if usize::try_from(count) == Ok(self.columns.len()) => {}
                _ => return Err(self.broken("a row with another number of columns")),
            }
            for index in 0..self.columns.len() {
                let column = &mut self.columns[index];
                let done = take_value(&mut bytes).and_then(|value| match value {
                    Some(value) => column.append(value),
                    None => {
                        column.append_null();
                        Ok(())
                    }
                });
                done.map_err(|wrong| self.wrong(index, wrong))?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    /// The batch of the rows so far.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, DatabaseError> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        let failed = |column: &str, source| DatabaseError::Arrow {
            column: column.to_owned(),
            source,
        };
        for (column, field) in self.columns.iter_mut().zip(self.schema.fields()) {
            let array = column.finish();
            arrays.push(array.map_err(|source| failed(field.name(), source))?);
        }
        let rows = std::mem::take(&mut self.rows);
        self.before += rows as u64;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|source| failed("*", source))
    }

    fn broken(&self, problem: &'static str) -> DatabaseError {
        DatabaseError::Protocol {
            table: self.table.clone(),
            problem,
        }
    }

    fn wrong(&self, column: usize, wrong: Wrong) -> DatabaseError {
        match wrong {
            Wrong::Form(problem) => self.broken(problem),
            Wrong::Value(problem) => DatabaseError::value(
                self.schema.field(column).name(),
                self.before + self.rows as u64,
                format!("{problem}; read it through a view that casts it to text"),
            ),
        }
    }
}
