//! Columns of text in any encoding.

use arrow::array::{Array, AsArray, LargeStringArray, StringArray, StringViewArray};
use arrow::datatypes::DataType;
use datafusion_common::{Result, internal_err};

/// A column of text.
#[derive(Debug, Clone, Copy)]
pub enum Texts<'a> {
    /// With offsets of 32 bits.
    Small(&'a StringArray),
    /// With offsets of 64 bits.
    Large(&'a LargeStringArray),
    /// With views.
    View(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    /// The column as texts; fails if it is of another type.
    pub fn new(column: &'a dyn Array) -> Result<Self> {
        Ok(match column.data_type() {
            DataType::Utf8 => Self::Small(column.as_string()),
            DataType::LargeUtf8 => Self::Large(column.as_string()),
            DataType::Utf8View => Self::View(column.as_string_view()),
            other => return internal_err!("{other} is not text"),
        })
    }

    /// Rows.
    pub fn len(self) -> usize {
        match self {
            Self::Small(texts) => texts.len(),
            Self::Large(texts) => texts.len(),
            Self::View(texts) => texts.len(),
        }
    }

    /// The text of a row; `None` is NULL.
    #[inline]
    pub fn get(self, row: usize) -> Option<&'a str> {
        match self {
            Self::Small(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Large(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::View(texts) => texts.is_valid(row).then(|| texts.value(row)),
        }
    }

    /// All rows.
    pub fn iter(self) -> impl Iterator<Item = Option<&'a str>> {
        (0..self.len()).map(move |row| self.get(row))
    }

    /// Bytes of all texts together, about.
    pub fn bytes(self) -> usize {
        match self {
            Self::Small(texts) => texts.values().len(),
            Self::Large(texts) => texts.values().len(),
            Self::View(texts) => texts.total_buffer_bytes_used() + 12 * texts.len(),
        }
    }
}
