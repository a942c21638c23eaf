//! String views over bytes that were checked to be UTF-8: the one place that skips a second check.
#![expect(
    unsafe_code,
    reason = "views over checked bytes; each with its safety argument"
)]

use arrow_array::{StringArray, StringViewArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

/// A string view array. Every view must lie in its buffer and be UTF-8.
///
/// Callers pass views made by [`view`] over fields of a chunk that was validated as a whole and whose
/// field boundaries are next to ASCII bytes (delimiter, quote, newline) or lie at the chunk's ends, or
/// over fields that were validated one by one: so every field is UTF-8 by itself.
pub(crate) fn string_view_array(
    views: Vec<u128>,
    buffer: Buffer,
    nulls: Option<NullBuffer>,
) -> StringViewArray {
    // SAFETY: `view` is only called with the bytes at the offset it is given, of a buffer under
    // 2 GiB, so length, prefix and offset agree with `buffer`; for UTF-8 see above.
    unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(views), vec![buffer], nulls) }
}

/// A string array from offsets and bytes. Each slice must be UTF-8, for the reasons given above.
pub(crate) fn string_array(
    offsets: Vec<i32>,
    values: Vec<u8>,
    nulls: Option<NullBuffer>,
) -> StringArray {
    // SAFETY: offsets start at 0, grow, and end at `values.len()`: the builder pushes
    // `values.len()` after each value. For UTF-8 see above.
    unsafe {
        let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets));
        StringArray::new_unchecked(offsets, Buffer::from_vec(values), nulls)
    }
}

/// The view of `bytes[start..end]`: length, then the bytes themselves up to 12, else the first four,
/// buffer 0 and the offset (Arrow columnar format, "variable-size binary view layout").
#[inline(always)]
pub(crate) fn view(bytes: &[u8], start: usize, end: usize) -> u128 {
    let len = end - start;
    if len <= 12 {
        let head = match bytes.get(start..).and_then(<[u8]>::first_chunk::<16>) {
            Some(head) => u128::from_le_bytes(*head),
            None => {
                let mut head = [0u8; 16];
                // A field that a short last row lacks starts after the end: nothing to copy.
                head[..len].copy_from_slice(bytes.get(start..end).unwrap_or_default());
                u128::from_le_bytes(head)
            }
        };
        let keep = (1u128 << (len * 8)) - 1;
        (len as u128) | ((head & keep) << 32)
    } else {
        let prefix = match bytes.get(start..).and_then(<[u8]>::first_chunk::<4>) {
            Some(prefix) => u32::from_le_bytes(*prefix),
            None => 0,
        };
        (len as u128) | (u128::from(prefix) << 32) | ((start as u128) << 96)
    }
}
