//! Notes below a table: sources, legends, footnotes.

use super::preamble::SampleReader;
use super::{Dialect, RecordEnd};

/// Lines that are looked at, from the end up.
const MOST: usize = 50;

/// Bytes of a text's end in which notes are looked for.
pub const NOTES_BYTES: usize = 16 << 10;

/// Where the notes below a table of so many columns start, in the last bytes of its text: the lines at the
/// end that have words and no delimiter; and below a blank line those with delimiters too, if none of
/// them has as many fields as there are columns. `whole` says that the bytes start with a record.
///
/// The answer does not depend on how much more of the text there is above these bytes.
pub fn notes_below(tail: &[u8], whole: bool, dialect: &Dialect, columns: usize) -> Option<usize> {
    if columns < 2 {
        return None;
    }
    let newline = dialect.record_end.byte();
    let first = match whole {
        true => 0,
        false => memchr::memchr(newline, tail)? + 1,
    };
    let mut found = None;
    // Of lines that have delimiters: notes if a blank line stands above them.
    let mut may_be = None;
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
        let line = body[start..].trim_ascii();
        let is_comment = dialect
            .comment
            .as_ref()
            .is_some_and(|prefix| line.starts_with(prefix));
        if line.is_empty() {
            found = may_be.take().or(found);
        } else if !is_comment {
            match note(line, dialect, columns) {
                Note::Plain if may_be.is_none() => found = Some(start),
                Note::Plain | Note::Split => may_be = Some(start),
                Note::No => break,
            }
        }
        end = start;
    }
    // Nothing but notes is no table.
    found.filter(|&start| start > first || !whole)
}

/// What a line may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    /// Words that no delimiter splits.
    Plain,
    /// Words that hold delimiters.
    Split,
    No,
}

fn note(line: &[u8], dialect: &Dialect, columns: usize) -> Note {
    // The last line of a field in quotes ends them: no line of it is taken for a note, nor one above it.
    let inner = match dialect.quote {
        Some(quote) => {
            let quoted = line
                .strip_prefix(&[quote])
                .and_then(|l| l.strip_suffix(&[quote]));
            let inner = quoted.unwrap_or(line);
            if memchr::memchr(quote, inner).is_some() {
                return Note::No;
            }
            inner
        }
        None => line,
    };
    let record = SampleReader::new(
        &Dialect {
            comment: None,
            record_end: RecordEnd::Lf,
            ..dialect.clone()
        },
        line,
        0,
        true,
    )
    .next();
    let fields = record.map_or(0, |record| record.fields.len());
    let is_words = inner.trim_ascii().contains(&b' ') || inner.starts_with(b"*");
    match fields {
        1 if is_words => Note::Plain,
        n if n < 2 || n == columns => Note::No,
        _ if is_words => Note::Split,
        _ => Note::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> &str {
        let end = notes_below(text.as_bytes(), true, &Dialect::csv(), 3);
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
            "a,b,c\n1,2,\"x\nand more words\"\n",
            "a,b,c\n1,2,\"x\nand more words\"\"\"\n",
            "only words here\nand here\n",
        ] {
            assert_eq!(table(text), text);
        }
    }

    #[test]
    fn more_text_above_changes_nothing() {
        let text = "a,b,c\n1,2,\"x\nwords of a field\n\n\"\n4,5,6\n\nNotes, and\nmore of them\n";
        let found = notes_below(text.as_bytes(), true, &Dialect::csv(), 3);
        assert_eq!(found, text.find("Notes"));
        for cut in 1..text.find("\n\nNotes").unwrap_or(0) {
            let tail = &text.as_bytes()[cut..];
            let found = notes_below(tail, false, &Dialect::csv(), 3);
            assert_eq!(found.map(|at| at + cut), text.find("Notes"), "{cut}");
        }
    }
}
