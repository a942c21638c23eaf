//! What cuts a cell into pieces.

use super::uniprot_parse::is_accession;

/// What cuts a cell: `;`, `,`, `|`, blanks, and more at will.
#[derive(Debug)]
pub(super) struct Cutter {
    pub(super) ascii: [bool; 128],
    pub(super) more: String,
}

impl Cutter {
    pub(super) fn new(more: &str) -> Self {
        let mut ascii = [false; 128];
        for (byte, cuts) in (0u8..).zip(&mut ascii) {
            let c = char::from(byte);
            *cuts = matches!(c, ';' | ',' | '|') || c.is_whitespace() || more.contains(c);
        }
        Self {
            ascii,
            more: more.to_owned(),
        }
    }

    pub(super) fn cuts(&self, c: char) -> bool {
        match self.ascii.get(c as usize) {
            Some(cuts) => *cuts,
            None => c == '\u{feff}' || c.is_whitespace() || self.more.contains(c),
        }
    }

    /// Where a text is cut first; its end if nowhere.
    pub(super) fn end(&self, text: &str) -> usize {
        for (at, &byte) in text.as_bytes().iter().enumerate() {
            match self.ascii.get(usize::from(byte)) {
                Some(false) => {}
                Some(true) => return at,
                None => {
                    let rest = text.get(at..).unwrap_or("");
                    return at + rest.find(|c| self.cuts(c)).unwrap_or(rest.len());
                }
            }
        }
        text.len()
    }

    /// Where a FASTA identifier ends with what its header says of it, which has blanks and commas of its own: at a
    /// semicolon, or where another identifier begins.
    fn fasta_end(&self, text: &str) -> usize {
        let ends = |&(at, c): &(usize, char)| {
            let next = text[at..].trim_start_matches(|c| self.cuts(c));
            let word = next.split(|c| self.cuts(c)).next().unwrap_or("");
            let starts = is_fasta(next) || next.is_empty() || is_accession(word.as_bytes());
            c != '|' && self.cuts(c) && (matches!(c, ';' | '\n') || starts)
        };
        text.char_indices()
            .find(ends)
            .map_or(text.len(), |(at, _)| at)
    }

    /// The first piece of a text and what comes after it. The bars of a FASTA identifier (`sp|P12345|NAME`) cut
    /// nothing.
    pub(super) fn piece<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        let start = text.trim_start_matches(|c| self.cuts(c));
        if start.is_empty() {
            return None;
        }
        let mut end = self.end(start);
        if start.as_bytes().get(end) == Some(&b'|') && is_fasta(start) {
            end = self.fasta_end(start);
        }
        Some(start.split_at(end))
    }
}

/// Whether a text begins as FASTA identifiers do.
fn is_fasta(text: &str) -> bool {
    let bare = text.trim_start_matches('>').trim_start_matches("REV__");
    let bare = bare.trim_start_matches("CON__");
    ["sp|", "tr|"].iter().any(|db| bare.starts_with(db))
}
