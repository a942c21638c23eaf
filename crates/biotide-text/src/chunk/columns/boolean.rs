//! Boolean columns: `true` and `false` in any case. `T`, `F`, `1` and `0` are not booleans.

use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::BooleanBuffer;

use super::{BadValue, Fields};
use crate::problem::Reason;

pub(crate) fn parse_bool(value: &[u8]) -> Result<bool, Reason> {
    match value.len() {
        4 if value.eq_ignore_ascii_case(b"true") => Ok(true),
        5 if value.eq_ignore_ascii_case(b"false") => Ok(false),
        _ => Err(Reason::BadValue),
    }
}

impl Fields<'_> {
    pub(crate) fn boolean(&self, bad: &mut Vec<BadValue>) -> ArrayRef {
        let bytes = self.primitive::<Int8Type>(|value| parse_bool(value).map(i8::from), bad);
        let bits = BooleanBuffer::collect_bool(bytes.len(), |i| bytes.value(i) != 0);
        Arc::new(BooleanArray::new(bits, bytes.nulls().cloned()))
    }
}
