//! Where the table starts: after titles, notes and comments.

use super::{WINDOW, records};
use crate::delimited::{Delimiter, Dialect};

/// Lines that may stand before a table.
const MOST: usize = 200;

/// Physical lines before the first record of a table of so many fields. 0 where a line before it may be
/// a record, if one of another shape. `None` where the text ends too early to tell.
pub(super) fn lines_before(
    bytes: &[u8],
    complete: bool,
    dialect: &Dialect,
    fields: usize,
) -> Option<usize> {
    if fields < 2 {
        return Some(0);
    }
    let newline = dialect.record_end.byte();
    let mut at = 0;
    let (mut line, mut titles) = (0, 0);
    // Titles above aligned columns may be of any width: a blank line tells them apart.
    let aligned = dialect.delimiter == Delimiter::Blanks;
    let (mut wide_titles, mut after_blank) = (false, false);
    // The line before, if it may be R's header, which is one field shorter than the rows.
    let mut last = None;
    while titles < MOST {
        let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) else {
            return complete.then_some(0);
        };
        let end = memchr::memchr(newline, rest);
        let text = end.map_or(rest, |end| &rest[..end]);
        let comment = is_comment(text);
        if comment
            && end.is_some()
            && memchr::memmem::find(text, dialect.delimiter.bytes()).is_none()
        {
            (at, line, last) = (at + text.len() + 1, line + 1, None);
            continue;
        }
        let window = &rest[..rest.len().min(WINDOW.max(text.len() + 1))];
        let whole = complete && window.len() == rest.len();
        let record = records(window, 0, whole, dialect).next();
        if record.is_none() && !complete && window.len() == rest.len() {
            return None;
        }
        // A blank line or a comment is passed over by the reader: the record is a later line's.
        let record = record.filter(|record| !window[..record.fields[0].start].contains(&newline));
        let (mut found, mut filled, mut titled) = (0, 0, false);
        let mut next = text.len() + 1;
        if let Some(record) = &record {
            let cells = record
                .fields
                .iter()
                .map(|field| window[field.clone()].trim_ascii());
            let cells: Vec<&[u8]> = cells.filter(|cell| !cell.is_empty()).collect();
            (found, filled) = (record.fields.len(), cells.len());
            // `Results of March,,,`: words in the first field of many.
            titled = matches!(cells[..], [title] if found == 1 || title.contains(&b' '));
            next = next.max(record.next);
        }
        if found == fields && filled > 0 && !titled {
            if wide_titles && !after_blank {
                return Some(0);
            }
            return Some(match last {
                Some(before) if filled > 1 => before,
                _ => line,
            });
        }
        let r_header = found + 1 == fields && filled == found && found > 1 && !comment;
        let other = !(filled == 0 || titled || comment || r_header);
        wide_titles |= other && aligned;
        after_blank = filled == 0;
        if other && !aligned || r_header && last.is_some() {
            // A record of another shape. Comments before it are comments all the same.
            return Some(if titles == 0 { line } else { 0 });
        }
        last = r_header.then_some(line);
        titles += usize::from(!comment);
        // A title in quotes may be of several lines.
        let passed = &rest[..next.min(rest.len())];
        line += memchr::memchr_iter(newline, passed).count();
        if end.is_none() {
            return complete.then_some(0);
        }
        at += passed.len();
    }
    Some(0)
}

/// Whether a line before a table is a comment in the manner of most formats.
pub(super) fn is_comment(line: &[u8]) -> bool {
    [&b"#"[..], b"%", b"!", b"//"]
        .iter()
        .any(|prefix| line.starts_with(prefix))
}
