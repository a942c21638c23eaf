//! Batches in the binary form of `COPY`.
//!
//! ```text
//! header | row: i16 columns, then for each i32 length (-1: NULL) and the value | … | i16 -1
//! ```
//!
//! A column is brought to its type and its nature found once a batch ([`Cells`]); then rows are written
//! one after another into one buffer, with a branch a value and nothing allocated.

use std::sync::Arc;

use arrow::array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, FixedSizeBinaryArray, LargeStringArray,
    ListArray, PrimitiveArray, StringArray, StringViewArray,
};
use arrow::datatypes::{
    ArrowNativeTypeOp, ArrowPrimitiveType, DataType, Field, IntervalUnit, TimeUnit,
};
use bytes::{BufMut, BytesMut};

use super::nul::{has_escaped_nul, nul_in_bytes};
use super::numeric;
use crate::error::DatabaseError;
use crate::types::convert::{convert, is_text, without_dictionary};
use crate::types::json::json_text;
use crate::types::postgres::PgType;

/// What stands before the first row: signature, flags, and no extension.
pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands after the last.
pub(crate) const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// 1970-01-01 to 2000-01-01, from where PostgreSQL counts.
pub(super) const EPOCH_DAYS: i32 = 10_957;
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// A column of a batch, in the type that is written.
pub(crate) enum Cells {
    Null,
    Bool(BooleanArray),
    Int2(PrimitiveArray<Int16Type>),
    Int4(PrimitiveArray<Int32Type>),
    Int8(PrimitiveArray<Int64Type>),
    Float4(PrimitiveArray<Float32Type>),
    Float8(PrimitiveArray<Float64Type>),
    Decimal(PrimitiveArray<Decimal128Type>, u16),
    WideDecimal(PrimitiveArray<Decimal256Type>, u16),
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    Bytes(BinaryArray),
    FixedBytes(FixedSizeBinaryArray),
    /// Sixteen bytes each.
    Uuid(FixedSizeBinaryArray),
    Date(PrimitiveArray<Date32Type>),
    Time(PrimitiveArray<Time64MicrosecondType>),
    Timestamp(PrimitiveArray<TimestampMicrosecondType>),
    Interval(PrimitiveArray<IntervalMonthDayNanoType>),
    /// A version, then the text.
    Jsonb(Box<Cells>),
    List(ListArray, Box<Cells>, u32),
}

