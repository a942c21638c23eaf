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

use crate::delimited::without_mark;
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
    /// The framing of a text, by its start: lines, unless it is a list, or its first object goes over lines.
    pub fn of(head: &[u8]) -> Self {
        /// Lines that are looked at where the first object has no end.
        const LINES: usize = 20;
        let head = without_mark(head);
        let start = walk::blank(head, 0);
        let text = &head[start..];
        match text.first() {
            Some(b'[') => return Self::Values,
            Some(b'{') => {}
            _ => return Self::Lines,
        }
        if let Ok((end, _)) = walk::value(text, 0, 0) {
            return match memchr::memchr(b'\n', &text[..end]) {
                Some(_) => Self::Values,
                None => Self::Lines,
            };
        }
        // A bad line before good ones, or a bad object over lines: there, what is whole stands further in.
        let whole = |line: &&[u8]| {
            let end = walk::value(line, 0, 0).map(|(end, _)| end);
            line.starts_with(b"{") && end == Ok(line.trim_ascii_end().len())
        };
        let lines = text.split(|&byte| byte == b'\n').take(LINES);
        let lines: Vec<&[u8]> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
        let good = lines.iter().filter(|line| whole(line)).count();
        match lines.len() > 1 && good * 2 < lines.len() {
            true => Self::Values,
            false => Self::Lines,
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
