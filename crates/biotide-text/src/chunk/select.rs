//! Which rows of good shape are built at all.

use arrow_buffer::Buffer;

use super::columns::{BadValue, Rows};
use super::{ChunkDecoder, DecodedChunk};
use crate::delimited::ColumnType;
use crate::error::Result;
use crate::problem::Action;

impl ChunkDecoder {
    /// The rows left by `skip_empty`, the rules and `on_bad_value = reject`; `None`: all.
    pub(super) fn rows_to_build(
        &self,
        bytes: &Buffer,
        bad: &mut Vec<BadValue>,
        out: &mut DecodedChunk,
    ) -> Result<Option<Vec<u32>>> {
        let mut rows: Option<Vec<u32>> = None;
        if let Some(keys) = &self.layout.skip_empty {
            let all: Vec<usize> = (0..self.layout.columns.len()).collect();
            let keys = if keys.is_empty() { &all } else { keys };
            let mut full = vec![false; self.index.rows()];
            for &column in keys {
                let fields = self.fields(bytes, column, Rows::All(full.len()), false);
                // (As it is written: what stands for NULL says that a value is missing, and what that is depends on types.)
                fields.for_each(|row, start, end| {
                    let (value, _) = fields.value(start, end);
                    full[row as usize] |= !value.trim_ascii().is_empty();
                });
            }
            let kept: Vec<u32> = (0u32..)
                .zip(&full)
                .filter_map(|(row, &f)| f.then_some(row))
                .collect();
            out.skipped = (full.len() - kept.len()) as u64;
            rows = Some(kept);
        }
        let all = Rows::All(self.index.rows());
        let current = rows.as_deref().map_or(all, Rows::Some);
        self.check_rules(bytes, current, bad);
        if self.checks_values() {
            for (column, spec) in self.layout.columns.iter().enumerate() {
                if spec.ty != ColumnType::Text {
                    self.fields(bytes, column, current, false).build(bad)?;
                }
            }
        }
        if !bad.is_empty() {
            bad.sort_by_key(|value| (value.row, value.column));
            let mut dropped: Vec<u32> = bad.iter().map(|value| value.row).collect();
            dropped.dedup();
            out.rejected += dropped.len() as u64;
            self.log_values(bytes, bad, Action::Rejected, out);
            let kept = |row: &u32| dropped.binary_search(row).is_err();
            rows = Some(match rows {
                Some(rows) => rows.into_iter().filter(kept).collect(),
                None => (0..self.index.rows() as u32).filter(kept).collect(),
            });
        }
        Ok(rows)
    }
}