impl Cells {
    /// The column for a type of PostgreSQL that takes it ([`PgType::takes`]); `first` is the number of
    /// its first row in the stream.
    pub(crate) fn new(
        array: &ArrayRef,
        to: &PgType,
        column: &str,
        first: u64,
    ) -> Result<Self, DatabaseError> {
        if *array.data_type() == DataType::Null {
            return Ok(Self::Null);
        }
        let array = &without_dictionary(array, column, first)?;
        let cast = |to: &DataType| convert(array, to, column, first);
        let micros = TimeUnit::Microsecond;
        Ok(match to {
            PgType::Bool => Self::Bool(array.as_boolean().clone()),
            PgType::Int2 => Self::Int2(cast(&DataType::Int16)?.as_primitive().clone()),
            PgType::Int4 => Self::Int4(cast(&DataType::Int32)?.as_primitive().clone()),
            PgType::Int8 => Self::Int8(cast(&DataType::Int64)?.as_primitive().clone()),
            PgType::Float4 => Self::Float4(cast(&DataType::Float32)?.as_primitive().clone()),
            PgType::Float8 => Self::Float8(cast(&DataType::Float64)?.as_primitive().clone()),
            PgType::Numeric(_) => Self::decimal(array, column, first)?,
            PgType::Text(_) | PgType::Char | PgType::Json => Self::text(array, column, first)?,
            PgType::Jsonb => {
                let text = Self::text(array, column, first)?;
                text.without_escaped_nul(array.len(), column, first)?;
                Self::Jsonb(Box::new(text))
            }
            PgType::Bytea => match array.as_fixed_size_binary_opt() {
                Some(fixed) => Self::FixedBytes(fixed.clone()),
                None => Self::Bytes(cast(&DataType::Binary)?.as_binary().clone()),
            },
            PgType::Uuid => Self::Uuid(super::uuid::parse(array, column, first)?),
            PgType::Date => {
                let array = cast(&DataType::Date32)?;
                let days = array.as_primitive::<Date32Type>();
                in_reach(days, |days| days.checked_sub(EPOCH_DAYS), column, first)?;
                Self::Date(days.clone())
            }
            PgType::Time => Self::Time(cast(&DataType::Time64(micros))?.as_primitive().clone()),
            PgType::Timestamp => {
                Self::timestamp(&cast(&DataType::Timestamp(micros, None))?, column, first)?
            }
            PgType::TimestampTz => {
                let zone = match array.data_type() {
                    DataType::Timestamp(_, zone) => zone.clone(),
                    _ => None,
                };
                Self::timestamp(&cast(&DataType::Timestamp(micros, zone))?, column, first)?
            }
            PgType::Interval => {
                let array = cast(&DataType::Interval(IntervalUnit::MonthDayNano))?;
                Self::Interval(array.as_primitive().clone())
            }
            PgType::Array(of) => {
                let element = match array.data_type() {
                    DataType::List(field)
                    | DataType::LargeList(field)
                    | DataType::FixedSizeList(field, _) => field.data_type().clone(),
                    _ => DataType::Null,
                };
                let list = cast(&DataType::List(Arc::new(Field::new_list_field(
                    element, true,
                ))))?;
                let list: ListArray = list.as_list().clone();
                // (Of a slice, only its own elements: the others may hold what cannot be written.)
                let ends = list.offsets();
                let (start, end) = (ends[0] as usize, ends[list.len()] as usize);
                let elements = list.values().slice(start, end - start);
                let cells = Self::new(&elements, of, column, 0).map_err(|error| match error {
                    DatabaseError::Value {
                        column,
                        row,
                        problem,
                    } => {
                        let element = row as i64 + start as i64;
                        let row = ends.partition_point(|&end| i64::from(end) <= element) - 1;
                        let row = first + row as u64;
                        DatabaseError::Value {
                            column,
                            row,
                            problem,
                        }
                    }
                    other => other,
                })?;
                Self::List(list, Box::new(cells), of.oid())
            }
        })
    }

    fn timestamp(array: &ArrayRef, column: &str, first: u64) -> Result<Self, DatabaseError> {
        let micros = array.as_primitive::<TimestampMicrosecondType>();
        in_reach(
            micros,
            |micros| micros.checked_sub(EPOCH_MICROS),
            column,
            first,
        )?;
        Ok(Self::Timestamp(micros.clone()))
    }

    fn decimal(array: &ArrayRef, column: &str, first: u64) -> Result<Self, DatabaseError> {
        let wide = |scale: i8| match u16::try_from(scale) {
            Ok(scale) => Ok((Arc::clone(array), scale)),
            // A negative scale is written as digits before the point.
            Err(_) => convert(array, &DataType::Decimal256(76, 0), column, first).map(|to| (to, 0)),
        };
        Ok(match array.data_type() {
            DataType::Decimal32(digits, scale @ 0..) | DataType::Decimal64(digits, scale @ 0..) => {
                let array = convert(array, &DataType::Decimal128(*digits, *scale), column, first)?;
                Self::Decimal(
                    array.as_primitive().clone(),
                    u16::from(scale.unsigned_abs()),
                )
            }
            DataType::Decimal128(_, scale @ 0..) => Self::Decimal(
                array.as_primitive().clone(),
                u16::from(scale.unsigned_abs()),
            ),
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => {
                let (array, scale) = wide(*scale)?;
                Self::WideDecimal(array.as_primitive().clone(), scale)
            }
            _ => {
                let array = convert(array, &DataType::Decimal128(20, 0), column, first)?;
                Self::Decimal(array.as_primitive().clone(), 0)
            }
        })
    }

