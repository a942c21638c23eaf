//! Values as text, the way DataFusion's own sqllogictests show them: NULL, (empty), 0.1, 2.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// The rows of a batch.
pub(crate) fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let columns: Vec<Vec<String>> = batch.columns().iter().map(|c| column(c)).collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column[row].clone()).collect())
        .collect()
}

fn column(array: &dyn Array) -> Vec<String> {
    let options = FormatOptions::default().with_display_error(true);
    let formatter = ArrayFormatter::try_new(array, &options).unwrap();
    let show = |row: usize| {
        if array.is_null(row) {
            return "NULL".to_owned();
        }
        if array.data_type() == &DataType::Float64 {
            return float(array.as_primitive::<Float64Type>().value(row));
        }
        match formatter.value(row).to_string() {
            empty if empty.is_empty() => "(empty)".to_owned(),
            text => escape_controls(&text),
        }
    };
    (0..array.len()).map(show).collect()
}

fn float(n: f64) -> String {
    let text = format!("{n:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// The type's letter in a test file.
pub(crate) fn letter(data_type: &DataType) -> char {
    match data_type {
        DataType::Boolean => 'B',
        DataType::Date32 | DataType::Date64 => 'D',
        DataType::Timestamp(..) => 'P',
        data_type if data_type.is_integer() => 'I',
        DataType::Decimal128(..) => 'R',
        data_type if data_type.is_floating() => 'R',
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => 'T',
        DataType::Dictionary(_, value) => letter(value),
        _ => '?',
    }
}

/// A row is a line: line ends, tabs and other control characters are written as escapes.
pub(crate) fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}
