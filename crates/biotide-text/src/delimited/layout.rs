//! How fields become columns.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{Dialect, Rules};
use crate::chunk::date_format_problem;
use crate::error::{Result, TextError};
use crate::json_lines::Json;

/// What to do with a row of the wrong shape: field count, quoting, encoding, size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnError {
    /// Stop at the first.
    Fail,
    /// Set the row aside.
    #[default]
    Reject,
    /// Keep what can be kept, and say so.
    Lenient,
}

/// What to do with a value that does not parse as its column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnBadValue {
    /// Keep the row, null the value, log it.
    #[default]
    Null,
    /// Set the row aside. Checks every column of every row, whatever is projected.
    Reject,
    /// Stop at the first.
    Fail,
}

/// The Arrow array that text columns become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TextArray {
    /// `Utf8View`: points into the chunk.
    #[default]
    View,
    /// `Utf8`: copied.
    Utf8,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `true` / `false`, any case.
    Boolean,
    /// 64-bit integer.
    Int64,
    /// 64-bit float.
    Float64,
    /// Exact decimal: precision (1..=38), scale (0..=precision).
    Decimal(u8, i8),
    /// Days: `2024-02-29`.
    Date,
    /// Microseconds without a zone: `2024-02-29 13:45:00.5`.
    Timestamp,
    /// Microseconds UTC, from text with a zone: `2024-02-29T13:45:00+02:00`.
    TimestampTz,
    /// Text, as it stands.
    Text,
    /// A struct or a list, in JSON: the type of this number of the layout's [`Json::nested`].
    Nested(usize),
}

impl ColumnType {
    /// The Arrow type; of what is nested that of its JSON text.
    pub fn data_type(self, text: TextArray) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Text | Self::Nested(_) => match text {
                TextArray::View => DataType::Utf8View,
                TextArray::Utf8 => DataType::Utf8,
            },
        }
    }

    /// The column type whose Arrow type this is.
    pub fn from_data_type(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Int64 => Self::Int64,
            DataType::Float64 => Self::Float64,
            DataType::Decimal128(precision, scale) => Self::Decimal(*precision, *scale),
            DataType::Date32 => Self::Date,
            DataType::Timestamp(TimeUnit::Microsecond, None) => Self::Timestamp,
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Self::TimestampTz,
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Self::Text,
            _ => return None,
        })
    }

    /// The name as users write it, see [`ColumnType::parse`].
    pub fn name(self) -> String {
        match self {
            Self::Boolean => "boolean".into(),
            Self::Int64 => "int64".into(),
            Self::Float64 => "float64".into(),
            Self::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            Self::Date => "date".into(),
            Self::Timestamp => "timestamp".into(),
            Self::TimestampTz => "timestamptz".into(),
            Self::Text => "text".into(),
            Self::Nested(_) => "nested".into(),
        }
    }

    /// Parses a type's name: `text`, `int64`, `float64`, `boolean`, `decimal(p,s)`, `date`,
    /// `timestamp`, `timestamptz`, and SQL's usual names for them.
    pub fn parse(name: &str) -> Result<Self> {
        let lower = name.trim().to_ascii_lowercase();
        Ok(match lower.as_str() {
            "text" | "string" | "varchar" | "utf8" | "char" => Self::Text,
            "int64" | "int" | "integer" | "bigint" => Self::Int64,
            "float64" | "float" | "double" | "real" => Self::Float64,
            "boolean" | "bool" => Self::Boolean,
            "date" => Self::Date,
            "timestamp" | "datetime" => Self::Timestamp,
            "timestamptz" | "timestamp with time zone" => Self::TimestampTz,
            _ => return Self::parse_decimal(name, &lower),
        })
    }

    fn parse_decimal(name: &str, lower: &str) -> Result<Self> {
        let decimal = || {
            let inner = lower
                .strip_prefix("decimal(")
                .or_else(|| lower.strip_prefix("numeric("))?
                .strip_suffix(')')?;
            let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
            let precision: u8 = precision.trim().parse().ok()?;
            let scale: i8 = scale.trim().parse().ok()?;
            let fits =
                (1..=38).contains(&precision) && scale >= 0 && scale.unsigned_abs() <= precision;
            fits.then_some(Self::Decimal(precision, scale))
        };
        decimal().ok_or_else(|| {
            TextError::Schema(format!(
                "\"{name}\" is not a type; use text, int64, float64, boolean, decimal(p,s) with p up \
                 to 38, date, timestamp or timestamptz"
            ))
        })
    }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
    /// Whether the type was inferred: then a value that would change its spelling (`007`, `+44`) is a
    /// bad value. A type that the user gave is taken at its word.
    pub inferred: bool,
}

