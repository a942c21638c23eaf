//! How bytes become fields.

use crate::charset::Charset;
use crate::error::{Result, TextError};

/// The byte that ends a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RecordEnd {
    /// LF; a CR just before it belongs to the line end. A CR elsewhere is text.
    #[default]
    Lf,
    /// CR, as in files whose only line ends are CR.
    Cr,
    /// LF, CRLF or CR, each of them anywhere: files that were put together. (Physical lines are still those
    /// that end with LF.)
    Any,
}

impl RecordEnd {
    /// The line end of a sample: CR where it has CR and no LF.
    pub fn of(sample: &[u8]) -> Self {
        match memchr::memchr2(b'\n', b'\r', sample) {
            Some(i) if sample[i] == b'\r' && memchr::memchr(b'\n', sample).is_none() => Self::Cr,
            _ => Self::Lf,
        }
    }

    /// The byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Lf | Self::Any => b'\n',
            Self::Cr => b'\r',
        }
    }
}

/// What stands between two fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Delimiter {
    /// One byte or more; between two of them is an empty field.
    Bytes(Vec<u8>),
    /// Blanks and tabs, any number of them: columns that are aligned for the eye. None of them stand for
    /// anything at the ends of a line, so that no field is empty, unless it is quoted.
    Blanks,
}

impl Delimiter {
    /// The bytes; of blanks, one.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Blanks => b" ",
        }
    }

    /// The byte, where it is just one.
    pub fn byte(&self) -> Option<u8> {
        match self {
            Self::Bytes(bytes) => match bytes[..] {
                [byte] => Some(byte),
                _ => None,
            },
            Self::Blanks => None,
        }
    }

    /// Whether a field can end at this byte.
    fn contains(&self, byte: u8) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.contains(&byte),
            Self::Blanks => matches!(byte, b' ' | b'\t'),
        }
    }
}

impl From<&[u8]> for Delimiter {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

/// How bytes become fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// Between two fields.
    pub delimiter: Delimiter,
    /// Opens and closes a quoted field.
    pub quote: Option<u8>,
    /// Makes the next byte text: inside quotes, or everywhere if there is no quote. `None`: a doubled
    /// quote stands for a quote.
    pub escape: Option<u8>,
    /// A record that starts with this is a comment.
    pub comment: Option<Vec<u8>>,
    /// What ends a record.
    pub record_end: RecordEnd,
    /// Bytes to characters.
    pub charset: Charset,
}

impl Dialect {
    /// Tabs, `"` quotes.
    pub fn tsv() -> Self {
        Self::delimited_by(b"\t")
    }

    /// Commas, `"` quotes.
    pub fn csv() -> Self {
        Self::delimited_by(b",")
    }

    /// Any delimiter, `"` quotes, no comments.
    pub fn delimited_by(delimiter: &[u8]) -> Self {
        Self {
            delimiter: delimiter.into(),
            quote: Some(b'"'),
            escape: None,
            comment: None,
            record_end: RecordEnd::Lf,
            charset: Charset::UTF_8,
        }
    }

    /// Refuses what cannot be read one way only.
    pub fn validate(&self) -> Result<()> {
        let refuse = |what: String| Err(TextError::Dialect(what));
        let show = |bytes: &[u8]| format!("'{}'", bytes.escape_ascii());
        let delimiter = self.delimiter.bytes();
        if delimiter.is_empty() {
            return refuse("the delimiter is empty".into());
        }
        if delimiter.iter().any(|b| matches!(b, b'\n' | b'\r')) {
            return refuse(format!(
                "the delimiter {} holds a line end",
                show(delimiter)
            ));
        }
        for (name, byte) in [("quote", self.quote), ("escape", self.escape)] {
            let Some(byte) = byte else { continue };
            if !byte.is_ascii() {
                // A part of a character, to the text that the reader sees: UTF-8.
                return refuse(format!("the {name} {} is not ASCII", show(&[byte])));
            }
            if matches!(byte, b'\n' | b'\r') {
                return refuse(format!("the {name} {} is a line end", show(&[byte])));
            }
            if self.delimiter.contains(byte) {
                return refuse(format!(
                    "the {name} {} is part of the delimiter {}",
                    show(&[byte]),
                    show(delimiter)
                ));
            }
        }
        if self.delimiter == Delimiter::Blanks && self.own_escape().is_some() {
            return refuse(
                "between blanks a quote is escaped by another one only: escape = 'none'".into(),
            );
        }
        if self.record_end == RecordEnd::Any
            && (self.delimiter == Delimiter::Blanks || self.own_escape().is_some())
        {
            return refuse("lines that end in several ways have neither escapes nor blanks".into());
        }
        match &self.comment {
            Some(prefix) if prefix.is_empty() => refuse("the comment prefix is empty".into()),
            Some(prefix) if prefix.iter().any(|b| matches!(b, b'\n' | b'\r')) => refuse(format!(
                "the comment prefix {} holds a line end",
                show(prefix)
            )),
            _ => Ok(()),
        }
    }

    /// The escape byte where it is another than the quote.
    pub(crate) fn own_escape(&self) -> Option<u8> {
        self.escape.filter(|&escape| Some(escape) != self.quote)
    }

    /// Whether a field boundary may cut a UTF-8 sequence: then fields are checked one by one.
    pub(crate) fn cuts_utf8(&self) -> bool {
        self.charset.is_utf8() && std::str::from_utf8(self.delimiter.bytes()).is_err()
    }

    /// Whether the index writes down where each field starts, not only where it ends.
    pub(crate) fn has_pairs(&self) -> bool {
        self.delimiter == Delimiter::Blanks
    }
}
