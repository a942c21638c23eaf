//! Every function over every encoding of text, scalars, NULL and dictionaries.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;

use crate::harness::{call_with, constant, functions, options, shown};

/// Arguments after the first: of those that need some.
pub(crate) fn others(name: &str) -> Vec<ColumnarValue> {
    match name {
        "id_split" | "id_list" | "parse_identifier" => vec![constant("uniprot")],
        "id_resolve" => vec![constant("chebi")],
        _ => Vec::new(),
    }
}

/// A column as the arguments of a function.
pub(crate) fn arguments(name: &str, column: ColumnarValue) -> Vec<ColumnarValue> {
    match name {
        // (The prefix stands first.)
        "id_is_valid" | "id_standardize" => vec![constant("chebi"), column],
        _ => std::iter::once(column).chain(others(name)).collect(),
    }
}

#[test]
fn every_encoding_has_the_same_answers() {
    let texts = StringArray::from(vec![
        Some("P12345"),
        None,
        Some(""),
        Some("CHEBI:15377"),
        Some("\u{a0}chebi:CHEBI:18484\u{feff}"),
        Some("P12345;Q14213_Q8NEV9, x"),
        Some("http://purl.obolibrary.org/obo/GO_0003993"),
        Some("NA"),
        Some("٣٤"),
        Some("a text of more than twelve bytes: é"),
        Some("58-08-2"),
        Some("P12345"),
    ]);
    let rows = texts.len();
    let options = options(&[]);
    let plain: ArrayRef = Arc::new(texts);
    let keys = Int32Array::from_iter((0..rows as i32).map(|row| (row != 1).then_some(row)));
    let dictionary: ArrayRef =
        Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&plain)).unwrap());
    for function in functions() {
        let name = function.name();
        let over = |column: &ArrayRef| {
            let column = ColumnarValue::Array(Arc::clone(column));
            shown(&call_with(
                name,
                &arguments(name, column),
                column_rows(&plain),
                &options,
            ))
        };
        let expected = over(&plain);
        for of in [DataType::LargeUtf8, DataType::Utf8View] {
            assert_eq!(over(&cast(&plain, &of).unwrap()), expected, "{name} {of}");
        }
        assert_eq!(over(&dictionary), expected, "{name} of a dictionary");
        let sliced = call_with(
            name,
            &arguments(name, ColumnarValue::Array(plain.slice(3, 5))),
            5,
            &options,
        );
        assert_eq!(shown(&sliced), expected[3..8], "{name} of a slice");
        for (row, expected) in expected.iter().enumerate() {
            let scalar = ScalarValue::try_from_array(&plain, row).unwrap();
            let one = call_with(name, &arguments(name, scalar.into()), 1, &options);
            assert_eq!(&shown(&one)[0], expected, "{name} of one");
        }
        let none = call_with(
            name,
            &arguments(name, ColumnarValue::Array(plain.slice(0, 0))),
            0,
            &options,
        );
        assert_eq!(none.len(), 0, "{name} of nothing");
    }
}

fn column_rows(column: &ArrayRef) -> usize {
    column.len()
}
