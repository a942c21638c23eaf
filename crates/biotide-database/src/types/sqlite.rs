//! Column types of SQLite.
//!
//! SQLite keeps any value in any column; the declared type gives an affinity, by its name. The names
//! written here have the affinity that keeps their values unchanged.

use arrow::datatypes::{DataType, Field, TimeUnit};

use super::convert::is_text;
use crate::error::DatabaseError;

/// What is kept in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SqliteType {
    Boolean,
    Integer,
    Real,
    /// Text of a decimal number with digits and scale.
    Decimal(u8, i8),
    Text,
    Blob,
    Date,
    Time,
    /// Whether in UTC.
    Timestamp(bool),
    /// Text of a list or structure.
    Json,
    /// No declared type: anything.
    Any,
}

impl SqliteType {
    /// The type of a column that is created for an Arrow type.
    pub(crate) fn for_arrow(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Boolean,
            integer if integer.is_integer() => Self::Integer,
            float if float.is_floating() => Self::Real,
            DataType::Decimal32(digits, scale)
            | DataType::Decimal64(digits, scale)
            | DataType::Decimal128(digits, scale)
            | DataType::Decimal256(digits, scale) => Self::Decimal(*digits, *scale),
            DataType::Null => Self::Text,
            text if is_text(text) => Self::Text,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Blob,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, zone) => Self::Timestamp(zone.is_some()),
            DataType::Dictionary(_, values) => Self::for_arrow(values)?,
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::FixedSizeList(_, _)
            | DataType::Struct(_)
            | DataType::Map(_, _) => Self::Json,
            _ => return None,
        })
    }

    /// The type of a declaration, by the rules of affinity where it is none of ours.
    pub(crate) fn declared(declared: &str) -> Self {
        let name = declared.to_ascii_uppercase();
        let (base, arguments) = name.split_once('(').unwrap_or((&name, ""));
        match base.trim() {
            "" => return Self::Any,
            "BOOLEAN" | "BOOL" => return Self::Boolean,
            "DATE" => return Self::Date,
            "TIME" => return Self::Time,
            "TIMESTAMP" | "DATETIME" => return Self::Timestamp(false),
            "TIMESTAMPTZ" => return Self::Timestamp(true),
            "JSON_TEXT" => return Self::Json,
            "DECIMAL_TEXT" => {
                let numbers = arguments.trim_end_matches(')').split_once(',');
                let numbers = numbers.and_then(|(digits, scale)| {
                    Some((digits.trim().parse().ok()?, scale.trim().parse().ok()?))
                });
                // (Wider than Decimal128 is read as text.)
                return match numbers {
                    Some((digits @ 1..=38, scale)) => Self::Decimal(digits, scale),
                    _ => Self::Text,
                };
            }
            _ => {}
        }
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if has(&["BLOB"]) {
            Self::Blob
        } else {
            // (REAL, and NUMERIC, whose numbers may be either.)
            Self::Real
        }
    }

    /// Whether a column that is declared like this makes 64-bit numbers floating, which have 53 bits: those of a
    /// declaration of affinity NUMERIC stay whole.
    pub(crate) fn rounds(declared: &str, data_type: &DataType) -> bool {
        let name = declared.to_ascii_uppercase();
        let is_real = ["REAL", "FLOA", "DOUB"]
            .iter()
            .any(|word| name.contains(word));
        is_real
            && Self::declared(declared) == Self::Real
            && matches!(data_type, DataType::Int64 | DataType::UInt64)
    }

    /// The type as it is declared.
    pub(crate) fn sql(&self) -> String {
        match self {
            Self::Boolean => "BOOLEAN".into(),
            Self::Integer => "INTEGER".into(),
            Self::Real => "REAL".into(),
            Self::Decimal(digits, scale) => format!("DECIMAL_TEXT({digits},{scale})"),
            Self::Text => "TEXT".into(),
            Self::Blob => "BLOB".into(),
            Self::Date => "DATE".into(),
            Self::Time => "TIME".into(),
            Self::Timestamp(false) => "TIMESTAMP".into(),
            Self::Timestamp(true) => "TIMESTAMPTZ".into(),
            Self::Json => "JSON_TEXT".into(),
            Self::Any => String::new(),
        }
    }

    /// Whether a column of this type keeps values that would be written as `other`.
    pub(crate) fn takes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (Self::Real, Self::Integer) => true,
            // Text keeps all that is written as text.
            (Self::Text, _) => !matches!(
                other,
                Self::Blob | Self::Integer | Self::Real | Self::Boolean
            ),
            (Self::Integer, Self::Boolean) => true,
            (own, other) => own == other,
        }
    }

    /// The Arrow type that a column is read as.
    pub(crate) fn read_as(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Decimal(digits, scale) => DataType::Decimal128(*digits, *scale),
            Self::Text | Self::Json | Self::Any => DataType::Utf8View,
            Self::Blob => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp(utc) => {
                let zone = utc.then(|| "UTC".into());
                DataType::Timestamp(TimeUnit::Microsecond, zone)
            }
        }
    }
}

/// The type of the column that is created for a field.
pub(crate) fn column_type(field: &Field) -> Result<SqliteType, DatabaseError> {
    let advice = match field.data_type() {
        DataType::Duration(_) => "CAST it to BIGINT or to VARCHAR",
        _ => "CAST it to VARCHAR",
    };
    SqliteType::for_arrow(field.data_type()).ok_or_else(|| DatabaseError::Type {
        column: field.name().clone(),
        database: "SQLite",
        given: Box::new(field.data_type().clone()),
        advice,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_read_as_it_was_written() {
        for arrow in [
            DataType::Boolean,
            DataType::Int64,
            DataType::Float64,
            DataType::Decimal128(38, 10),
            DataType::Utf8View,
            DataType::Binary,
            DataType::Date32,
            DataType::Time64(TimeUnit::Microsecond),
            DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ] {
            let written = SqliteType::for_arrow(&arrow).unwrap();
            let read = SqliteType::declared(&written.sql());
            assert_eq!(read.read_as(), arrow);
            assert!(read.takes(&written));
        }
    }

    #[test]
    fn affinities_of_other_declarations() {
        for (declared, expected) in [
            ("bigint unsigned", SqliteType::Integer),
            ("VARCHAR(20)", SqliteType::Text),
            ("", SqliteType::Any),
            ("DOUBLE PRECISION", SqliteType::Real),
            ("DECIMAL(10,2)", SqliteType::Real),
            ("DECIMAL_TEXT(50,2)", SqliteType::Text),
        ] {
            assert_eq!(SqliteType::declared(declared), expected, "{declared}");
        }
    }
}
