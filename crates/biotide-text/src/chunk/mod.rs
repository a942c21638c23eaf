//! Chunks of text to record batches: delimited text and JSON alike, once it is known where the fields of each
//! record are.

pub(crate) mod columns;
mod decoder;
mod describe;
mod flaw;
mod records;
mod rules;
mod select;

pub use columns::date_format_problem;
pub use decoder::{ChunkDecoder, DecodedChunk, Place, RowFilter};
pub use flaw::Flaw;
pub use records::{RecordIndex, Stop};
