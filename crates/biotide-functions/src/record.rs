//! Structs, row by row.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListArray, ListBuilder, MapBuilder,
    NullBufferBuilder, StringBuilder, StructArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion_common::Result;

use crate::text_column::TextColumn;

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

/// A column of structs of these fields.
pub(crate) fn struct_of(columns: &[Column], of: Vec<ArrayRef>) -> Result<StructArray> {
    Ok(StructArray::try_new(fields(columns), of, None)?)
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
    Text(TextColumn),
    Number(Int64Builder),
    Real(Float64Builder),
    Flag(BooleanBuilder),
    Texts(ListBuilder<StringBuilder>),
    Pairs(Box<MapBuilder<StringBuilder, StringBuilder>>),
}

impl Builder {
    fn new(holds: Holds) -> Self {
        match holds {
            Holds::Text => Self::Text(TextColumn::default()),
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
            (Self::Text(texts), Value::Text(text)) => texts.push(&text),
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
            (Self::Text(texts), _) => texts.push_null(),
            (Self::Number(numbers), _) => numbers.append_null(),
            (Self::Real(numbers), _) => numbers.append_null(),
            (Self::Flag(flags), _) => flags.append_null(),
        }
    }

    fn finish(self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Text(texts) => texts.finish_ref()?,
            Self::Number(mut numbers) => Arc::new(numbers.finish()),
            Self::Real(mut numbers) => Arc::new(numbers.finish()),
            Self::Flag(mut flags) => Arc::new(flags.finish()),
            Self::Texts(mut lists) => Arc::new(lists.finish()),
            Self::Pairs(mut maps) => Arc::new(maps.finish()),
        })
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
        let columns = self.builders.into_iter().map(Builder::finish);
        let columns = columns.collect::<Result<_>>()?;
        Ok(StructArray::try_new(self.fields, columns, None)?)
    }
}

/// Where the lists of a column end.
#[derive(Debug)]
pub(crate) struct ListEnds {
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl ListEnds {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self {
            ends,
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// A list that ends after so many items of all lists.
    pub(crate) fn push(&mut self, items: usize) {
        // (A batch has far fewer.)
        self.ends.push(i32::try_from(items).unwrap_or(i32::MAX));
        self.nulls.append_non_null();
    }

    pub(crate) fn push_null(&mut self) {
        self.ends.push(self.ends.last().copied().unwrap_or(0));
        self.nulls.append_null();
    }

    /// Lists of structs.
    pub(crate) fn finish(self, columns: &[Column], fields: Vec<ArrayRef>) -> Result<ArrayRef> {
        let of = item(columns);
        self.lists(of, Arc::new(struct_of(columns, fields)?))
    }

    /// Lists of something else.
    pub(crate) fn finish_items(self, of: DataType, items: ArrayRef) -> Result<ArrayRef> {
        self.lists(Field::new_list_field(of, true), items)
    }

    fn lists(mut self, of: Field, items: ArrayRef) -> Result<ArrayRef> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(Arc::new(ListArray::try_new(
            Arc::new(of),
            ends,
            items,
            self.nulls.finish(),
        )?))
    }
}

/// Builds lists of structs.
pub(crate) struct Lists<const N: usize> {
    records: Records<N>,
    item: Field,
    ends: ListEnds,
    items: usize,
}

impl<const N: usize> Lists<N> {
    pub(crate) fn new(columns: &[Column; N]) -> Self {
        Self {
            records: Records::new(columns),
            item: item(columns),
            ends: ListEnds::with_capacity(0),
            items: 0,
        }
    }

    pub(crate) fn push<'a>(&mut self, rows: impl IntoIterator<Item = [Value<'a>; N]>) {
        for row in rows {
            self.records.push(row);
            self.items += 1;
        }
        self.ends.push(self.items);
    }

    pub(crate) fn push_null(&mut self) {
        self.ends.push_null();
    }

    pub(crate) fn finish(self) -> Result<ArrayRef> {
        self.ends.lists(self.item, Arc::new(self.records.finish()?))
    }
}
