//! Which rows of a column are NULL: nothing is written down for those that are not.

use arrow_buffer::{BooleanBufferBuilder, NullBuffer};

/// The rows that are NULL, in order.
#[derive(Debug, Default)]
pub(super) struct Nulls(Vec<u32>);

impl Nulls {
    /// The row with this number, counted from 0, is NULL.
    #[inline(always)]
    pub(super) fn push(&mut self, row: usize) {
        self.0.push(row as u32);
    }

    /// The bitmap of a column of `rows` rows; none if none is NULL.
    pub(super) fn finish(self, rows: usize) -> Option<NullBuffer> {
        if self.0.is_empty() {
            return None;
        }
        let mut valid = BooleanBufferBuilder::new(rows);
        valid.append_n(rows, true);
        for &row in &self.0 {
            valid.set_bit(row as usize, false);
        }
        Some(NullBuffer::new(valid.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_pushed_is_null() {
        assert_eq!(Nulls::default().finish(3), None);
        let mut nulls = Nulls::default();
        nulls.push(0);
        nulls.push(9);
        let bitmap = nulls.finish(10).unwrap();
        assert_eq!(bitmap.null_count(), 2);
        assert!(bitmap.is_null(0) && bitmap.is_null(9) && bitmap.is_valid(5));
    }
}
