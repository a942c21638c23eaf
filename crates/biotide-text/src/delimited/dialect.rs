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
            Self::Lf => b'\n',
            Self::Cr => b'\r',
        }
    }
}

/// How bytes become fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// Between two fields: one byte or more.
    pub delimiter: Vec<u8>,
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
            delimiter: delimiter.to_vec(),
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
        if self.delimiter.is_empty() {
            return refuse("the delimiter is empty".into());
        }
        if self.delimiter.iter().any(|b| matches!(b, b'\n' | b'\r')) {
            return refuse(format!(
                "the delimiter {} holds a line end",
                show(&self.delimiter)
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
            if self.delimiter.contains(&byte) {
                return refuse(format!(
                    "the {name} {} is part of the delimiter {}",
                    show(&[byte]),
                    show(&self.delimiter)
                ));
            }
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
        self.charset.is_utf8() && std::str::from_utf8(&self.delimiter).is_err()
    }
}
