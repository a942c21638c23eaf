//! Text columns.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::Buffer;

use super::nulls::Nulls;
use super::{Fields, trim};
use crate::delimited::TextArray;
use crate::error::{Result, TextError};
use crate::views;

impl<'a> Fields<'a> {
    pub(crate) fn text(&self) -> Result<ArrayRef> {
        let layout = self.layout;
        // The straight case: every field as it stands in the chunk, NULL only where empty.
        let charset = layout.dialect.charset;
        let plain = !self.index.quoted
            && !self.index.dirty
            && (charset.is_utf8() || !self.index.split.non_ascii)
            && !layout.strip_whitespace
            && layout.null_values.is_empty();
        match (layout.text, plain) {
            (TextArray::View, true) if !self.compact => Ok(self.pointing_views()),
            (TextArray::View, _) => Ok(self.copied_views()),
            (TextArray::Utf8, true) => Ok(self.copied_plainly()),
            (TextArray::Utf8, false) => self.copied(),
        }
    }

    /// Views that point into the chunk.
    fn pointing_views(&self) -> ArrayRef {
        let n = self.rows.len();
        let bytes = self.bytes.as_slice();
        let mut views = Vec::with_capacity(n);
        let mut nulls = Nulls::default();
        let mut longest = 0;
        self.for_each(|_, start, end| {
            longest = longest.max(end - start);
            if end == start {
                nulls.push(views.len());
            }
            views.push(views::view(bytes, start, end));
        });
        // Short values live in the views: then the column need not keep the chunk alive.
        let buffer = if longest > 12 {
            self.bytes.clone()
        } else {
            Buffer::from_vec(Vec::<u8>::new())
        };
        Arc::new(views::string_view_array(views, buffer, nulls.finish(n)))
    }

    /// Views whose long values are copied together.
    fn copied_views(&self) -> ArrayRef {
        let n = self.rows.len();
        let mut views = Vec::with_capacity(n);
        let mut nulls = Nulls::default();
        let mut long: Vec<u8> = Vec::new();
        self.for_each(|_, start, end| {
            let value = self.text_value(start, end);
            if value.is_none() {
                nulls.push(views.len());
            }
            let value = value.as_deref().unwrap_or_default();
            if value.len() > 12 {
                let at = long.len();
                long.extend_from_slice(value);
                views.push(views::view(&long, at, long.len()));
            } else {
                views.push(views::view(value, 0, value.len()));
            }
        });
        Arc::new(views::string_view_array(
            views,
            Buffer::from_vec(long),
            nulls.finish(n),
        ))
    }

    /// Fields as they stand in the chunk, copied.
    fn copied_plainly(&self) -> ArrayRef {
        /// Bytes copied at once: most values are shorter, and a copy of known length is one move.
        const MOVE: usize = 16;
        let n = self.rows.len();
        let bytes = self.bytes.as_slice();
        let mut length = 0;
        self.for_each(|_, start, end| length += end - start);
        let mut offsets = Vec::with_capacity(n + 1);
        offsets.push(0i32);
        let mut values = vec![0u8; length + MOVE];
        let mut nulls = Nulls::default();
        let mut at = 0;
        self.for_each(|_, start, end| {
            let length = end - start;
            if length == 0 {
                nulls.push(offsets.len() - 1);
            }
            let from = bytes.get(start..).and_then(<[u8]>::first_chunk::<MOVE>);
            let to = values.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
            match (from, to) {
                (Some(from), Some(to)) if length <= MOVE => *to = *from,
                _ => {
                    // A field that a short row lacks may start beyond the chunk: it has no bytes.
                    let value = bytes.get(start..end).unwrap_or_default();
                    values[at..at + value.len()].copy_from_slice(value);
                }
            }
            at += length;
            // A chunk is under 2 GiB.
            offsets.push(at as i32);
        });
        values.truncate(length);
        Arc::new(views::string_array(offsets, values, nulls.finish(n)))
    }

    fn copied(&self) -> Result<ArrayRef> {
        let n = self.rows.len();
        let mut offsets = Vec::with_capacity(n + 1);
        offsets.push(0i32);
        let mut values: Vec<u8> = Vec::with_capacity(n * 8);
        let mut nulls = Nulls::default();
        self.for_each(|_, start, end| {
            let value = self.text_value(start, end);
            if value.is_none() {
                nulls.push(offsets.len() - 1);
            }
            values.extend_from_slice(value.as_deref().unwrap_or_default());
            offsets.push(values.len() as i32);
        });
        // A chunk is under 2 GiB, but bytes that are replaced grow.
        if values.len() > i32::MAX as usize {
            return Err(TextError::ChunkTooLarge(values.len()));
        }
        Ok(Arc::new(views::string_array(
            offsets,
            values,
            nulls.finish(n),
        )))
    }

    /// The text of a field; `None` is NULL.
    fn text_value(&self, start: usize, end: usize) -> Option<Cow<'a, [u8]>> {
        let (mut value, quoted) = self.value(start, end);
        if self.layout.strip_whitespace && !quoted {
            value = match value {
                Cow::Borrowed(value) => Cow::Borrowed(trim(value)),
                Cow::Owned(value) => Cow::Owned(trim(&value).to_vec()),
            };
        }
        let charset = self.layout.dialect.charset;
        if !charset.is_utf8() && !value.is_ascii() {
            value = Cow::Owned(charset.decode(&value).into_owned().into_bytes());
        }
        if self.is_null(&value, quoted, false) {
            return None;
        }
        if self.index.dirty && simdutf8::basic::from_utf8(&value).is_err() {
            return Some(Cow::Owned(
                String::from_utf8_lossy(&value).into_owned().into_bytes(),
            ));
        }
        Some(value)
    }
}
