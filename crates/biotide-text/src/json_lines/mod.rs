//! JSON Lines, and lists of objects.
//!
//! # How bytes become records
//!
//! * [`Framing::Lines`]: a record is a line. It must hold one JSON object (RFC 8259) and nothing else
//!   but white space; `NaN`, `Infinity` and `-Infinity` are numbers, as Python writes them. A line of
//!   white space is blank.
//! * [`Framing::Values`]: a record is an object, wherever it ends: in one list or in none, with commas
//!   between or without. After one that is no JSON, reading resumes where its brackets close, or on the
//!   next line that starts an object as far in as it started.
//! * Anything else is malformed. Lenient reading keeps the members before the fault.
//! * A key that comes twice has its last value. Values under keys that are no column are counted.
//! * A record of more than `max_record_bytes` is rejected.
//!
//! # How members become columns
//!
//! The index of a chunk holds, for each wanted column, where its value stands: strings without their
//! quotes, everything else as it is written. So columns are built as those of delimited text are; a
//! missing member and `null` are NULL. Structs and lists are built by `arrow-json` from values that were
//! found to fit. Text columns take any value, as JSON text if it is no string.

mod index;
mod infer;
mod keys;
mod nested;
mod walk;

use arrow_schema::DataType;

use crate::problem::Reason;
pub(crate) use index::JsonIndexer;
pub use infer::{JsonColumn, JsonInference, JsonSchema};
pub(crate) use walk::unescape;

/// What separates records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Line ends.
    Lines,
    /// The end of each value.
    Values,
}

/// What a layout knows of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json {
    /// What separates records.
    pub framing: Framing,
    /// Paths of keys, and the columns that they lead to.
    pub paths: Vec<(Vec<String>, usize)>,
    /// The types of columns that are structs or lists.
    pub nested: Vec<DataType>,
}

impl Framing {
    /// The framing of a text, by its start: lines, unless it is a list, or an object over many lines.
    pub fn of(head: &[u8]) -> Self {
        let start = walk::blank(head, 0);
        if head.get(start) == Some(&b'[') {
            return Self::Values;
        }
        let whole = |line: &[u8]| {
            let text = line.trim_ascii();
            let end = walk::value(text, 0, 0).map(|(end, _)| end);
            text.first() == Some(&b'{') && end == Ok(text.len())
        };
        let mut lines = head[start..].split(|&byte| byte == b'\n');
        if head.get(start) != Some(&b'{') || lines.by_ref().take(10).any(whole) {
            return Self::Lines;
        }
        // An object, or what begins as one, that goes over its first line.
        match memchr::memchr(b'\n', &head[start..]) {
            Some(_) => Self::Values,
            None => Self::Lines,
        }
    }
}

impl Json {
    /// Why a record is not one, in words.
    pub(crate) fn message(&self, record: &[u8], reason: Reason) -> Option<String> {
        match reason {
            Reason::NotAnObject => Some("the value is not an object".to_owned()),
            Reason::InvalidJson => {
                let start = walk::blank(record, 0);
                let (at, what) = match walk::value(record, start, 0) {
                    Ok((end, _)) => (walk::blank(record, end), "text follows the object"),
                    Err(fault) => (fault.at, fault.what),
                };
                Some(format!("not JSON at byte {}: {what}", at + 1))
            }
            _ => None,
        }
    }
}
