//! Delimited text: TSV, CSV and their many relatives.
//!
//! # How bytes become records
//!
//! The reading is sequential by definition; the parallel reader gives exactly the same answer.
//!
//! * A record ends at a newline outside quotes: LF (a CR just before it belongs to the line end), or
//!   CR in a file whose only line ends are CR ([`RecordEnd`]). The last one may end with the file.
//! * A record that starts with the comment prefix is a comment, not a record; an empty one is blank:
//!   counted and skipped.
//! * A quote opens a field only as its first byte; anywhere else it is text. Inside, a doubled quote
//!   (or the escape byte and any byte) stands for itself. After the closing quote only a delimiter or
//!   the record's end may follow ([`Reason::TextAfterQuote`](crate::problem::Reason)).
//! * A quoted field that never closes, or runs past `max_record_bytes`, or spans lines and is followed
//!   by text, rejects only the lines up to the one on which it opened: reading resumes on the next.
//! * A record has as many fields as the layout has columns, or it is malformed.

mod chunk;
mod columns;
mod decoder;
mod dialect;
mod index;
mod infer;
mod layout;
mod preamble;
mod quoted;

pub use chunk::{ChunkDecoder, DecodedChunk, Place, RowFilter};
pub use decoder::Decoder;
pub use dialect::{Dialect, RecordEnd};
pub use index::{Indexer, RecordIndex, Stop};
pub use infer::{Inference, infer_columns};
pub use layout::{Column, ColumnType, Layout, OnBadValue, OnError, TextArray};
pub use preamble::{HeaderOptions, Preamble};
