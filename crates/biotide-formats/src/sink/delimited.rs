//! CSV and TSV. NULL is an empty field and an empty text is `""`, so that both survive. (Not where there is
//! one column only: an empty line is no record to a reader, so there NULL is `""` too, as Python's csv
//! writes it.)

use std::fmt::Write as _;

use arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, RecordBatch, StringArray, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_common::Result;

use super::TextEncoder;

/// A header and a line a row.
#[derive(Debug, Clone, Copy)]
pub struct DelimitedEncoder {
    delimiter: u8,
    header: bool,
}

impl DelimitedEncoder {
    /// Fields between `delimiter`s; with or without a header.
    pub fn new(delimiter: u8, header: bool) -> Self {
        Self { delimiter, header }
    }
}

impl TextEncoder for DelimitedEncoder {
    fn header(&self, schema: &Schema) -> Vec<u8> {
        let mut line = Vec::new();
        if !self.header || schema.fields().is_empty() {
            return line;
        }
        for (i, field) in schema.fields().iter().enumerate() {
            if i > 0 {
                line.push(self.delimiter);
            }
            push_field(&mut line, field.name(), self.delimiter);
        }
        line.push(b'\n');
        line
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let arrays: Vec<ArrayRef> = batch.columns().iter().map(plain).collect::<Result<_>>()?;
        let options = FormatOptions::default().with_display_error(false);
        let columns: Vec<Column<'_>> = arrays
            .iter()
            .map(|array| Column::new(array, &options))
            .collect::<Result<_>>()?;
        let mut out = Vec::with_capacity(batch.num_rows() * columns.len() * 8);
        let mut text = String::new();
        let lone = columns.len() == 1;
        for row in 0..batch.num_rows() {
            for (i, column) in columns.iter().enumerate() {
                if i > 0 {
                    out.push(self.delimiter);
                }
                match column.value(row, &mut text)? {
                    Some(value) => push_field(&mut out, value, self.delimiter),
                    None if lone => out.extend_from_slice(b"\"\""),
                    None => {}
                }
            }
            out.push(b'\n');
        }
        Ok(out)
    }
}

/// Text in a dictionary is faster to write as plain text.
fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Dictionary(_, value) if is_text(value) => Ok(cast(array, value)?),
        _ => Ok(ArrayRef::clone(array)),
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8
    )
}

/// A column and how its values become text.
enum Column<'a> {
    View(&'a StringViewArray),
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    Other(Option<NullBuffer>, ArrayFormatter<'a>),
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef, options: &FormatOptions<'a>) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8View => Self::View(array.as_string_view()),
            DataType::Utf8 => Self::Utf8(array.as_string()),
            DataType::LargeUtf8 => Self::Large(array.as_string()),
            // A dictionary's NULL may be in its values, and a column of type NULL has no bits for it.
            _ => Self::Other(
                array.logical_nulls(),
                ArrayFormatter::try_new(array, options)?,
            ),
        })
    }

    /// The value as text, or nothing for NULL; `scratch` is where text is made that is not there yet.
    fn value<'s>(&'s self, row: usize, scratch: &'s mut String) -> Result<Option<&'s str>> {
        Ok(match self {
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Utf8(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Other(nulls, _) if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) => None,
            Self::Other(_, formatter) => {
                scratch.clear();
                write!(scratch, "{}", formatter.value(row)).map_err(|_| {
                    datafusion_common::exec_datafusion_err!("a value that has no text")
                })?;
                Some(scratch)
            }
        })
    }
}

/// Appends a field, in quotes where it needs them.
pub(super) fn push_field(line: &mut Vec<u8>, text: &str, delimiter: u8) {
    let special = |&byte: &u8| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    let bytes = text.as_bytes();
    if !bytes.is_empty() && !bytes.iter().any(special) {
        line.extend_from_slice(bytes);
        return;
    }
    line.push(b'"');
    for &byte in bytes {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Float64Array};
    use arrow::datatypes::Int32Type;

    fn field(text: &str, delimiter: u8) -> String {
        let mut line = Vec::new();
        push_field(&mut line, text, delimiter);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn fields_are_quoted_where_needed() {
        for (text, csv, tsv) in [
            ("plain", "plain", "plain"),
            ("", "\"\"", "\"\""),
            ("a,b", "\"a,b\"", "a,b"),
            ("a\tb", "a\tb", "\"a\tb\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\"", "\"two\nlines\""),
            ("cr\r", "\"cr\r\"", "\"cr\r\""),
            (" space ", " space ", " space "),
            ("β-Catenin", "β-Catenin", "β-Catenin"),
        ] {
            assert_eq!(field(text, b','), csv);
            assert_eq!(field(text, b'\t'), tsv);
        }
    }

    #[test]
    fn null_and_empty_differ_and_numbers_come_back() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some(""), None, Some("x")]));
        let words: DictionaryArray<Int32Type> =
            vec![Some("a"), None, Some("")].into_iter().collect();
        let words: ArrayRef = Arc::new(words);
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(1e-300), None, Some(0.1)]));
        let options = FormatOptions::default();
        let show = |array: &ArrayRef| -> Vec<Option<String>> {
            let array = plain(array).unwrap();
            let column = Column::new(&array, &options).unwrap();
            let value = |row| {
                column
                    .value(row, &mut String::new())
                    .unwrap()
                    .map(str::to_owned)
            };
            (0..3).map(value).collect()
        };
        assert_eq!(show(&texts), [Some("".into()), None, Some("x".into())]);
        assert_eq!(show(&words), [Some("a".into()), None, Some("".into())]);
        assert_eq!(
            show(&numbers),
            [Some("1e-300".into()), None, Some("0.1".into())]
        );
    }
}