impl Column {
    /// A column whose type the user gave.
    pub fn new(name: impl Into<String>, ty: ColumnType) -> Self {
        Self {
            name: name.into(),
            ty,
            inferred: false,
        }
    }
}

/// What the records of a file are like, and what to do with those that are not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Bytes to fields.
    pub dialect: Dialect,
    /// Every column of the file, in its order.
    pub columns: Vec<Column>,
    /// Every record may end with one more, empty, field.
    pub trailing_delimiter: bool,
    /// Rows of the wrong shape.
    pub on_error: OnError,
    /// Values that do not parse.
    pub on_bad_value: OnBadValue,
    /// Spellings of NULL, besides the empty field, in every column.
    pub null_values: Vec<String>,
    /// Trim spaces and tabs around unquoted text.
    pub strip_whitespace: bool,
    /// Skip records whose fields (of these columns; none given: all) are all empty or NULL.
    pub skip_empty: Option<Vec<usize>>,
    /// The decimal mark.
    pub decimal: u8,
    /// The mark between thousands.
    pub thousands: Option<u8>,
    /// strftime format of date and timestamp columns; `None`: ISO 8601.
    pub date_format: Option<String>,
    /// A longer record is rejected.
    pub max_record_bytes: usize,
    /// What text columns become.
    pub text: TextArray,
    /// The records are JSON: then nothing of the dialect matters.
    pub json: Option<Arc<Json>>,
    /// What values must be besides of their type; of delimited text only.
    pub rules: Rules,
}

impl Layout {
    /// The length above which a record is too long, unless said otherwise.
    pub const MAX_RECORD_BYTES: usize = 16 << 20;

    /// Whether the first bad row or value ends the read.
    pub fn fails(&self) -> bool {
        self.on_error == OnError::Fail || self.on_bad_value == OnBadValue::Fail
    }

    /// The defaults for these columns.
    pub fn new(dialect: Dialect, columns: Vec<Column>) -> Self {
        Self {
            dialect,
            columns,
            trailing_delimiter: false,
            on_error: OnError::default(),
            on_bad_value: OnBadValue::default(),
            null_values: Vec::new(),
            strip_whitespace: false,
            skip_empty: None,
            decimal: b'.',
            thousands: None,
            date_format: None,
            max_record_bytes: Self::MAX_RECORD_BYTES,
            text: TextArray::default(),
            json: None,
            rules: Rules::default(),
        }
    }

    /// Refuses what cannot be read.
    pub fn validate(&self) -> Result<()> {
        self.dialect.validate()?;
        if self.trailing_delimiter && self.dialect.has_pairs() {
            let what = "blanks at the end of a line are no delimiter";
            return Err(TextError::Dialect(what.to_owned()));
        }
        let columns = self.columns.len();
        if let Some(key) = self.skip_empty.iter().flatten().find(|&&i| i >= columns) {
            return Err(TextError::Schema(format!(
                "skip_empty names column {key} of {columns}"
            )));
        }
        if let Some(problem) = self.date_format.as_deref().and_then(date_format_problem) {
            return Err(TextError::Schema(format!("date_format {problem}")));
        }
        let known = |column: &&Column| match column.ty {
            ColumnType::Decimal(precision, scale) => {
                (1..=38).contains(&precision) && (0..=precision.cast_signed()).contains(&scale)
            }
            _ => true,
        };
        match self.columns.iter().find(|column| !known(column)) {
            Some(column) => Err(TextError::Schema(format!(
                "column \"{}\" cannot be {}: precision is 1 to 38, scale 0 to precision",
                column.name,
                column.ty.name()
            ))),
            None => Ok(()),
        }
    }

    /// The Arrow type of a column.
    pub fn data_type(&self, ty: ColumnType) -> DataType {
        let nested = match (ty, &self.json) {
            (ColumnType::Nested(at), Some(json)) => json.nested.get(at),
            _ => None,
        };
        nested.map_or_else(|| ty.data_type(self.text), DataType::clone)
    }

    /// The Arrow schema of all columns.
    pub fn schema(&self) -> SchemaRef {
        let field = |c: &Column| Field::new(&c.name, self.data_type(c.ty), true);
        Arc::new(Schema::new(
            self.columns.iter().map(field).collect::<Vec<_>>(),
        ))
    }
}
