//! Lists and structures as JSON text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, StringBuilder};
use arrow::datatypes::Field;
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, make_encoder};

use crate::error::DatabaseError;

/// One JSON text a row; NULLs within are written out.
pub(crate) fn json_text(array: &ArrayRef, column: &str) -> Result<StringArray, DatabaseError> {
    let failed = |source: ArrowError| DatabaseError::Arrow {
        column: column.to_owned(),
        source,
    };
    let field = Arc::new(Field::new(column, array.data_type().clone(), true));
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(&field, array.as_ref(), &options).map_err(failed)?;
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 32);
    let mut text = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        let text = std::str::from_utf8(&text)
            .map_err(|error| failed(ArrowError::ExternalError(Box::new(error))))?;
        texts.append_value(text);
    }
    Ok(texts.finish())
}
