//! The rest of a line that is too long to be kept.

use super::RecordEnd;

/// Looks for the end of a line whose bytes come in pieces and are thrown away.
#[derive(Debug)]
pub struct RestOfLine {
    ends: RecordEnd,
    /// Whether the last byte so far is a CR that is, or is half of, a line end.
    cr: bool,
}

/// Where a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineEnd {
    /// Bytes of the last piece up to the next line.
    pub next: usize,
    /// Bytes of the line end itself, all of them before `next`.
    pub length: usize,
    /// Physical lines that end there: 0 or 1.
    pub lines: usize,
}

impl RestOfLine {
    /// Of a line that began with `bytes`, in which it does not end.
    pub fn new(ends: RecordEnd, bytes: &[u8]) -> Self {
        let mut rest = Self { ends, cr: false };
        rest.keep_cr(bytes);
        rest
    }

    fn keep_cr(&mut self, bytes: &[u8]) {
        if let Some(&last) = bytes.last() {
            self.cr = last == b'\r' && self.ends != RecordEnd::Cr;
        }
    }

    /// Takes the next piece; answers if the line ends in it.
    pub fn pass(&mut self, bytes: &[u8]) -> Option<LineEnd> {
        let any = self.ends == RecordEnd::Any;
        let &first = bytes.first()?;
        if any && self.cr {
            let lf = usize::from(first == b'\n');
            return Some(LineEnd {
                next: lf,
                length: 1 + lf,
                lines: lf,
            });
        }
        let found = match any {
            true => memchr::memchr2(b'\n', b'\r', bytes),
            false => memchr::memchr(self.ends.byte(), bytes),
        };
        let half = any && found.is_some_and(|at| at + 1 == bytes.len() && bytes[at] == b'\r');
        let Some(at) = found.filter(|_| !half) else {
            self.keep_cr(bytes);
            return None;
        };
        if any && bytes[at] == b'\r' {
            let lf = usize::from(bytes[at + 1] == b'\n');
            return Some(LineEnd {
                next: at + 1 + lf,
                length: 1 + lf,
                lines: lf,
            });
        }
        let before = match at.checked_sub(1) {
            Some(before) => bytes[before] == b'\r' && self.ends != RecordEnd::Cr,
            None => self.cr,
        };
        Some(LineEnd {
            next: at + 1,
            length: 1 + usize::from(before),
            lines: 1,
        })
    }

    /// The same where no bytes follow.
    pub fn finish(&self) -> LineEnd {
        LineEnd {
            next: 0,
            length: usize::from(self.cr),
            lines: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of the line's text, of its end and the lines of it, of `text` cut at `cut`.
    fn read(ends: RecordEnd, text: &[u8], cut: usize) -> (usize, usize, usize) {
        let mut rest = RestOfLine::new(ends, b"x");
        let (head, tail) = text.split_at(cut);
        let (passed, end) = match (rest.pass(head), rest.pass(tail)) {
            (Some(end), _) => (0, end),
            (None, Some(end)) => (head.len(), end),
            (None, None) => (text.len(), rest.finish()),
        };
        (passed + end.next - end.length, end.length, end.lines)
    }

    #[test]
    fn a_line_ends_where_it_does_wherever_it_is_cut() {
        use RecordEnd::{Any, Cr, Lf};
        for (ends, text, expected) in [
            (Lf, &b"ab\ncd\n"[..], (2, 1, 1)),
            (Lf, b"ab\r\ncd", (2, 2, 1)),
            (Lf, b"a\rb\ncd", (3, 1, 1)),
            (Lf, b"abc", (3, 0, 0)),
            (Lf, b"abc\r", (3, 1, 0)),
            (Cr, b"ab\ncd\re", (5, 1, 1)),
            (Cr, b"ab\r\ncd", (2, 1, 1)),
            (Any, b"ab\rcd\n", (2, 1, 0)),
            (Any, b"ab\r\ncd", (2, 2, 1)),
            (Any, b"ab\ncd", (2, 1, 1)),
            (Any, b"ab\r\rcd", (2, 1, 0)),
            (Any, b"abc\r", (3, 1, 0)),
        ] {
            for cut in 0..=text.len() {
                assert_eq!(read(ends, text, cut), expected, "{ends:?} {text:?} {cut}");
            }
        }
    }
}
