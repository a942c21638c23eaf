//! Delimited text bytes → Arrow [`RecordBatch`](arrow_array::RecordBatch), fast, and without losing a row.
//!
//! The crate is synchronous and knows no engine, no async runtime and no object store: bytes go in,
//! batches and a record of every bad row come out.
//!
//! ```text
//!  bytes ─► scan (SIMD: where are delimiters, newlines, quotes?)
//!        ─► delimited::index (records and their shape: good rows, bad rows, blank lines)
//!        ─► delimited::columns (one column at a time, only those asked for)
//!        ─► RecordBatch + Problems
//! ```
//!
//! * [`delimited::Dialect`] says how bytes become fields, [`delimited::Layout`] how fields become columns.
//! * [`delimited::Preamble`] reads what stands before the data (BOM, skipped lines, header).
//! * [`delimited::infer_columns`] finds types that lose nothing, from a [`sample::Sample`].
//! * [`chunk::ChunkDecoder`] turns a chunk of bytes into columns; [`delimited::Decoder`] is the
//!   push form (`decode` / `flush`) for streams.
//!
//! A malformed row is data, not an error: it is described by a [`problem::Problem`] that says where it
//! stands and why, and the rows after it are never damaged by it.
//!
//! ```
//! use biotide_text::delimited::{Column, ColumnType, Decoder, Dialect, Layout};
//!
//! let layout = Layout::new(
//!     Dialect::tsv(),
//!     vec![Column::new("gene", ColumnType::Text), Column::new("npx", ColumnType::Float64)],
//! );
//! let mut decoder = Decoder::new(layout, None, 8192).unwrap();
//! decoder.decode(b"TP53\t1.5\nBRCA1\tNA\nbroken\n");
//! decoder.finish();
//! let batch = decoder.flush().unwrap().unwrap();
//! assert_eq!(batch.num_rows(), 2);
//! assert_eq!(decoder.take_problems().len(), 1);
//! ```

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")
)]

pub mod charset;
pub mod chunk;
pub mod delimited;
pub mod error;
pub mod json_lines;
pub mod problem;
pub mod sample;
pub mod scan;
mod views;

/// The bytes of a chunk.
pub use arrow_buffer::Buffer;
pub use error::{Result, TextError};
