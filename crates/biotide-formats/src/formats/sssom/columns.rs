//! Columns that are not what stands in the file: lists, and what the set gives to all its mappings.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, ListBuilder, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use biotide_common::sssom::{self, Kind, Slot};
use biotide_common::yaml::Node;
use biotide_text::delimited::{Layout, TextArray};
use datafusion_common::ScalarValue;

/// Where files have the column of this name.
pub(super) fn place(layout: &Layout, name: &str) -> Option<usize> {
    let mut columns = layout.columns.iter();
    columns.position(|column| column.name == name)
}

/// The words that may stand for an entity in a slot.
pub(super) fn words(slot: &Slot) -> &'static [(&'static str, &'static str)] {
    match slot.name {
        "predicate_id" => &sssom::PREDICATES,
        _ => &[],
    }
}

/// The type of slots with several values.
pub(super) fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// Text between bars to lists.
pub(super) fn lists(texts: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let texts = cast(texts, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let mut lists = ListBuilder::new(StringBuilder::with_capacity(
        texts.len(),
        texts.value_data().len(),
    ));
    for text in texts {
        let Some(text) = text else {
            lists.append_null();
            continue;
        };
        for item in sssom::split(text) {
            lists.values().append_value(item);
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// What the set gives to all its mappings, as a value of the slot's column; an error is what is wrong.
pub(super) fn constant(slot: &Slot, node: &Node, text: TextArray) -> Result<ScalarValue, String> {
    let several;
    let values: Vec<&String> = match node {
        Node::Null => Vec::new(),
        Node::Scalar(value) => vec![value],
        Node::List(items) => {
            several = items.iter().map(|item| match item {
                Node::Scalar(value) => Ok(value),
                _ => Err("has other values than text".to_owned()),
            });
            several.collect::<Result<_, _>>()?
        }
        Node::Map(_) => return Err("is not a value, but keys and values".to_owned()),
    };
    if slot.several {
        let mut list = ListBuilder::new(StringBuilder::new());
        values
            .iter()
            .for_each(|value| list.values().append_value(value));
        list.append(!values.is_empty());
        let list: ListArray = list.finish();
        return Ok(ScalarValue::List(Arc::new(list)));
    }
    let value = match values[..] {
        [] => None,
        [value] => Some(value.clone()),
        _ => return Err("has several values, and one is allowed".to_owned()),
    };
    let value = match text {
        TextArray::View => ScalarValue::Utf8View(value),
        TextArray::Utf8 => ScalarValue::Utf8(value),
    };
    match slot.kind {
        Kind::Date => value
            .cast_to(&DataType::Date32)
            .map_err(|_| format!("is not a date such as 2024-02-29, but '{value}'")),
        _ => Ok(value),
    }
}
