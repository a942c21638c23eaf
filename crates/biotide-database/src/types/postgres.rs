//! Column types of PostgreSQL.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

use super::convert::{is_scalar, is_text};
use crate::error::DatabaseError;

/// A column type whose binary form is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PgType {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    /// With digits and scale, if they are limited.
    Numeric(Option<(u16, i16)>),
    /// text, varchar, name and enumerations: the binary form is the text. With the name of the type and
    /// its number, as elements of arrays need it.
    Text(u32),
    /// A fixed length, filled up with blanks.
    Char,
    Bytea,
    Uuid,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Json,
    Jsonb,
    Array(Box<PgType>),
}

const TEXT: u32 = 25;

impl PgType {
    /// The type of a number of `pg_type`, with its modifier (-1: none).
    pub(crate) fn from_oid(oid: u32, modifier: i32) -> Option<Self> {
        Some(match oid {
            16 => Self::Bool,
            21 => Self::Int2,
            23 => Self::Int4,
            20 => Self::Int8,
            700 => Self::Float4,
            701 => Self::Float8,
            1700 => Self::Numeric(digits(modifier)),
            // text, varchar, name.
            TEXT | 1043 | 19 => Self::Text(oid),
            1042 => Self::Char,
            17 => Self::Bytea,
            2950 => Self::Uuid,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::TimestampTz,
            1186 => Self::Interval,
            114 => Self::Json,
            3802 => Self::Jsonb,
            _ => return Self::element(oid, modifier).map(|of| Self::Array(Box::new(of))),
        })
    }

    /// The type of the elements of an array type.
    fn element(oid: u32, modifier: i32) -> Option<Self> {
        let element = match oid {
            1000 => 16,
            1005 => 21,
            1007 => 23,
            1016 => 20,
            1021 => 700,
            1022 => 701,
            1231 => 1700,
            1009 => TEXT,
            1015 => 1043,
            1003 => 19,
            1001 => 17,
            1182 => 1082,
            1183 => 1083,
            1115 => 1114,
            1185 => 1184,
            1187 => 1186,
            _ => return None,
        };
        Self::from_oid(element, modifier)
    }

    /// The number that stands in the binary form of arrays.
    pub(crate) fn oid(&self) -> u32 {
        match self {
            Self::Bool => 16,
            Self::Int2 => 21,
            Self::Int4 => 23,
            Self::Int8 => 20,
            Self::Float4 => 700,
            Self::Float8 => 701,
            Self::Numeric(_) => 1700,
            Self::Text(oid) => *oid,
            Self::Char => 1042,
            Self::Bytea => 17,
            Self::Uuid => 2950,
            Self::Date => 1082,
            Self::Time => 1083,
            Self::Timestamp => 1114,
            Self::TimestampTz => 1184,
            Self::Interval => 1186,
            Self::Json => 114,
            Self::Jsonb => 3802,
            // (Arrays of arrays are no type of their own.)
            Self::Array(of) => of.oid(),
        }
    }

