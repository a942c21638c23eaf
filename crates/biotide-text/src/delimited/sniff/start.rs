//! Where the table starts: after titles, notes and comments.

use super::{WINDOW, records};
use crate::delimited::Dialect;

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
    let bom = usize::from(bytes.starts_with(b"\xEF\xBB\xBF")) * 3;
    let mut at = bom;
    let mut last = None;
    for line in 0..MOST {
        let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) else {
            return complete.then_some(0);
        };
        let end = memchr::memchr(newline, rest);
        let text = end.map_or(rest, |end| &rest[..end]);
        let window = &rest[..rest.len().min(WINDOW.max(text.len() + 1))];
        let whole = complete && window.len() == rest.len();
        let record = records(window, 0, whole, dialect).next();
        if record.is_none() && !complete && window.len() == rest.len() {
            return None;
        }
        let (found, filled) = match &record {
            // A blank line or a comment is passed over by the reader: the record is a later line's.
            Some(record) if record.fields[0].start == 0 => {
                let filled = record
                    .fields
                    .iter()
                    .filter(|field| !window[(*field).clone()].trim_ascii().is_empty());
                (record.fields.len(), filled.count())
            }
            _ => (0, 0),
        };
        if found == fields && filled > 1 {
            // R's header is one field shorter, and not before the table.
            return Some(match last {
                Some((before, found, filled)) if found + 1 == fields && filled == found => before,
                _ => line,
            });
        }
        let comment = [&b"#"[..], b"%", b"!", b"//"]
            .iter()
            .any(|prefix| text.starts_with(prefix));
        if !(filled <= 1 || comment || found * 3 <= fields) && found + 1 != fields {
            return Some(0);
        }
        if found + 1 == fields && filled == found && !comment {
            if last.is_some_and(|(_, found, filled)| found + 1 == fields && filled == found) {
                return Some(0);
            }
            last = Some((line, found, filled));
        } else {
            last = None;
        }
        match memchr::memchr(newline, rest) {
            Some(end) => at += end + 1,
            None => return complete.then_some(0),
        }
    }
    Some(0)
}