    /// Texts, and JSON of what is none; without NUL bytes, which PostgreSQL cannot keep.
    fn text(array: &ArrayRef, column: &str, first: u64) -> Result<Self, DatabaseError> {
        let nul = |row: Option<usize>| match row {
            None => Ok(()),
            Some(row) => Err(DatabaseError::value(
                column,
                first + row as u64,
                "text with a NUL byte, which PostgreSQL cannot store; remove it with \
                 replace(column, chr(0), ''), or write the column as binary",
            )),
        };
        Ok(match array.data_type() {
            DataType::Utf8 => {
                let text = array.as_string::<i32>();
                nul(nul_in_bytes(text))?;
                Self::Text(text.clone())
            }
            DataType::LargeUtf8 => {
                let text = array.as_string::<i64>();
                nul(nul_in_bytes(text))?;
                Self::LargeText(text.clone())
            }
            other if other.is_nested() && !is_text(other) => Self::Text(json_text(array, column)?),
            _ => {
                let array = convert(array, &DataType::Utf8View, column, first)?;
                let text = array.as_string_view();
                let has_nul = |text: Option<&str>| text.is_some_and(|t| t.as_bytes().contains(&0));
                nul(text.iter().position(has_nul))?;
                Self::TextView(text.clone())
            }
        })
    }

    /// `jsonb` keeps strings as text, so a NUL byte cannot be written as an escape either.
    fn without_escaped_nul(
        &self,
        rows: usize,
        column: &str,
        first: u64,
    ) -> Result<(), DatabaseError> {
        let text = |row| match self {
            Self::Text(array) => array.is_valid(row).then(|| array.value(row)),
            Self::LargeText(array) => array.is_valid(row).then(|| array.value(row)),
            Self::TextView(array) => array.is_valid(row).then(|| array.value(row)),
            _ => None,
        };
        match (0..rows).find(|&row| text(row).is_some_and(has_escaped_nul)) {
            None => Ok(()),
            Some(row) => Err(DatabaseError::value(
                column,
                first + row as u64,
                "text with a NUL byte (\\u0000) in JSON, which PostgreSQL cannot store; remove it with \
                 replace(…, chr(0), '')",
            )),
        }
    }

