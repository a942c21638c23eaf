//! Columns of text in any encoding.

use arrow::array::{
    Array, ArrayAccessor, AsArray, BooleanArray, LargeStringArray, StringArray, StringViewArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use datafusion_common::{Result, internal_err};

/// A column of text, or one text that all rows have.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    kind: Kind<'a>,
    rows: usize,
    constant: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind<'a> {
    /// With offsets of 32 bits.
    Small(&'a StringArray),
    /// With offsets of 64 bits.
    Large(&'a LargeStringArray),
    /// With views.
    View(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    /// The column as texts; fails if it is of another type. A column of one row stands for all rows.
    pub fn new(column: &'a dyn Array, rows: usize) -> Result<Self> {
        let kind = match column.data_type() {
            DataType::Utf8 => Kind::Small(column.as_string()),
            DataType::LargeUtf8 => Kind::Large(column.as_string()),
            DataType::Utf8View => Kind::View(column.as_string_view()),
            other => return internal_err!("{other} is not text"),
        };
        let constant = column.len() == 1;
        Ok(Self {
            kind,
            rows,
            constant,
        })
    }

    /// Rows.
    pub fn len(self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.rows == 0
    }

    /// The text that all rows have, if it is known to be one.
    pub fn constant(self) -> Option<Option<&'a str>> {
        (self.constant && self.rows > 0).then(|| self.get(0))
    }

    /// The text of a row; `None` is NULL.
    #[inline]
    pub fn get(self, row: usize) -> Option<&'a str> {
        let row = if self.constant { 0 } else { row };
        match self.kind {
            Kind::Small(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Kind::Large(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Kind::View(texts) => texts.is_valid(row).then(|| texts.value(row)),
        }
    }

    /// All rows.
    pub fn iter(self) -> impl Iterator<Item = Option<&'a str>> {
        (0..self.rows).map(move |row| self.get(row))
    }

    /// Whether each text is what `test` asks; NULL of NULL.
    pub fn test(self, test: impl Fn(&str) -> bool) -> BooleanArray {
        // (Once for each encoding, so that the loops are small.)
        fn plain<'a>(
            texts: impl ArrayAccessor<Item = &'a str>,
            test: impl Fn(&str) -> bool,
        ) -> BooleanArray {
            let answers = BooleanBuffer::collect_bool(texts.len(), |row| {
                texts.is_valid(row) && test(texts.value(row))
            });
            BooleanArray::new(answers, texts.nulls().cloned())
        }
        match self.kind {
            _ if self.constant => self.iter().map(|text| text.map(&test)).collect(),
            Kind::Small(texts) => plain(texts, test),
            Kind::Large(texts) => plain(texts, test),
            Kind::View(texts) => plain(texts, test),
        }
    }

    /// Bytes of all texts together, about.
    pub fn bytes(self) -> usize {
        match self.kind {
            Kind::Small(texts) => {
                texts.value_offsets()[texts.len()] as usize - texts.value_offsets()[0] as usize
            }
            Kind::Large(texts) => texts.values().len(),
            Kind::View(texts) => texts.total_buffer_bytes_used() + 12 * texts.len(),
        }
    }
}
