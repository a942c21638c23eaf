//! What is wrong with a row or a value, and where.

use std::fmt;

/// Why a row or a value was not taken as it stands. The list is closed: scripts rely on the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Fewer fields than columns.
    TooFewFields,
    /// More fields than columns.
    TooManyFields,
    /// A quoted field that is never closed.
    UnterminatedQuote,
    /// Text between the closing quote and the delimiter.
    TextAfterQuote,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// A record longer than `max_record_bytes`.
    RecordTooLong,
    /// A line below the table, which is no row of it. No fault of the file: it counts as no error.
    Footnote,
    /// A record that is not JSON.
    InvalidJson,
    /// JSON that is not an object.
    NotAnObject,
    /// A value that does not parse as its column's type.
    BadValue,
    /// A number that overflows, a non-zero number that underflows to zero, or one beyond the bounds of its
    /// column.
    OutOfRange,
    /// An identifier whose prefix the file does not declare.
    UndeclaredPrefix,
    /// No value where every row must have one.
    MissingValue,
    /// A value of a mapping that is not an identifier with a prefix.
    NoIdentifier,
    /// A value that is none of those that its column may have.
    UnknownValue,
}

impl Reason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::TooFewFields,
        Self::TooManyFields,
        Self::UnterminatedQuote,
        Self::TextAfterQuote,
        Self::InvalidUtf8,
        Self::RecordTooLong,
        Self::Footnote,
        Self::InvalidJson,
        Self::NotAnObject,
        Self::BadValue,
        Self::OutOfRange,
        Self::UndeclaredPrefix,
        Self::MissingValue,
        Self::NoIdentifier,
        Self::UnknownValue,
    ];

    /// The code as it stands in the reject log.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooFewFields => "too_few_fields",
            Self::TooManyFields => "too_many_fields",
            Self::UnterminatedQuote => "unterminated_quote",
            Self::TextAfterQuote => "text_after_quote",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::RecordTooLong => "record_too_long",
            Self::Footnote => "footnote",
            Self::InvalidJson => "invalid_json",
            Self::NotAnObject => "not_an_object",
            Self::BadValue => "bad_value",
            Self::OutOfRange => "out_of_range",
            Self::UndeclaredPrefix => "undeclared_prefix",
            Self::MissingValue => "missing_value",
            Self::NoIdentifier => "no_identifier",
            Self::UnknownValue => "unknown_value",
        }
    }

    /// Whether it is of a value, but makes the row none that could be kept: `on_error` says what is done.
    pub(crate) fn spoils_row(self) -> bool {
        matches!(
            self,
            Self::UndeclaredPrefix | Self::MissingValue | Self::NoIdentifier | Self::UnknownValue
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The row was set aside.
    Rejected,
    /// The row was kept, changed.
    Repaired,
    /// The row was kept, the value became NULL.
    Nulled,
}

impl Action {
    /// The word as it stands in the reject log.
    pub fn code(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Repaired => "repaired",
            Self::Nulled => "nulled",
        }
    }
}

/// One bad row or value, at its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Record number, from 1, the header not counted.
    pub record: u64,
    /// Physical line on which the record starts, from 1.
    pub line: u64,
    /// Byte offset of the record's first byte.
    pub offset: u64,
    /// Length of the record in bytes, its line end not counted.
    pub length: u64,
    /// The column's position in the file, for a value.
    pub column: Option<usize>,
    /// The column's name, for a value.
    pub column_name: Option<String>,
    /// Why.
    pub reason: Reason,
    /// What was done.
    pub action: Action,
    /// One sentence for a person.
    pub message: String,
    /// The record's bytes (for a value, the value's), at most [`Problem::MAX_RAW`] of them.
    pub raw: Vec<u8>,
}

impl Problem {
    /// The most bytes of raw text that are kept.
    pub const MAX_RAW: usize = 1024;

    /// The first [`Problem::MAX_RAW`] bytes of `raw`, cut at a character where it is UTF-8.
    pub fn bounded(raw: &[u8]) -> Vec<u8> {
        let mut end = raw.len().min(Self::MAX_RAW);
        while end < raw.len() && end > 0 && raw[end] & 0xC0 == 0x80 {
            end -= 1;
        }
        raw[..end].to_vec()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} (record {}, byte {}): ",
            self.line, self.record, self.offset
        )?;
        if let Some(name) = &self.column_name {
            write!(f, "column \"{name}\": ")?;
        }
        write!(f, "{} [{}]", self.message, self.reason)
    }
}
