//! Notes below a table: sources, legends, footnotes.

use super::preamble::SampleReader;
use super::{Dialect, Layout};

/// Lines that are looked at, from the end up.
const MOST: usize = 50;

/// Bytes of a text's end in which notes are looked for.
pub const NOTES_BYTES: usize = 16 << 10;

/// Words that a note has where nothing else tells that it is one; and where it stands below a blank line.
const WORDS: usize = 4;
const WORDS_APART: usize = 3;

/// Where the notes below a table start, in the last bytes of its text: the lines at the end that have words
/// and no delimiter; and below a blank line those with delimiters too. The first of them begins with a sign,
/// or has a colon or some words; none of them has as many fields as a row. `whole` says that the bytes are
/// all there is.
///
/// The answer does not depend on how much more of the text there is above these bytes.
pub fn notes_below(tail: &[u8], whole: bool, layout: &Layout) -> Option<usize> {
    if layout.columns.len() < 2 {
        return None;
    }
    let newline = layout.dialect.record_end.byte();
    let first = match whole {
        true => 0,
        false => memchr::memchr(newline, tail)? + 1,
    };
    // A record has one line end at most: so every line can be read by itself.
    let dialect = Dialect {
        comment: None,
        ..layout.dialect.clone()
    };
    let mut found = None;
    // The lines that are notes if a blank one stands above them: whether some are split, and what the
    // first of them is.
    let (mut split, mut above) = (false, None);
    let mut end = tail.len();
    for _ in 0..MOST {
        if end <= first {
            break;
        }
        let body = match tail[..end].strip_suffix(&[newline]) {
            Some(body) => body,
            None => &tail[..end],
        };
        let start = match memchr::memrchr(newline, &body[first..]) {
            Some(at) => first + at + 1,
            None => first,
        };
        let line = &body[start..];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_comment = layout
            .dialect
            .comment
            .as_ref()
            .is_some_and(|prefix| line.starts_with(prefix));
        end = start;
        if is_comment {
            continue;
        }
        if line.iter().all(|byte| *byte == b' ') {
            match above.take() {
                Some((at, words)) if words >= WORDS_APART => (found, split) = (Some(at), false),
                Some(_) => break,
                None => {}
            }
            continue;
        }
        let Some((fields, words)) = note(line, &dialect, layout) else {
            break;
        };
        split |= fields > 1;
        above = Some((start, words));
        if !split && words >= WORDS {
            (found, above) = (Some(start), None);
        }
    }
    // Nothing but notes is no table.
    found.filter(|&start| start > first || !whole)
}

/// The fields and words of a line that may be a note. What begins with a sign, or has a colon, has words
/// enough.
fn note(line: &[u8], dialect: &Dialect, layout: &Layout) -> Option<(usize, usize)> {
    // The last line of a field in quotes ends them: no line of it is taken for a note, nor one above it.
    let mut text = line;
    if let Some(quote) = dialect.quote {
        let quoted = line.strip_prefix(&[quote]);
        text = quoted
            .and_then(|l| l.strip_suffix(&[quote]))
            .unwrap_or(line);
        if memchr::memchr(quote, text).is_some() {
            return None;
        }
    }
    let record = SampleReader::new(dialect, line, 0, true).next()?;
    let (fields, columns) = (record.fields.len(), layout.columns.len());
    if fields == columns || layout.trailing_delimiter && fields == columns + 1 {
        return None;
    }
    let first = match fields {
        1 => text,
        _ => &line[record.fields[0].clone()],
    };
    let first = first.trim_ascii();
    let signs = ["*", "#", "[", "(", "†", "‡", "§", "¶"];
    let sign = signs.iter().any(|sign| first.starts_with(sign.as_bytes()));
    let colon = first.contains(&b':') && first.contains(&b' ') || first.ends_with(b":");
    let words = first
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .count();
    Some((fields, if sign || colon { WORDS } else { words }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delimited::{Column, ColumnType};

    fn layout() -> Layout {
        let columns = ["a", "b", "c"].map(|name| Column::new(name, ColumnType::Text));
        Layout::new(Dialect::csv(), columns.to_vec())
    }

    fn table(text: &str) -> &str {
        let end = notes_below(text.as_bytes(), true, &layout());
        &text[..end.unwrap_or(text.len())]
    }

    #[test]
    fn words_below_a_table_are_notes() {
        let rows = "a,b,c\n1,2,3\n4,5,6\n";
        for notes in [
            "* below the limit\n",
            "Source: the lab",
            "\nSource: the lab\n\nSee the legend\n\n",
            "\nSource: A, B, C, D and E\n* and others\n",
            "\"* values, below the limit\"\n",
            "*\n",
        ] {
            let text = format!("{rows}{notes}");
            let text = text.replace('\n', "\r\n");
            let notes = notes.trim_start_matches('\n').replace('\n', "\r\n");
            assert!(text.ends_with(&notes));
            assert_eq!(table(&text), &text[..text.len() - notes.len()]);
        }
    }

    #[test]
    fn rows_are_no_notes() {
        for text in [
            "a,b,c\n1,2,3\n4,5,6\n",
            // Cut off, or short of fields.
            "a,b,c\n1,2,3\n4\n",
            "a,b,c\n1,2,3\nJohn Smith,5\n",
            "a,b,c\n1,2,3\n\nJohn Smith,5,6\n",
            "a,b,c\n1,2,3\n\nJohn Smith,5\nJane Doe,6\n",
            "a,b,c\n1,2,3\n\n3,Smith, John,6\n",
            "a,b,c\n1,2,3\nHomo sapiens\n",
            "a,b,c\n1,2,3\nwords of the one field,,\n,,words in the last one\n",
            "a,b,c\n1,2,\"x\nand more words\"\n",
            "a,b,c\n1,2,\"x\nand more words\"\"\"\n",
            "only words here\nand here\n",
        ] {
            assert_eq!(table(text), text);
        }
    }

    #[test]
    fn rows_that_end_with_a_delimiter_are_no_notes() {
        let mut layout = layout();
        layout.trailing_delimiter = true;
        let rows = "a,b,c,\n1,2,3,\n\n* x y,8,9,\n* z w,8,9,\n";
        assert_eq!(notes_below(rows.as_bytes(), true, &layout), None);
        let notes = format!("{rows}* a note, of it\n");
        let found = notes_below(notes.as_bytes(), true, &layout);
        assert_eq!(found, None);
        let notes = format!("{rows}* a note of it\n");
        let found = notes_below(notes.as_bytes(), true, &layout);
        assert_eq!(found, Some(rows.len()));
    }

    #[test]
    fn more_text_above_changes_nothing() {
        let text = "a,b,c\n1,2,\"x\nwords of a field\n\n\"\n4,5,6\n\nNotes: a, and\nmore of them\n";
        let found = notes_below(text.as_bytes(), true, &layout());
        assert_eq!(found, text.find("Notes"));
        for cut in 1..text.find("\n\nNotes").unwrap_or(0) {
            let tail = &text.as_bytes()[cut..];
            let found = notes_below(tail, false, &layout());
            assert_eq!(found.map(|at| at + cut), text.find("Notes"), "{cut}");
        }
    }
}
