//! Fields between runs of blanks: columns that are aligned for the eye, as PLINK writes them.

use super::index::Indexer;
use super::quoted::{InRecord, Mark, Opened, Record};
use crate::chunk::RecordIndex;

impl Indexer {
    /// Pushes where the fields of the record at `start` start and end, and where the record ends. A record
    /// of blanks only has no text.
    pub(super) fn record_of_blanks(
        &mut self,
        bytes: &[u8],
        start: usize,
        eof: bool,
        out: &mut RecordIndex,
    ) -> Record {
        let mut at = start;
        let mut fields = 0usize;
        let mut problem = None;
        loop {
            let rest = &bytes[at..];
            let gap = rest.iter().take_while(|byte| is_blank(**byte)).count();
            let field = at + gap;
            let ended = match self.mark(bytes, field, eof) {
                Mark::Cut => return Record::Cut,
                Mark::Newline(next) => Some(next),
                Mark::Eof => Some(bytes.len()),
                Mark::Delimiter | Mark::Text => None,
            };
            if let Some(next) = ended {
                // (As in a chunk that ends within it, blanks are too long a record before they are none.)
                let is_blank = fields == 0 && field - start <= self.layout.max_record_bytes;
                let end = if is_blank { start } else { field };
                out.split.ends.push(end as u32);
                return Record::Whole {
                    end,
                    next,
                    fields,
                    problem,
                };
            }
            // Where plain text starts: the field itself, unless it is quoted.
            let mut plain = field;
            let mut closed = None;
            if self.layout.dialect.quote == Some(bytes[field]) {
                let reader = InRecord { start, fields, eof };
                match self.quoted_field(bytes, field, bytes[field], reader, &mut problem) {
                    Err(stop) => return stop,
                    Ok(Opened::Text(from)) => plain = from,
                    Ok(Opened::Closed(after, _)) => closed = Some(after),
                }
            }
            let end = match closed {
                Some(after) => after,
                None => match self.end_of_text(bytes, plain, eof) {
                    Some(end) => end,
                    None => return Record::Cut,
                },
            };
            out.split.ends.extend([field as u32, end as u32]);
            fields += 1;
            at = end;
        }
    }

    /// Where plain text ends: at a blank or the end of the line.
    fn end_of_text(&mut self, bytes: &[u8], plain: usize, eof: bool) -> Option<usize> {
        let mut at = plain;
        loop {
            let Some(position) = self.quoted.seek(at) else {
                return eof.then(|| self.trim_cr(bytes, plain, bytes.len()));
            };
            if bytes[position] == self.separators.newline {
                return Some(self.trim_cr(bytes, plain, position));
            }
            if is_blank(bytes[position]) {
                return Some(position);
            }
            at = position + 1;
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
