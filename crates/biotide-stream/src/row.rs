//! A look at one row of a batch.

use std::cell::RefCell;
use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use datafusion_common::ScalarValue;

use crate::chunk::Chunk;
use crate::errors::{ErrorKind, ProcessorError};

/// One row. Its values are asked for by the names of columns.
///
/// A column that is not there, or of another type, gives `None` as NULL does, and then fails the whole operation: a
/// misspelt name must not look like data.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    rows: &'a Rows<'a>,
    index: usize,
}

/// A value that cannot be given.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// There is no such column.
    #[error("there is no column '{column}'; there are {present}")]
    NoColumn {
        /// What was asked for.
        column: String,
        /// What there is.
        present: String,
    },
    /// The column has another type.
    #[error("column '{column}' is {found}, not {asked}")]
    Type {
        /// The column.
        column: String,
        /// Its type.
        found: DataType,
        /// What was asked for.
        asked: &'static str,
    },
}

/// The rows of a chunk.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    chunk: &'a Chunk,
    /// A table can have thousands of columns, and looking through them for each row is slow.
    places: RefCell<HashMap<String, usize>>,
    problem: RefCell<Option<RowError>>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(chunk: &'a Chunk) -> Self {
        Self {
            chunk,
            places: RefCell::default(),
            problem: RefCell::default(),
        }
    }

    pub(crate) fn row(&'a self, index: usize) -> Row<'a> {
        Row { rows: self, index }
    }

    /// What was asked for in vain.
    pub(crate) fn check(&self) -> Result<(), ProcessorError> {
        match self.problem.take() {
            Some(problem) => Err(ProcessorError::new(ErrorKind::Schema, problem)),
            None => Ok(()),
        }
    }

    fn batch(&self) -> &'a RecordBatch {
        self.chunk.batch()
    }

    fn column(&self, name: &str) -> Option<&'a ArrayRef> {
        if let Some(&place) = self.places.borrow().get(name) {
            return self.batch().columns().get(place);
        }
        let schema = self.batch().schema_ref();
        let Ok(place) = schema.index_of(name) else {
            let names = schema
                .fields()
                .iter()
                .map(|field| format!("'{}'", field.name()));
            let mut present = names.take(20).collect::<Vec<_>>().join(", ");
            if schema.fields().len() > 20 {
                present.push_str(", …");
            }
            self.fail(RowError::NoColumn {
                column: name.to_owned(),
                present,
            });
            return None;
        };
        self.places.borrow_mut().insert(name.to_owned(), place);
        self.batch().columns().get(place)
    }

    fn fail(&self, problem: RowError) {
        self.problem.borrow_mut().get_or_insert(problem);
    }
}

impl<'a> Row<'a> {
    /// The item of the source that it was made of, if that is known.
    pub fn item(&self) -> Option<u64> {
        self.rows.chunk.row(self.index)
    }

