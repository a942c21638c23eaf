//! Structs, row by row.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, StructArray,
};
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
}

impl Builder {
    fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(texts), Value::Text(text)) => texts.append_value(text),
            (Self::Number(numbers), Value::Number(number)) => numbers.append_value(number),
            (Self::Real(numbers), Value::Real(number)) => numbers.append_value(number),
            (Self::Flag(flags), Value::Flag(flag)) => flags.append_value(flag),
            (Self::Texts(lists), Value::Texts(texts)) => {
                lists.append_value(texts.into_iter().map(Some));
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
        let builder = |&(_, holds): &Column| match holds {
            Holds::Text => Builder::Text(StringBuilder::new()),
            Holds::Number => Builder::Number(Int64Builder::new()),
            Holds::Real => Builder::Real(Float64Builder::new()),
            Holds::Flag => Builder::Flag(BooleanBuilder::new()),
            Holds::Texts => Builder::Texts(ListBuilder::new(StringBuilder::new())),
        };
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
