//! Values of SQLite as columns of a batch.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder,
    StringViewBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::compute::kernels::cast_utils::parse_decimal;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use rusqlite::types::ValueRef;

use crate::types::sqlite::SqliteType;

/// Builds a column.
pub(crate) enum Column {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Real(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Text(StringViewBuilder),
    /// Whatever the value, its text.
    Any(StringViewBuilder),
    Blob(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder, bool),
}

/// The value is of another type than the column; which.
pub(crate) struct Mismatch(pub(crate) &'static str);

/// Whole numbers that a float has exactly.
const EXACT: i64 = 1 << 53;

impl Column {
    pub(crate) fn new(of: &SqliteType) -> Self {
        match of {
            SqliteType::Boolean => Self::Boolean(BooleanBuilder::new()),
            SqliteType::Integer => Self::Integer(Int64Builder::new()),
            SqliteType::Real => Self::Real(Float64Builder::new()),
            SqliteType::Decimal(digits, scale) => {
                Self::Decimal(Decimal128Builder::new(), *digits, *scale)
            }
            SqliteType::Text | SqliteType::Json => Self::Text(StringViewBuilder::new()),
            SqliteType::Any => Self::Any(StringViewBuilder::new()),
            SqliteType::Blob => Self::Blob(BinaryBuilder::new()),
            SqliteType::Date => Self::Date(Date32Builder::new()),
            SqliteType::Time => Self::Time(Time64MicrosecondBuilder::new()),
            SqliteType::Timestamp(utc) => Self::Timestamp(TimestampMicrosecondBuilder::new(), *utc),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Boolean(column) => column.append_null(),
            Self::Integer(column) => column.append_null(),
            Self::Real(column) => column.append_null(),
            Self::Decimal(column, ..) => column.append_null(),
            Self::Text(column) | Self::Any(column) => column.append_null(),
            Self::Blob(column) => column.append_null(),
            Self::Date(column) => column.append_null(),
            Self::Time(column) => column.append_null(),
            Self::Timestamp(column, _) => column.append_null(),
        }
    }

    pub(crate) fn append(&mut self, value: ValueRef<'_>) -> Result<(), Mismatch> {
        let text = || match value {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        };
        let mismatch = || Mismatch(found(value));
        match (&mut *self, value) {
            (column, ValueRef::Null) => column.append_null(),
            (Self::Boolean(column), ValueRef::Integer(value @ (0 | 1))) => {
                column.append_value(value == 1);
            }
            (Self::Integer(column), ValueRef::Integer(value)) => column.append_value(value),
            (Self::Real(column), ValueRef::Real(value)) => column.append_value(value),
            (Self::Real(column), ValueRef::Integer(value)) if (-EXACT..=EXACT).contains(&value) => {
                column.append_value(value as f64);
            }
            (Self::Decimal(column, digits, scale), ValueRef::Text(_)) => {
                let value = text()
                    .and_then(|text| parse_decimal::<Decimal128Type>(text, *digits, *scale).ok());
                column.append_value(value.ok_or_else(mismatch)?);
            }
            (Self::Text(column) | Self::Any(column), ValueRef::Text(_)) => {
                column.append_value(text().ok_or_else(mismatch)?);
            }
            (Self::Any(column), ValueRef::Integer(value)) => column.append_value(value.to_string()),
            (Self::Any(column), ValueRef::Real(value)) => column.append_value(value.to_string()),
            (Self::Blob(column), ValueRef::Blob(value)) => column.append_value(value),
            (Self::Date(column), ValueRef::Text(_)) => {
                let date = text().and_then(|text| text.parse::<NaiveDate>().ok());
                let date = date.ok_or_else(mismatch)?;
                column.append_value(Date32Type::from_naive_date(date));
            }
            (Self::Time(column), ValueRef::Text(_)) => {
                let time = text().and_then(|text| text.parse::<NaiveTime>().ok());
                let time = time.ok_or_else(mismatch)?;
                let micros = i64::from(time.nanosecond() / 1000);
                column
                    .append_value(i64::from(time.num_seconds_from_midnight()) * 1_000_000 + micros);
            }
            (Self::Timestamp(column, _), ValueRef::Text(_)) => {
                let micros = text().and_then(micros).ok_or_else(mismatch)?;
                column.append_value(micros);
            }
            _ => return Err(mismatch()),
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Real(column) => Arc::new(column.finish()),
            Self::Decimal(column, digits, scale) => {
                Arc::new(column.finish().with_precision_and_scale(*digits, *scale)?)
            }
            Self::Text(column) | Self::Any(column) => Arc::new(column.finish()),
            Self::Blob(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Timestamp(column, utc) => {
                let DataType::Timestamp(_, zone) = SqliteType::Timestamp(*utc).read_as() else {
                    return Err(ArrowError::ComputeError("a time has no zone".to_owned()));
                };
                Arc::new(column.finish().with_timezone_opt(zone))
            }
        })
    }
}

/// What SQLite calls the type of a value.
fn found(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "NULL",
        ValueRef::Integer(_) => "INTEGER",
        ValueRef::Real(_) => "REAL",
        ValueRef::Text(_) => "TEXT",
        ValueRef::Blob(_) => "BLOB",
    }
}

/// A point of time as SQLite's functions write it: a date, or date and time with blank or T between, with
/// an offset or without (UTC).
fn micros(text: &str) -> Option<i64> {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text).trim_end();
    for form in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
            return Some(time.and_utc().timestamp_micros());
        }
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros());
    }
    let offset = ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%:z"];
    let mut parsed = offset
        .iter()
        .filter_map(|form| DateTime::parse_from_str(text, form).ok());
    parsed.next().map(|time| time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_time() {
        for (text, expected) in [
            ("1970-01-02", Some(86_400_000_000)),
            ("1970-01-01 00:00:01", Some(1_000_000)),
            ("1970-01-01T00:00:01.5Z", Some(1_500_000)),
            ("1970-01-01 01:00:00+01:00", Some(0)),
            ("1969-12-31 23:59:59.999999", Some(-1)),
            ("12", None),
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
    }
}
