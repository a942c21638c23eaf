//! What the readers of a file hold, reserved in the pool.

use std::sync::Arc;
use std::time::Duration;

use datafusion_common::Result;
use datafusion_execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

use super::source::UNIT_BYTES;

/// What a worker holds for a byte of its unit: the text, the index of its fields, columns, and batches that
/// are on their way.
const PER_BYTE: u64 = 4;

/// How long a reader waits for others to give memory back before it is content with smaller units. It must
/// not wait for long: those who hold the memory may be waiting for its rows.
const PATIENCE: Duration = Duration::from_millis(200);

/// How often it asks again.
const PAUSE: Duration = Duration::from_millis(10);

/// Bytes of units that may wait for their turn where the order is kept: an eighth of the pool.
pub(super) fn waiting_bytes(pool: &Arc<dyn MemoryPool>) -> u64 {
    let most = 32 << 20;
    match pool.memory_limit() {
        MemoryLimit::Finite(size) => (size as u64 / 8).clamp(1 << 20, most),
        _ => most,
    }
}

/// Reserves memory for `units` units at a time of a text of `size` bytes, besides `others` bytes: waits for
/// it, then makes do with units of half the size, and so on. Answers the size of the units.
pub(super) async fn reserve(
    pool: &Arc<dyn MemoryPool>,
    file: &str,
    units: u64,
    size: u64,
    mut unit_bytes: u64,
    others: u64,
) -> Result<(MemoryReservation, u64)> {
    let reservation = MemoryConsumer::new(format!("the reader of {file}")).register(pool);
    let mut waited = Duration::ZERO;
    loop {
        let bytes = units
            .saturating_mul(unit_bytes)
            .min(size)
            .saturating_mul(PER_BYTE)
            + others;
        let refused = match reservation.try_grow(usize::try_from(bytes).unwrap_or(usize::MAX)) {
            Ok(()) => return Ok((reservation, unit_bytes)),
            Err(refused) => refused,
        };
        if waited < PATIENCE {
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        } else if unit_bytes > *UNIT_BYTES.start() {
            unit_bytes = (unit_bytes / 2).max(*UNIT_BYTES.start());
        } else {
            return Err(refused);
        }
    }
}
