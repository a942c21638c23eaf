//! Columns of text, appended to row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullBufferBuilder, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use datafusion_common::{Result, exec_err};

/// Builds a column of text. (As Arrow's builder, but a text can be appended in parts, and a column copied half-way.)
#[derive(Debug)]
pub(crate) struct TextColumn {
    values: Vec<u8>,
    /// (As the column has them. Too long a column is refused in the end.)
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl TextColumn {
    pub(crate) fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self {
            values: Vec::with_capacity(bytes),
            ends: {
                let mut ends = Vec::with_capacity(rows + 1);
                ends.push(0);
                ends
            },
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// Rows.
    pub(crate) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    #[inline]
    pub(crate) fn push(&mut self, text: &str) {
        self.values.extend_from_slice(text.as_bytes());
        self.end();
        self.nulls.append_non_null();
    }

    #[inline]
    fn end(&mut self) {
        self.ends.push(self.values.len() as i32);
    }

    /// A text in parts.
    #[inline]
    pub(crate) fn push_parts<const N: usize>(&mut self, parts: [&str; N]) {
        for part in parts {
            self.values.extend_from_slice(part.as_bytes());
        }
        self.end();
        self.nulls.append_non_null();
    }

    /// A column of the same rows, which none of is NULL.
    pub(crate) fn copy(&self) -> Self {
        let mut nulls = NullBufferBuilder::new(self.len());
        nulls.append_n_non_nulls(self.len());
        Self {
            values: self.values.clone(),
            ends: self.ends.clone(),
            nulls,
        }
    }

    #[inline]
    pub(crate) fn push_null(&mut self) {
        self.end();
        self.nulls.append_null();
    }

    #[inline]
    pub(crate) fn push_option(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.push(text),
            None => self.push_null(),
        }
    }

    pub(crate) fn finish(mut self) -> Result<StringArray> {
        if i32::try_from(self.values.len()).is_err() {
            return exec_err!(
                "a batch has more than 2 GiB of text: make datafusion.execution.batch_size smaller"
            );
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let values = Buffer::from_vec(self.values);
        Ok(StringArray::try_new(offsets, values, self.nulls.finish())?)
    }

    pub(crate) fn finish_ref(self) -> Result<ArrayRef> {
        Ok(Arc::new(self.finish()?))
    }
}

/// So many rows of one text.
pub(crate) fn repeated(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::new_repeated(text, rows))
}

/// So many rows of NULL.
pub(crate) fn nulls(rows: usize) -> ArrayRef {
    Arc::new(StringArray::new_null(rows))
}

impl Default for TextColumn {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}
