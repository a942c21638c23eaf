//! Made-up tables with everything that can be wrong in them, and what must come of it: the rows, and the
//! reject log to the byte.

use std::collections::BTreeMap;

/// A generator of numbers that are the same every time.
#[derive(Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// What to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) seed: u64,
    pub(crate) delimiter: u8,
    /// Quoted fields, with line ends in them.
    pub(crate) quotes: bool,
    pub(crate) bytes: usize,
    /// Make records that are longer than this.
    pub(crate) max_record: Option<usize>,
    /// Of a thousand records, so many have a problem.
    pub(crate) bad: u64,
}

/// An entry of the reject log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) record: u64,
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) reason: &'static str,
    pub(crate) action: &'static str,
}

/// A file of the columns id, text, value, and what reading it must give.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    /// The rows as CSV, header included.
    pub(crate) csv: Vec<u8>,
    pub(crate) bad: Vec<Bad>,
    pub(crate) records: u64,
    pub(crate) delivered: u64,
    pub(crate) rejected: u64,
    pub(crate) blank: u64,
    lines: u64,
}

/// The types to read it with.
pub(crate) const SCHEMA: &str = "id:int64,text:text,value:int64";

const TEXTS: [&str; 8] = [
    "plain",
    "",
    "a longer text that does not fit into a view of twelve bytes",
    "β-Catenin",
    "x y  z",
    "don't",
    "5\" disk",
    "#1",
];
const QUOTED: [&str; 6] = [
    "two\nlines",
    "a, b\tc",
    "say \"hi\"",
    "\n\n\"\"\n,\t\n",
    "crlf\r\nin it\r",
    "α\nβ, \"γ\"\nδ",
];

impl Recipe {
    pub(crate) fn make(self) -> Made {
        let mut rng = Rng::new(self.seed);
        let mut made = Made::default();
        made.bytes.extend(self.join(&["id", "text", "value"]));
        made.bytes.push(b'\n');
        made.lines = 1;
        made.csv.extend_from_slice(b"id,text,value\n");
        let mut id = 0;
        while made.bytes.len() < self.bytes {
            id += 1;
            match rng.below(1000) {
                n if n < self.bad => self.bad_piece(id, &mut rng, &mut made),
                n if n < self.bad + 10 => self.blank(&mut rng, &mut made),
                _ => self.row(id, &mut rng, &mut made),
            }
        }
        made
    }

    fn join(self, fields: &[&str]) -> Vec<u8> {
        let delimiter = char::from(self.delimiter).to_string();
        fields.join(&delimiter).into_bytes()
    }

    /// A field as it stands in the file.
    fn field(self, text: &str) -> String {
        let special = |c| c == char::from(self.delimiter) || matches!(c, '\n' | '\r');
        let quoted = text.starts_with('"') || text.contains(special) || text.is_empty();
        match quoted && self.quotes {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_owned(),
        }
    }

