//! A column brought to the type that is written, with the row named where a value does not fit.

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::sync::Arc;

use crate::error::DatabaseError;

/// The column as `to`; `first` is the number of its first row in the stream.
pub(crate) fn convert(
    array: &ArrayRef,
    to: &DataType,
    column: &str,
    first: u64,
) -> Result<ArrayRef, DatabaseError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    let options = CastOptions {
        safe: true,
        format_options: FormatOptions::default(),
    };
    let cast = cast_with_options(array, to, &options).map_err(|source| DatabaseError::Arrow {
        column: column.to_owned(),
        source,
    })?;
    // A value that does not fit became NULL: find it.
    if cast.logical_null_count() > array.logical_null_count() {
        let (before, after) = (array.logical_nulls(), cast.logical_nulls());
        let lost = (0..array.len()).find(|&row| {
            let was = before.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            was && after.as_ref().is_some_and(|nulls| nulls.is_null(row))
        });
        let row = lost.unwrap_or_default();
        return Err(DatabaseError::value(
            column,
            first + row as u64,
            format!("{} does not fit into {to}", shown(array, row)),
        ));
    }
    Ok(cast)
}

/// The column with its values written out, unless they are texts: what is asked of the type of a column
/// goes for that of its values.
pub(crate) fn without_dictionary(
    array: &ArrayRef,
    column: &str,
    first: u64,
) -> Result<ArrayRef, DatabaseError> {
    match array.data_type() {
        DataType::Dictionary(_, values) if !is_text(values) => {
            convert(array, values, column, first)
        }
        _ => Ok(Arc::clone(array)),
    }
}

/// A value for a message.
pub(crate) fn shown(array: &dyn Array, row: usize) -> String {
    let options = FormatOptions::default().with_display_error(true);
    match ArrayFormatter::try_new(array, &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(_) => "the value".to_owned(),
    }
}

/// Whether values are text.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Whether values are one number, text, time and so on, and no list or structure.
pub(crate) fn is_scalar(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_scalar(values),
        other => !other.is_nested() && *other != DataType::Null,
    }
}