    /// The type of a column that is created for an Arrow type.
    pub(crate) fn for_arrow(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Self::Text(TEXT),
            DataType::Boolean => Self::Bool,
            DataType::Int8 | DataType::Int16 | DataType::UInt8 => Self::Int2,
            DataType::Int32 | DataType::UInt16 => Self::Int4,
            DataType::Int64 | DataType::UInt32 => Self::Int8,
            DataType::UInt64 => Self::Numeric(Some((20, 0))),
            DataType::Float16 | DataType::Float32 => Self::Float4,
            DataType::Float64 => Self::Float8,
            DataType::Decimal32(digits, scale)
            | DataType::Decimal64(digits, scale)
            | DataType::Decimal128(digits, scale)
            | DataType::Decimal256(digits, scale) => {
                let (digits, scale) = (u16::from(*digits), i16::from(*scale));
                // (A negative scale is digits before the point.)
                let more = u16::try_from(-scale).unwrap_or(0);
                Self::Numeric(Some((digits + more, scale.max(0))))
            }
            text if is_text(text) => Self::Text(TEXT),
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Bytea,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampTz,
            DataType::Duration(_) | DataType::Interval(_) => Self::Interval,
            DataType::Dictionary(_, values) => Self::for_arrow(values)?,
            DataType::List(of) | DataType::LargeList(of) | DataType::FixedSizeList(of, _)
                if is_scalar(of.data_type()) =>
            {
                Self::Array(Box::new(Self::for_arrow(of.data_type())?))
            }
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::FixedSizeList(_, _)
            | DataType::Struct(_)
            | DataType::Map(_, _) => Self::Jsonb,
            _ => return None,
        })
    }

    /// The type in SQL.
    pub(crate) fn sql(&self) -> String {
        match self {
            Self::Bool => "boolean".into(),
            Self::Int2 => "smallint".into(),
            Self::Int4 => "integer".into(),
            Self::Int8 => "bigint".into(),
            Self::Float4 => "real".into(),
            Self::Float8 => "double precision".into(),
            Self::Numeric(None) => "numeric".into(),
            Self::Numeric(Some((digits, scale))) => format!("numeric({digits},{scale})"),
            Self::Text(_) => "text".into(),
            Self::Char => "character".into(),
            Self::Bytea => "bytea".into(),
            Self::Uuid => "uuid".into(),
            Self::Date => "date".into(),
            Self::Time => "time".into(),
            Self::Timestamp => "timestamp".into(),
            Self::TimestampTz => "timestamptz".into(),
            Self::Interval => "interval".into(),
            Self::Json => "json".into(),
            Self::Jsonb => "jsonb".into(),
            Self::Array(of) => format!("{}[]", of.sql()),
        }
    }

    /// Whether values of an Arrow type can go into a column of this type without losing their meaning.
    /// Integers may be too large for a narrower column: that is checked value by value.
    pub(crate) fn takes(&self, data_type: &DataType) -> bool {
        if let DataType::Dictionary(_, values) = data_type {
            return self.takes(values);
        }
        let decimals = match data_type {
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => Some(i16::from(*scale)),
            _ => None,
        };
        // (A float has all integers of 32 bits.)
        let is_short =
            data_type.is_integer() && !matches!(data_type, DataType::Int64 | DataType::UInt64);
        match self {
            _ if *data_type == DataType::Null => true,
            Self::Bool => *data_type == DataType::Boolean,
            Self::Int2 | Self::Int4 | Self::Int8 => data_type.is_integer(),
            Self::Float4 => matches!(data_type, DataType::Float16 | DataType::Float32),
            Self::Float8 => data_type.is_floating() || is_short,
            // (The server would round what has more decimals, and say nothing.)
            Self::Numeric(limits) => match (decimals, limits) {
                (Some(decimals), Some((_, scale))) => decimals <= *scale,
                (Some(_), None) => true,
                (None, Some((_, ..0))) => false,
                (None, _) => data_type.is_integer(),
            },
            Self::Text(_) | Self::Char | Self::Uuid => is_text(data_type),
            Self::Json | Self::Jsonb => is_text(data_type) || data_type.is_nested(),
            Self::Bytea => Self::for_arrow(data_type) == Some(Self::Bytea),
            Self::Date => matches!(data_type, DataType::Date32 | DataType::Date64),
            Self::Time => matches!(data_type, DataType::Time32(_) | DataType::Time64(_)),
            Self::Timestamp => matches!(
                data_type,
                DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64
            ),
            Self::TimestampTz => matches!(data_type, DataType::Timestamp(_, Some(_))),
            Self::Interval => {
                matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
            }
            Self::Array(of) => match data_type {
                DataType::List(field)
                | DataType::LargeList(field)
                | DataType::FixedSizeList(field, _) => {
                    is_scalar(field.data_type()) && of.takes(field.data_type())
                }
                _ => false,
            },
        }
    }

    /// The Arrow type that a column is read as; nothing if it is read as text by a cast in the query.
    pub(crate) fn read_as(&self) -> Option<DataType> {
        Some(match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Numeric(Some((digits, scale))) => decimal(*digits, *scale)?,
            Self::Text(_) | Self::Char | Self::Json => DataType::Utf8View,
            Self::Bytea => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Array(of) => {
                let of = of.read_as()?;
                DataType::List(Arc::new(Field::new_list_field(of, true)))
            }
            Self::Numeric(None) | Self::Uuid | Self::Jsonb => return None,
        })
    }
}

