//! Structs, row by row.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListArray, ListBuilder, MapBuilder,
    StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion_common::Result;

/// A field: its name, and what it holds.
pub(crate) type Column = (&'static str, Holds);

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Number,
    Real,
    Flag,
    Texts,
    /// Names and texts.
    Pairs,
}

/// The type of a list of structs of these fields.
pub(crate) fn list_type(columns: &[Column]) -> DataType {
    DataType::List(Arc::new(item(columns)))
}

fn item(columns: &[Column]) -> Field {
    Field::new_list_field(struct_type(columns), true)
}

/// The type of a struct of these fields.
pub(crate) fn struct_type(columns: &[Column]) -> DataType {
    DataType::Struct(fields(columns))
}

fn fields(columns: &[Column]) -> Fields {
    let field = |&(name, holds): &Column| {
        let data_type = match holds {
            Holds::Text => DataType::Utf8,
            Holds::Number => DataType::Int64,
            Holds::Real => DataType::Float64,
            Holds::Flag => DataType::Boolean,
            Holds::Texts => DataType::new_list(DataType::Utf8, true),
            Holds::Pairs => {
                let names = Field::new("keys", DataType::Utf8, false);
                let texts = Field::new("values", DataType::Utf8, true);
                let entries = DataType::Struct(Fields::from(vec![names, texts]));
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }
        };
        Field::new(name, data_type, true)
    };
    columns.iter().map(field).collect()
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Text(Cow<'a, str>),
    Number(i64),
    Real(f64),
    Flag(bool),
    Texts(Vec<String>),
    Pairs(Vec<(Cow<'static, str>, String)>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

enum Builder {
    Text(StringBuilder),
    Number(Int64Builder),
    Real(Float64Builder),
    Flag(BooleanBuilder),
    Texts(ListBuilder<StringBuilder>),
    Pairs(Box<MapBuilder<StringBuilder, StringBuilder>>),
}

impl Builder {
    fn new(holds: Holds) -> Self {
        match holds {
            Holds::Text => Self::Text(StringBuilder::new()),
            Holds::Number => Self::Number(Int64Builder::new()),
            Holds::Real => Self::Real(Float64Builder::new()),
            Holds::Flag => Self::Flag(BooleanBuilder::new()),
            Holds::Texts => Self::Texts(ListBuilder::new(StringBuilder::new())),
            Holds::Pairs => {
                let (names, texts) = (StringBuilder::new(), StringBuilder::new());
                Self::Pairs(Box::new(MapBuilder::new(None, names, texts)))
            }
        }
    }

    fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(texts), Value::Text(text)) => texts.append_value(text),
            (Self::Number(numbers), Value::Number(number)) => numbers.append_value(number),
            (Self::Real(numbers), Value::Real(number)) => numbers.append_value(number),
            (Self::Flag(flags), Value::Flag(flag)) => flags.append_value(flag),
            (Self::Texts(lists), Value::Texts(texts)) => {
                lists.append_value(texts.into_iter().map(Some));
            }
            (Self::Pairs(maps), Value::Pairs(pairs)) => {
                for (name, text) in pairs {
                    maps.keys().append_value(name);
                    maps.values().append_value(text);
                }
                // (It fails where there are more names than texts.)
                maps.append(true).ok();
            }
            (Self::Pairs(maps), _) => {
                maps.append(false).ok();
            }
            (Self::Texts(lists), _) => lists.append_null(),
            (Self::Text(texts), _) => texts.append_null(),
            (Self::Number(numbers), _) => numbers.append_null(),
            (Self::Real(numbers), _) => numbers.append_null(),
            (Self::Flag(flags), _) => flags.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut texts) => Arc::new(texts.finish()),
            Self::Number(mut numbers) => Arc::new(numbers.finish()),
            Self::Real(mut numbers) => Arc::new(numbers.finish()),
            Self::Flag(mut flags) => Arc::new(flags.finish()),
            Self::Texts(mut lists) => Arc::new(lists.finish()),
            Self::Pairs(mut maps) => Arc::new(maps.finish()),
        }
    }
}

/// Builds structs.
pub(crate) struct Records<const N: usize> {
    fields: Fields,
    builders: Vec<Builder>,
}

impl<const N: usize> Records<N> {
    pub(crate) fn new(columns: &[Column; N]) -> Self {
        let builder = |&(_, holds): &Column| Builder::new(holds);
        Self {
            fields: fields(columns),
            builders: columns.iter().map(builder).collect(),
        }
    }

    pub(crate) fn push(&mut self, row: [Value<'_>; N]) {
        for (builder, value) in self.builders.iter_mut().zip(row) {
            builder.push(value);
        }
    }

    pub(crate) fn finish(self) -> Result<StructArray> {
        let columns = self.builders.into_iter().map(Builder::finish).collect();
        Ok(StructArray::try_new(self.fields, columns, None)?)
    }
}

/// Builds lists of structs.
pub(crate) struct Lists<const N: usize> {
    records: Records<N>,
    item: Field,
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

impl<const N: usize> Lists<N> {
    pub(crate) fn new(columns: &[Column; N]) -> Self {
        Self {
            records: Records::new(columns),
            item: item(columns),
            lengths: Vec::new(),
            valid: Vec::new(),
        }
    }

    pub(crate) fn push<'a>(&mut self, rows: impl IntoIterator<Item = [Value<'a>; N]>) {
        let mut length = 0;
        for row in rows {
            self.records.push(row);
            length += 1;
        }
        self.lengths.push(length);
        self.valid.push(true);
    }

    pub(crate) fn push_null(&mut self) {
        self.lengths.push(0);
        self.valid.push(false);
    }

    pub(crate) fn finish(self) -> Result<ListArray> {
        Ok(ListArray::try_new(
            Arc::new(self.item),
            OffsetBuffer::from_lengths(self.lengths),
            Arc::new(self.records.finish()?),
            Some(NullBuffer::from(self.valid)),
        )?)
    }
}