    /// The batch that it is a row of.
    pub fn batch(&self) -> &'a RecordBatch {
        self.rows.batch()
    }

    /// Its place in that batch.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether there is no value.
    pub fn is_null(&self, column: &str) -> bool {
        self.rows
            .column(column)
            .is_none_or(|array| array.is_null(self.index))
    }

    /// Text.
    pub fn str(&self, column: &str) -> Option<&'a str> {
        let array = self.valid(column)?;
        let i = self.index;
        match array.data_type() {
            DataType::Utf8 => Some(array.as_string::<i32>().value(i)),
            DataType::LargeUtf8 => Some(array.as_string::<i64>().value(i)),
            DataType::Utf8View => Some(array.as_string_view().value(i)),
            _ => {
                if let Some(array) = array.as_dictionary_opt::<Int32Type>()
                    && let Some(values) = array.values().as_string_opt::<i32>()
                {
                    let key = array.key(i)?;
                    return values.is_valid(key).then(|| values.value(key));
                }
                self.other(column, array, "text")
            }
        }
    }

    /// A whole number. One beyond the range of `i64` is another type.
    pub fn i64(&self, column: &str) -> Option<i64> {
        let array = self.valid(column)?;
        let i = self.index;
        let value = match array.data_type() {
            DataType::Int8 => Some(array.as_primitive::<Int8Type>().value(i).into()),
            DataType::Int16 => Some(array.as_primitive::<Int16Type>().value(i).into()),
            DataType::Int32 => Some(array.as_primitive::<Int32Type>().value(i).into()),
            DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(i)),
            DataType::UInt8 => Some(array.as_primitive::<UInt8Type>().value(i).into()),
            DataType::UInt16 => Some(array.as_primitive::<UInt16Type>().value(i).into()),
            DataType::UInt32 => Some(array.as_primitive::<UInt32Type>().value(i).into()),
            DataType::UInt64 => i64::try_from(array.as_primitive::<UInt64Type>().value(i)).ok(),
            _ => None,
        };
        value.or_else(|| self.other(column, array, "a whole number"))
    }

    /// A number.
    pub fn f64(&self, column: &str) -> Option<f64> {
        let array = self.valid(column)?;
        match array.data_type() {
            DataType::Float32 => Some(array.as_primitive::<Float32Type>().value(self.index).into()),
            DataType::Float64 => Some(array.as_primitive::<Float64Type>().value(self.index)),
            kind if kind.is_integer() => self.i64(column).map(|value| value as f64),
            _ => self.other(column, array, "a number"),
        }
    }

    /// True or false.
    pub fn bool(&self, column: &str) -> Option<bool> {
        let array = self.valid(column)?;
        match array.as_boolean_opt() {
            Some(array) => Some(array.value(self.index)),
            None => self.other(column, array, "true or false"),
        }
    }

    /// A value of any type.
    pub fn value(&self, column: &str) -> Option<ScalarValue> {
        let array = self.valid(column)?;
        ScalarValue::try_from_array(array, self.index).ok()
    }

    fn valid(&self, column: &str) -> Option<&'a ArrayRef> {
        let array = self.rows.column(column)?;
        array.is_valid(self.index).then_some(array)
    }

    fn other<T>(&self, column: &str, array: &ArrayRef, asked: &'static str) -> Option<T> {
        self.rows.fail(RowError::Type {
            column: column.to_owned(),
            found: array.data_type().clone(),
            asked,
        });
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, DictionaryArray, Float32Array, Int8Array, StringViewArray};

    use super::*;

    fn chunk() -> Chunk {
        let kinds: DictionaryArray<Int32Type> = vec![Some("a"), None].into_iter().collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            (
                "text",
                Arc::new(StringViewArray::from(vec![Some("x"), None])),
            ),
            ("kind", Arc::new(kinds)),
            ("small", Arc::new(Int8Array::from(vec![7, 8]))),
            ("part", Arc::new(Float32Array::from(vec![0.5, 1.5]))),
        ];
        Chunk::new(0, RecordBatch::try_from_iter(columns).unwrap(), 40)
    }

    #[test]
    fn values_have_types() {
        let chunk = chunk();
        let rows = Rows::new(&chunk);
        let row = rows.row(0);
        assert_eq!(row.item(), Some(40));
        assert_eq!((row.str("text"), row.str("kind")), (Some("x"), Some("a")));
        assert_eq!((row.i64("small"), row.f64("small")), (Some(7), Some(7.0)));
        assert_eq!(row.f64("part"), Some(0.5));
        let row = rows.row(1);
        assert_eq!((row.str("text"), row.str("kind")), (None, None));
        assert!(row.is_null("text") && !row.is_null("small"));
        assert!(rows.check().is_ok(), "NULL is no error");
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let chunk = chunk();
        let rows = Rows::new(&chunk);
        assert_eq!(rows.row(0).str("txt"), None);
        let error = rows.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no column 'txt'; there are 'text', 'kind', 'small', 'part'"
        );
        assert_eq!(rows.row(0).i64("text"), None);
        let error = rows.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "column 'text' is Utf8View, not a whole number"
        );
    }
}