    /// Writes length and value of a row.
    #[inline]
    pub(crate) fn put(&self, row: usize, out: &mut BytesMut) {
        match self {
            Self::Null => out.put_i32(-1),
            Self::Bool(array) => put(array, row, out, |out| {
                put_fixed(out, [u8::from(array.value(row))]);
            }),
            Self::Int2(array) => put(array, row, out, |out| {
                put_fixed(out, array.value(row).to_be_bytes());
            }),
            Self::Int4(array) => put(array, row, out, |out| {
                put_fixed(out, array.value(row).to_be_bytes());
            }),
            Self::Int8(array) => put(array, row, out, |out| {
                put_fixed(out, array.value(row).to_be_bytes());
            }),
            Self::Float4(array) => put(array, row, out, |out| {
                put_fixed(out, array.value(row).to_be_bytes());
            }),
            Self::Float8(array) => put(array, row, out, |out| {
                put_fixed(out, array.value(row).to_be_bytes());
            }),
            Self::Decimal(array, scale) => put(array, row, out, |out| {
                numeric::put_i128(out, array.value(row), *scale);
            }),
            Self::WideDecimal(array, scale) => put(array, row, out, |out| {
                let text = array.value(row).to_string();
                let digits = text.strip_prefix('-');
                let is_negative = digits.is_some();
                let digits = digits.unwrap_or(&text).as_bytes();
                numeric::put_digits(out, digits, is_negative, *scale);
            }),
            Self::Text(array) => put(array, row, out, |out| put_bytes(out, array.value(row))),
            Self::LargeText(array) => put(array, row, out, |out| put_bytes(out, array.value(row))),
            Self::TextView(array) => put(array, row, out, |out| put_bytes(out, array.value(row))),
            Self::Bytes(array) => put(array, row, out, |out| put_bytes(out, array.value(row))),
            Self::FixedBytes(array) | Self::Uuid(array) => {
                put(array, row, out, |out| put_bytes(out, array.value(row)));
            }
            Self::Date(array) => put(array, row, out, |out| {
                put_fixed(
                    out,
                    array.value(row).saturating_sub(EPOCH_DAYS).to_be_bytes(),
                );
            }),
            Self::Time(array) => put(array, row, out, |out| {
                put_fixed(out, array.value(row).to_be_bytes());
            }),
            Self::Timestamp(array) => put(array, row, out, |out| {
                put_fixed(
                    out,
                    array.value(row).saturating_sub(EPOCH_MICROS).to_be_bytes(),
                );
            }),
            Self::Interval(array) => put(array, row, out, |out| {
                let value = array.value(row);
                out.put_i32(16);
                out.put_i64(value.nanoseconds / 1000);
                out.put_i32(value.days);
                out.put_i32(value.months);
            }),
            Self::Jsonb(text) => put_measured(out, |out| {
                let start = out.len();
                text.put(row, out);
                // The text's own length gives way to the version.
                let is_null = out.get(start..start + 4) == Some(&(-1_i32).to_be_bytes()[..]);
                if !is_null {
                    out[start + 3] = 1;
                    out.copy_within(start + 3.., start);
                    out.truncate(out.len() - 3);
                }
                !is_null
            }),
            Self::List(array, elements, oid) => put(array, row, out, |out| {
                let offsets = array.value_offsets();
                let start = offsets[0];
                let rows = (offsets[row] - start) as usize..(offsets[row + 1] - start) as usize;
                put_measured(out, |out| {
                    out.put_i32(i32::from(!rows.is_empty()));
                    let nulls = rows
                        .clone()
                        .any(|row| array.values().is_null(row + start as usize));
                    out.put_i32(i32::from(nulls));
                    out.put_u32(*oid);
                    if !rows.is_empty() {
                        out.put_i32(rows.len() as i32);
                        out.put_i32(1);
                    }
                    rows.for_each(|row| elements.put(row, out));
                    true
                });
            }),
        }
    }
}

/// Refuses what the server would take for minus infinity.
fn in_reach<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    moved: impl Fn(T::Native) -> Option<T::Native>,
    column: &str,
    first: u64,
) -> Result<(), DatabaseError> {
    let least = T::Native::MIN_TOTAL_ORDER;
    let lost = |value: Option<T::Native>| {
        value.is_some_and(|value| moved(value).is_none_or(|moved| moved == least))
    };
    match array.iter().position(lost) {
        None => Ok(()),
        Some(row) => {
            let problem = "a time too far away for PostgreSQL";
            Err(DatabaseError::value(column, first + row as u64, problem))
        }
    }
}

#[inline]
fn put(array: &impl Array, row: usize, out: &mut BytesMut, value: impl FnOnce(&mut BytesMut)) {
    match array.is_null(row) {
        true => out.put_i32(-1),
        false => value(out),
    }
}

#[inline]
fn put_fixed<const N: usize>(out: &mut BytesMut, value: [u8; N]) {
    out.put_i32(N as i32);
    out.extend_from_slice(&value);
}

#[inline]
fn put_bytes(out: &mut BytesMut, value: impl AsRef<[u8]>) {
    let value = value.as_ref();
    out.put_i32(value.len() as i32);
    out.extend_from_slice(value);
}

/// Writes the length of what `value` writes; NULL, if that says false.
fn put_measured(out: &mut BytesMut, value: impl FnOnce(&mut BytesMut) -> bool) {
    let start = out.len();
    out.put_i32(0);
    let length = match value(out) {
        true => (out.len() - start - 4) as i32,
        false => {
            out.truncate(start + 4);
            -1
        }
    };
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}
