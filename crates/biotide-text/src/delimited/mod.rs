//! Delimited text: TSV, CSV and their many relatives.
//!
//! # How bytes become records
//!
//! The reading is sequential by definition; the parallel reader gives exactly the same answer.
//!
//! * A record ends at a newline outside quotes: LF (a CR just before it belongs to the line end), or
//!   CR in a file whose only line ends are CR, or any of the three ([`RecordEnd`]). The last one may end with the file; a CR
//!   at the end of the file is a line end too.
//! * A line that starts with the comment prefix is a comment, not a record, whatever quotes it holds; an
//!   empty record is blank: counted and skipped, in a file of one column too.
//! * Of two delimiters that overlap the first counts.
//! * Between fields of aligned columns stand blanks and tabs, any number of them
//!   ([`Delimiter::Blanks`]); those at the ends of a line stand for nothing, and a line of nothing else is
//!   blank.
//! * A quote opens a field only as its first byte; anywhere else it is text. Inside, a doubled quote
//!   (or the escape byte and any byte) stands for itself. After the closing quote only a delimiter or
//!   the record's end may follow ([`Reason::TextAfterQuote`](crate::problem::Reason)).
//! * The escape byte means something inside quotes only, or everywhere if there are no quotes: then it
//!   makes text of a newline too, and of the CR of a CRLF. As the last byte of the file it is text.
//! * A quoted field that never closes, or runs past `max_record_bytes`, or spans lines and is followed
//!   by text, rejects only the lines up to the one on which it opened: reading resumes on the next.
//!   Lenient reading takes its quote for text instead, and a closed one that text follows on the same
//!   line for text as a whole.
//! * A record has as many fields as the layout has columns, or it is malformed. With
//!   `trailing_delimiter` it may have one more that holds only spaces and tabs.
//! * Lenient reading splits a record that its delimiter does not split at all by another one, if that
//!   gives it as many fields as there are columns (three at least) and it holds no quote.
//!   One with too many or too few fields gets just enough if the types of the columns leave one way only:
//!   fields next to each other become one, their delimiters text, or empty ones are put between two. Of
//!   several ways to make fields one, a blank behind the delimiter tells (`Smith, John`). Else what is more
//!   is cut off, and what is missing is missing at the end.
//! * What stands below the table ([`notes_below`]) is rejected, lenient or not, and fails nothing.
//! * A record of more than `max_record_bytes`, its line end not counted, is rejected, lenient or not; so
//!   is a comment as long as that. Beyond that many bytes neither quote nor escape hides a newline.
//! * Bytes that are not UTF-8 make a record malformed where they stand in a field that is kept.
//!
//! A record has one problem of shape at most, the first of: its length, its quotes (of those the first),
//! its number of fields, its encoding; only a lenient repair may have one of the latter in addition.

mod blanks;
mod decoder;
mod dialect;
mod index;
mod infer;
mod layout;
mod notes;
mod preamble;
mod quoted;
mod repair;
mod rest;
mod rules;
mod sniff;

pub use decoder::Decoder;
pub use dialect::{Delimiter, Dialect, RecordEnd};
pub use index::Indexer;
pub use infer::{Inference, infer_columns};
pub use layout::{Column, ColumnType, Layout, OnBadValue, OnError, TextArray};
pub use notes::{NOTES_BYTES, notes_below};
pub use preamble::{HeaderOptions, Preamble};
pub(crate) use preamble::{unique_names, without_mark};
pub use rest::{LineEnd, RestOfLine};
pub use rules::{Bounds, Identifiers, Required, Rules, When, Words};
pub use sniff::{Given, Sniffed, TableSpan, is_note, lines_before_table, sniff, tables};
