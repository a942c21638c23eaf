//! Columns of a batch as values of SQLite.

use std::fmt::Write as _;

use arrow::array::types::{
    Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray,
    StringArray, StringBuilder, StringViewArray,
};
use arrow::datatypes::{DataType, TimeUnit};
use chrono::DateTime;
use rusqlite::types::ValueRef;

use crate::error::DatabaseError;
use crate::types::convert::{convert, without_dictionary};
use crate::types::json::json_text;
use crate::types::sqlite::SqliteType;

/// A column in the form that is bound.
pub(crate) enum Values {
    Null,
    Boolean(BooleanArray),
    Integer(PrimitiveArray<Int64Type>),
    Real(PrimitiveArray<Float64Type>),
    Text(StringArray),
    TextView(StringViewArray),
    Bytes(BinaryArray),
    FixedBytes(FixedSizeBinaryArray),
}

impl Values {
    /// The column as `of`, the type that stands for its Arrow type; `first` is the number of its first
    /// row in the stream.
    pub(crate) fn new(
        array: &ArrayRef,
        of: &SqliteType,
        column: &str,
        first: u64,
    ) -> Result<Self, DatabaseError> {
        if *array.data_type() == DataType::Null {
            return Ok(Self::Null);
        }
        let array = &without_dictionary(array, column, first)?;
        let cast = |to: &DataType| convert(array, to, column, first);
        let micros = TimeUnit::Microsecond;
        Ok(match of {
            SqliteType::Boolean => Self::Boolean(array.as_boolean().clone()),
            SqliteType::Integer => Self::Integer(cast(&DataType::Int64)?.as_primitive().clone()),
            SqliteType::Real => Self::Real(cast(&DataType::Float64)?.as_primitive().clone()),
            SqliteType::Decimal(..) => Self::Text(cast(&DataType::Utf8)?.as_string().clone()),
            SqliteType::Text | SqliteType::Any => match array.as_string_opt::<i32>() {
                Some(text) => Self::Text(text.clone()),
                None => Self::TextView(cast(&DataType::Utf8View)?.as_string_view().clone()),
            },
            SqliteType::Blob => match array.as_fixed_size_binary_opt() {
                Some(fixed) => Self::FixedBytes(fixed.clone()),
                None => Self::Bytes(cast(&DataType::Binary)?.as_binary().clone()),
            },
            SqliteType::Date => {
                let days = convert(array, &DataType::Date32, column, first)?;
                Self::Text(
                    convert(&days, &DataType::Utf8, column, first)?
                        .as_string()
                        .clone(),
                )
            }
            SqliteType::Time => {
                let array = cast(&DataType::Time64(micros))?;
                Self::Text(times(array.as_primitive()))
            }
            SqliteType::Timestamp(utc) => {
                let zone = match array.data_type() {
                    DataType::Timestamp(_, zone) => zone.clone(),
                    _ => None,
                };
                let array = cast(&DataType::Timestamp(micros, zone))?;
                Self::Text(timestamps(array.as_primitive(), *utc, column, first)?)
            }
            SqliteType::Json => Self::Text(json_text(array, column)?),
        })
    }

    /// The value of a row. (SQLite has no NaN: it would make NULL of it, of keys too.)
    #[inline]
    pub(crate) fn get(&self, row: usize) -> ValueRef<'_> {
        fn valid<A: Array>(array: &A, row: usize) -> Option<&A> {
            array.is_valid(row).then_some(array)
        }
        let value = match self {
            Self::Null => None,
            Self::Boolean(array) => {
                valid(array, row).map(|a| ValueRef::Integer(a.value(row).into()))
            }
            Self::Integer(array) => valid(array, row).map(|a| ValueRef::Integer(a.value(row))),
            Self::Real(array) => valid(array, row)
                .map(|a| a.value(row))
                .filter(|value| !value.is_nan())
                .map(ValueRef::Real),
            Self::Text(array) => valid(array, row).map(|a| ValueRef::Text(a.value(row).as_bytes())),
            Self::TextView(array) => {
                valid(array, row).map(|a| ValueRef::Text(a.value(row).as_bytes()))
            }
            Self::Bytes(array) => valid(array, row).map(|a| ValueRef::Blob(a.value(row))),
            Self::FixedBytes(array) => valid(array, row).map(|a| ValueRef::Blob(a.value(row))),
        };
        value.unwrap_or(ValueRef::Null)
    }
}

const DAY: i64 = 86_400_000_000;

/// `13:00:00.000000`: of one length, so that texts sort as times do.
fn put_time(text: &mut StringBuilder, micros: i64) {
    let seconds = micros / 1_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    // (A builder takes all that is written.)
    let _ = write!(
        text,
        "{hours:02}:{minutes:02}:{:02}.{:06}",
        seconds % 60,
        micros % 1_000_000
    );
}

fn times(array: &PrimitiveArray<Time64MicrosecondType>) -> StringArray {
    let mut text = StringBuilder::with_capacity(array.len(), array.len() * 15);
    for micros in array {
        match micros {
            Some(micros) => {
                put_time(&mut text, micros);
                text.append_value("");
            }
            None => text.append_null(),
        }
    }
    text.finish()
}

fn timestamps(
    array: &PrimitiveArray<TimestampMicrosecondType>,
    utc: bool,
    column: &str,
    first: u64,
) -> Result<StringArray, DatabaseError> {
    let mut text = StringBuilder::with_capacity(array.len(), array.len() * 27);
    for (row, micros) in array.iter().enumerate() {
        let Some(micros) = micros else {
            text.append_null();
            continue;
        };
        let date =
            DateTime::from_timestamp(micros.div_euclid(DAY) * 86_400, 0).ok_or_else(|| {
                let problem = "a time too far away to be written as text";
                DatabaseError::value(column, first + row as u64, problem)
            })?;
        let _ = write!(text, "{} ", date.date_naive());
        put_time(&mut text, micros.rem_euclid(DAY));
        text.append_value(if utc { "Z" } else { "" });
    }
    Ok(text.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn times_are_of_one_length() {
        let array = PrimitiveArray::<TimestampMicrosecondType>::from(vec![
            Some(-1),
            None,
            Some(DAY + 61_000_001),
        ]);
        let array: ArrayRef = Arc::new(array);
        let values = Values::new(&array, &SqliteType::Timestamp(true), "t", 0).unwrap();
        assert_eq!(
            values.get(0),
            ValueRef::Text(b"1969-12-31 23:59:59.999999Z")
        );
        assert_eq!(values.get(1), ValueRef::Null);
        assert_eq!(
            values.get(2),
            ValueRef::Text(b"1970-01-02 00:01:01.000001Z")
        );
    }
}
