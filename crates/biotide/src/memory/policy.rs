//! What a session does differently where memory is short.

use datafusion::config::ConfigOptions;

use super::budget::Budget;

const MIB: usize = 1 << 20;

/// What a partition needs at least, so that its operators can work before they spill.
const PARTITION: usize = 12 * MIB;

/// Partitions that the pool is enough for, of so many threads.
pub(crate) fn partitions(budget: Budget, threads: usize) -> usize {
    (budget.pool / PARTITION).clamp(1, threads)
}

/// Rows of a batch: many operators hold several batches that nobody counts.
pub(crate) fn batch_size(budget: Budget) -> usize {
    match budget.pool / MIB {
        0..32 => 2048,
        32..64 => 4096,
        _ => 8192,
    }
}

/// Bytes of decoded units that may wait for their turn where the order is kept.
pub(crate) fn waiting_bytes(budget: Budget) -> usize {
    (budget.pool / 8).clamp(2 * MIB, 32 * MIB)
}

/// DataFusion's options. What a user sets comes later, and wins.
pub(crate) fn apply(budget: Budget, partitions: usize, options: &mut ConfigOptions) {
    let execution = &mut options.execution;
    // Each sort keeps so much for the merge at its end, whether it spills or not.
    let share = budget.pool / (8 * partitions);
    execution.sort_spill_reservation_bytes = share.clamp(MIB, 10 * MIB);
    // A row group lies in memory, encoded, until it is complete.
    execution.parquet.max_row_group_size = match budget.pool / MIB {
        0..64 => 1 << 17,
        64..128 => 1 << 18,
        _ => 1_000_000,
    };
}