    fn text(self, rng: &mut Rng) -> &'static str {
        let pick = rng.below(14) as usize;
        match TEXTS.get(pick) {
            Some(text) => text,
            None if self.quotes => QUOTED[pick - TEXTS.len()],
            None => TEXTS[pick - TEXTS.len()],
        }
    }

    fn line_end(rng: &mut Rng, made: &mut Made) {
        let end: &[u8] = if rng.below(4) == 0 { b"\r\n" } else { b"\n" };
        made.bytes.extend_from_slice(end);
    }

    fn row(self, id: u64, rng: &mut Rng, made: &mut Made) {
        let text = self.text(rng);
        let value = rng.below(100_000).to_string();
        let id = id.to_string();
        let from = made.bytes.len();
        made.bytes
            .extend(self.join(&[&id, &self.field(text), &value]));
        Self::line_end(rng, made);
        made.delivered(from, &id, text, &value);
        // Without quotes an empty field is NULL, not an empty text.
        debug_assert!(!self.quotes || made.bytes[from] != b'"');
        if !self.quotes && text.is_empty() {
            made.null_text(&id, &value);
        }
    }

    fn blank(self, rng: &mut Rng, made: &mut Made) {
        let from = made.bytes.len();
        Self::line_end(rng, made);
        made.blank += 1;
        made.record(from);
    }

    fn bad_piece(self, id: u64, rng: &mut Rng, made: &mut Made) {
        let id = id.to_string();
        let text = TEXTS[0];
        let kinds = if self.quotes { 9 } else { 5 };
        let kinds = kinds + if self.max_record.is_some() { 1 } else { 0 };
        match rng.below(kinds) {
            0 => self.rejected(rng, made, self.join(&[&id, text]), "too_few_fields"),
            1 => {
                let bytes = self.join(&[&id, text, "1", "2", "3"]);
                self.rejected(rng, made, bytes, "too_many_fields");
            }
            2 => {
                let mut bytes = self.join(&[&id, "caf\u{1}", "1"]);
                bytes
                    .iter_mut()
                    .filter(|b| **b == 1)
                    .for_each(|b| *b = 0xE9);
                self.rejected(rng, made, bytes, "invalid_utf8");
            }
            3 => self.nulled(rng, made, &id, "1.5", "bad_value"),
            4 => self.nulled(rng, made, &id, "99999999999999999999", "out_of_range"),
            n if !self.quotes || n == 9 => self.too_long(&id, rng, made),
            5 => {
                let bytes = self.join(&[&id, "\"closed\" too early", "1"]);
                self.rejected(rng, made, bytes, "text_after_quote");
            }
            6 => {
                // The quote spans lines and is followed by text: only its first line is lost.
                let bytes = self.join(&[&id, "\"first"]);
                self.rejected(rng, made, bytes, "text_after_quote");
                self.rejected(rng, made, self.join(&["second\" x", "1"]), "too_few_fields");
            }
            7 => {
                // A quote that is never meant as one: the next one closes it.
                let bytes = self.join(&[&id, "\"lone"]);
                self.rejected(rng, made, bytes, "text_after_quote");
                let from = made.bytes.len();
                made.bytes.extend(self.join(&[&id, "\"q\"", "7"]));
                Self::line_end(rng, made);
                made.delivered(from, &id, "q", "7");
            }
            _ => self.unterminated(&id, rng, made),
        }
    }

    fn rejected(self, rng: &mut Rng, made: &mut Made, bytes: Vec<u8>, reason: &'static str) {
        let (from, length) = (made.bytes.len(), bytes.len());
        made.bytes.extend(bytes);
        Self::line_end(rng, made);
        made.note(from, length, reason, "rejected");
        made.rejected += 1;
        made.record(from);
    }

    fn nulled(self, rng: &mut Rng, made: &mut Made, id: &str, value: &str, reason: &'static str) {
        let from = made.bytes.len();
        let bytes = self.join(&[id, TEXTS[0], value]);
        let length = bytes.len();
        made.bytes.extend(bytes);
        Self::line_end(rng, made);
        made.note(from, length, reason, "nulled");
        made.delivered(from, id, TEXTS[0], "");
    }

    fn too_long(self, id: &str, rng: &mut Rng, made: &mut Made) {
        let max = self.max_record.unwrap_or_default();
        // Just too long, or far too long.
        let more = if rng.below(2) == 0 { 1 } else { 3 * max };
        let mut bytes = self.join(&[id, "x", "1"]);
        let fill = max + more - bytes.len();
        bytes.splice(id.len() + 1..id.len() + 1, vec![b'y'; fill]);
        self.rejected(rng, made, bytes, "record_too_long");
    }

    /// A quote after which none comes for longer than a record may be. Without such a limit: a record
    /// just as long as it may be is none of these.
    fn unterminated(self, id: &str, rng: &mut Rng, made: &mut Made) {
        let Some(max) = self.max_record else {
            return self.rejected(rng, made, self.join(&[id]), "too_few_fields");
        };
        let bytes = self.join(&[id, "\"open"]);
        self.rejected(rng, made, bytes, "unterminated_quote");
        let from = made.bytes.len();
        while made.bytes.len() < from + max + 10 {
            let row = made.bytes.len();
            let value = rng.below(1000).to_string();
            made.bytes.extend(self.join(&[id, TEXTS[2], &value]));
            Self::line_end(rng, made);
            made.delivered(row, id, TEXTS[2], &value);
        }
    }
}

impl Made {
    /// Ends a record that started at `from`.
    fn record(&mut self, from: usize) {
        self.records += 1;
        self.lines += self.bytes[from..].iter().filter(|&&b| b == b'\n').count() as u64;
    }

    fn note(&mut self, from: usize, length: usize, reason: &'static str, action: &'static str) {
        self.bad.push(Bad {
            record: self.records + 1,
            line: self.lines + 1,
            offset: from as u64,
            length: length as u64,
            reason,
            action,
        });
    }

    fn delivered(&mut self, from: usize, id: &str, text: &str, value: &str) {
        self.delivered += 1;
        self.record(from);
        let quoted = text.is_empty() || text.contains([',', '"', '\n', '\r']);
        let text = match quoted {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_owned(),
        };
        let line = format!("{id},{text},{value}\n");
        self.csv.extend_from_slice(line.as_bytes());
    }

    /// The last row's text is NULL.
    fn null_text(&mut self, id: &str, value: &str) {
        let wrong = format!("{id},\"\",{value}\n");
        self.csv.truncate(self.csv.len() - wrong.len());
        self.csv
            .extend_from_slice(format!("{id},,{value}\n").as_bytes());
    }

    /// Problems by reason.
    pub(crate) fn reasons(&self) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for bad in &self.bad {
            *reasons.entry(bad.reason.to_owned()).or_insert(0) += 1;
        }
        reasons
    }
}

/// A table of so many rows that do not compress well.
pub(crate) fn hashed_rows(rows: u32) -> String {
    let row = |i: u32| format!("{i}\t{}\n", i.wrapping_mul(2_654_435_761));
    std::iter::once("id\thash\n".to_owned())
        .chain((0..rows).map(row))
        .collect()
}
