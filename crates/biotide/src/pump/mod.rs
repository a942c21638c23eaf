//! The rows of a statement to a sink that can be resumed: the one is read while the other writes.
//!
//! ```text
//! statement ─► task that reads ─► a few chunks ─► sink: write … write, commit
//! ```
//!
//! What waits is bounded by rows (`backpressure_threshold` chunks); where a sink is slower than what it is fed by,
//! reading waits.

mod ahead;
mod chunks;
mod pumping;
mod sink;

pub use chunks::{ChunksReport, SinkChunk};
pub use pumping::FlowReport;
pub(crate) use pumping::{PumpOptions, Pumped, Watch, pump};
pub(crate) use sink::RowSink;
