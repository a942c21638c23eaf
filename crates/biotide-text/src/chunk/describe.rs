//! What is wrong with a record or a value, in words.

use arrow_buffer::Buffer;

use super::columns::Rows;
use super::flaw::Subject;
use super::{ChunkDecoder, Flaw, Place};
use crate::delimited::ColumnType;
use crate::problem::{Problem, Reason};

impl ChunkDecoder {
    /// A flaw of the chunk that was decoded last, in words and at its place in the file. It is made only
    /// when it is asked for: a chunk may hold a million.
    pub fn describe(&self, bytes: &Buffer, place: Place, flaw: &Flaw) -> Problem {
        let span = flaw.bytes();
        let (column, message, raw) = match flaw.subject {
            Subject::Record { fields } => {
                let raw = Problem::bounded(&bytes[span.clone()]);
                let message = match &self.layout.json {
                    Some(json) => json.message(&bytes[span.clone()], flaw.reason),
                    None => None,
                };
                let message = message.unwrap_or_else(|| self.record_message(fields, flaw.reason));
                (None, message, raw)
            }
            Subject::Value { row, column } => {
                let column = column as usize;
                let one = [row];
                let fields = self.fields(bytes, column, Rows::Some(&one), false);
                let (mut raw, mut fault) = (Vec::new(), Vec::new());
                fields.for_each(|_, start, end| {
                    let (value, _) = fields.value(start, end);
                    raw = Problem::bounded(&value);
                    fault = Problem::bounded(self.at_fault(column, &value));
                });
                let shown = self.layout.dialect.charset.decode(&fault);
                let message = self.value_message(column, flaw.reason, &shorten(&shown));
                (Some(column), message, raw)
            }
        };
        let charset = self.layout.dialect.charset;
        let raw = match charset.is_utf8() {
            true => raw,
            false => charset.decode(&raw).into_owned().into_bytes(),
        };
        Problem {
            record: place.records + u64::from(flaw.record) + 1,
            line: place.lines + u64::from(flaw.line) + 1,
            offset: place.offset + span.start as u64,
            length: span.len() as u64,
            column,
            column_name: column.map(|column| self.layout.columns[column].name.clone()),
            reason: flaw.reason,
            action: flaw.action,
            message,
            raw,
        }
    }

    fn value_message(&self, column: usize, reason: Reason, shown: &str) -> String {
        let bounds = self.layout.rules.bounds_of(column);
        match (reason, bounds) {
            (Reason::OutOfRange, Some(bounds)) => {
                return format!("'{shown}' is not from {} to {}", bounds.low, bounds.high);
            }
            (Reason::UndeclaredPrefix, _) => {
                return format!("the prefix of '{shown}' is not declared in the file's curie_map");
            }
            (Reason::NoIdentifier, _) => {
                return format!("'{shown}' is not an identifier with a prefix");
            }
            (Reason::UnknownValue, _) => {
                let known = self.layout.rules.words_of(column);
                let words = known.iter().flat_map(|known| known.words);
                let words: Vec<&str> = words.map(|(word, _)| *word).collect();
                return format!("'{shown}' is not one of {}", words.join(", "));
            }
            (Reason::MissingValue, _) if shown.is_empty() => {
                return "a row must have a value here".to_owned();
            }
            (Reason::MissingValue, _) => {
                return format!("with '{shown}' here, a row needs a column that the file lacks");
            }
            _ => {}
        }
        let what = match reason {
            Reason::OutOfRange => "is out of range for",
            _ => "is not of type",
        };
        let ty = match self.layout.columns[column].ty {
            ty @ ColumnType::Nested(_) => self.layout.data_type(ty).to_string(),
            ty => ty.name(),
        };
        format!("'{shown}' {what} {ty}")
    }

    fn record_message(&self, fields: u32, reason: Reason) -> String {
        let columns = self.layout.columns.len();
        let limit = self.layout.max_record_bytes;
        match reason {
            Reason::TooFewFields | Reason::TooManyFields => {
                format!("found {fields} fields, expected {columns}")
            }
            Reason::Footnote => "it stands below the table, and is no row of it".to_owned(),
            Reason::UnterminatedQuote => "a quoted field is never closed".to_owned(),
            Reason::TextAfterQuote => "text follows a closing quote".to_owned(),
            Reason::InvalidUtf8 => {
                let charset = self.layout.dialect.charset;
                format!("the bytes are not {}", charset.name())
            }
            _ => format!("the record is longer than max_record_bytes ({limit})"),
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((i, _)) => format!("{}…", &text[..i]),
        None => text.to_owned(),
    }
}