/// Digits and scale within the modifier of a numeric type.
fn digits(modifier: i32) -> Option<(u16, i16)> {
    let packed = u32::try_from(modifier.checked_sub(4)?).ok()?;
    let digits = u16::try_from(packed >> 16).ok()?;
    // (Eleven bits with a sign, since scales may be negative.)
    let scale = i16::try_from(packed & 0x7ff).ok()?;
    Some((digits, if scale >= 1024 { scale - 2048 } else { scale }))
}

fn decimal(digits: u16, scale: i16) -> Option<DataType> {
    let (digits, scale) = (u8::try_from(digits).ok()?, i8::try_from(scale).ok()?);
    let fits = digits <= 38 && scale >= 0 && scale.unsigned_abs() <= digits;
    fits.then_some(DataType::Decimal128(digits, scale))
}

/// The type of the column that is created for a field.
pub(crate) fn column_type(field: &Field) -> Result<PgType, DatabaseError> {
    PgType::for_arrow(field.data_type()).ok_or_else(|| DatabaseError::Type {
        column: field.name().clone(),
        database: "PostgreSQL",
        given: Box::new(field.data_type().clone()),
        advice: "CAST it to a number, a text, a list or a struct",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_created_columns_take_what_they_were_created_for() {
        let list = |of| DataType::List(Arc::new(Field::new_list_field(of, true)));
        for (arrow, sql) in [
            (DataType::UInt8, "smallint"),
            (DataType::UInt32, "bigint"),
            (DataType::UInt64, "numeric(20,0)"),
            (DataType::Decimal128(38, 10), "numeric(38,10)"),
            (DataType::Decimal128(5, -2), "numeric(7,0)"),
            (list(DataType::Utf8View), "text[]"),
            (list(list(DataType::Int8)), "jsonb"),
            (DataType::Duration(TimeUnit::Second), "interval"),
            (DataType::Null, "text"),
        ] {
            let of = PgType::for_arrow(&arrow).unwrap();
            assert_eq!(of.sql(), sql);
            assert!(of.takes(&arrow), "{arrow} {of:?}");
        }
        let view = DataType::ListView(Arc::new(Field::new_list_field(DataType::Utf8, true)));
        let error = column_type(&Field::new("a b", view, true)).unwrap_err();
        assert!(error.to_string().contains("column a b"), "{error}");
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        let cents = PgType::Numeric(Some((10, 2)));
        assert!(cents.takes(&DataType::Decimal128(38, 2)));
        assert!(!cents.takes(&DataType::Decimal128(10, 3)));
        assert!(cents.takes(&DataType::Int64));
        assert!(!PgType::Numeric(Some((3, -3))).takes(&DataType::Int64));
        assert!(!PgType::Float8.takes(&DataType::Int64));
        assert!(PgType::Float8.takes(&DataType::UInt32));
        assert!(!PgType::Float4.takes(&DataType::Float64));
    }

    #[test]
    fn digits_of_numeric() {
        assert_eq!(digits(-1), None);
        assert_eq!(digits(((10 << 16) | 3) + 4), Some((10, 3)));
        let wide = PgType::from_oid(1700, ((50 << 16) | 3) + 4).unwrap();
        assert_eq!(wide.read_as(), None);
        assert_eq!(PgType::from_oid(869, -1), None);
        assert_eq!(PgType::from_oid(1231, -1).unwrap().read_as(), None);
    }
}
