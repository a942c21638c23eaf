//! Which dialect a text is written in, where its table starts, and whether it has a header.
//!
//! Candidates are read with the reader itself, and scored by how alike their records are in shape and how
//! much their cells look like values (after van den Burg et al., *Wrangling messy CSV files by detecting
//! row and type patterns*, 2019). What the caller gives is never looked for; a file name's delimiter is
//! preferred where it makes as much sense.

mod cells;
mod header;
mod shape;
mod start;
mod tables;

use super::preamble::{SampleReader, without_mark};
use super::{Delimiter, Dialect, RecordEnd};
use crate::charset::Charset;
use shape::Shape;
pub use tables::{TableSpan, tables};

/// What is known before a look at the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The delimiter, if the caller named it.
    pub delimiter: Option<Delimiter>,
    /// The delimiter that the file's name stands for.
    pub usual: u8,
    /// The quote, or that there is none.
    pub quote: Option<Option<u8>>,
    /// The escape, or that there is none.
    pub escape: Option<Option<u8>>,
    /// The comment prefix.
    pub comment: Option<Vec<u8>>,
    /// Whether there is a header.
    pub header: Option<bool>,
    /// Records that it is of.
    pub header_rows: Option<usize>,
    /// Lines before the table.
    pub skip_rows: Option<usize>,
    /// Bytes to characters.
    pub charset: Charset,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Sniffed {
    /// How bytes become fields.
    pub dialect: Dialect,
    /// Physical lines before the table.
    pub skip_rows: usize,
    /// Whether the first record names the columns.
    pub header: bool,
    /// Records that the header is of.
    pub header_rows: usize,
    /// Fields of most records; 1 where no delimiter splits them.
    pub fields: usize,
    /// The share of the records that have so many, of those from the table's start on.
    pub consistency: f64,
}

/// Bytes that are looked at.
const WINDOW: usize = 64 << 10;

/// The most of them, where lines are long.
const WIDEST: usize = 4 << 20;

/// The share of records of one shape below which another delimiter than the usual one is no better.
const LEAST_CONSISTENCY: f64 = 0.6;

/// The same for columns that are only aligned.
const ALIGNED_CONSISTENCY: f64 = 0.8;

/// How much better another delimiter than the usual one must be.
const USUAL: f64 = 1.15;

/// Looks at the start of a text; `complete` says that it is all of it.
pub fn sniff(bytes: &[u8], complete: bool, given: &Given) -> Sniffed {
    let bytes = without_mark(bytes);
    let all = bytes;
    let (bytes, complete_table) = window(after_comments(bytes), complete);
    let end = RecordEnd::of(bytes);
    let mut best: Option<(f64, Dialect, Shape)> = None;
    for dialect in candidates(bytes, end, given) {
        let shape = Shape::of(bytes, complete_table, &dialect);
        let usual = dialect.delimiter.byte() == Some(given.usual);
        // A list of values is no table, because some of them hold a comma.
        let alike = shape.consistency() >= LEAST_CONSISTENCY && shape.starts_at_once();
        // Many a configuration file has two words a line.
        let few = dialect.delimiter == Delimiter::Blanks
            && (shape.fields() < 3 || shape.consistency() < ALIGNED_CONSISTENCY);
        // Prose may have as many words in every row: blanks are delimiters only where nothing else is.
        let makes_sense = |(_, other, shape): &(f64, Dialect, Shape)| {
            shape.fields() > 1
                && !is_blank(&other.delimiter)
                && shape.consistency() >= LEAST_CONSISTENCY
        };
        let prose = is_blank(&dialect.delimiter) && best.as_ref().is_some_and(makes_sense);
        // Two blanks everywhere are no empty column.
        let hollow = dialect.delimiter.byte() == Some(b' ') && shape.hollow();
        if given.delimiter.is_none() && !usual && (!alike || prose || few || hollow) {
            continue;
        }
        let score = shape.score() * if usual { USUAL } else { 1.0 };
        // Of equals the first: the plainer dialect. But an escape may put quotes in order.
        let is_better = best.as_ref().is_none_or(|(known, other, of_it)| {
            let orders = dialect.escape.is_some()
                && (&dialect.delimiter, dialect.quote) == (&other.delimiter, other.quote)
                && shape.stray() < of_it.stray();
            score > *known + 1e-9 || orders && score > *known - 1e-9
        });
        if is_better {
            best = Some((score, dialect, shape));
        }
    }
    let (dialect, shape) = match best {
        Some((_, dialect, shape)) => (dialect, shape),
        None => {
            let dialect = Dialect {
                record_end: end,
                charset: given.charset,
                ..Dialect::delimited_by(&[given.usual])
            };
            let shape = Shape::of(bytes, complete_table, &dialect);
            (dialect, shape)
        }
    };
    let (dialect, shape) = of_any_end(bytes, complete_table, dialect, shape);
    let skip_rows = match given.skip_rows {
        Some(lines) => lines,
        None => start::lines_before(all, complete, &dialect, shape.fields()).unwrap_or(0),
    };
    let header = match given.header {
        Some(header) => header,
        None => header::has(all, complete, &dialect, skip_rows),
    };
    let header_rows = match given.header_rows {
        Some(rows) => rows.max(1),
        None if header => header::rows(all, complete, &dialect, skip_rows),
        None => 1,
    };
    Sniffed {
        skip_rows,
        header,
        header_rows,
        fields: shape.fields(),
        consistency: shape.consistency(),
        dialect,
    }
}

/// The dialect with lines that end in any way, where more of the records are alike then, and no more of
/// them have stray quotes.
fn of_any_end(bytes: &[u8], complete: bool, dialect: Dialect, shape: Shape) -> (Dialect, Shape) {
    let lone = |at: usize| bytes.get(at + 1).is_some_and(|&next| next != b'\n');
    let mixed = dialect.record_end == RecordEnd::Lf
        && shape.fields() > 1
        && shape.coverage() < 1.0
        && memchr::memchr_iter(b'\r', bytes).any(lone);
    let any = Dialect {
        record_end: RecordEnd::Any,
        ..dialect.clone()
    };
    if !mixed || any.validate().is_err() {
        return (dialect, shape);
    }
    let of_any = Shape::of(bytes, complete, &any);
    // (Lines that are not told apart may look like more columns.)
    let better = of_any.fields() > 1
        && of_any.coverage() > shape.coverage()
        && of_any.stray() <= shape.stray();
    match better {
        true => (any, of_any),
        false => (dialect, shape),
    }
}

/// Physical lines before the table of a text whose dialect and number of fields are known: what [`sniff`]
/// finds. `None` where the text ends too early to tell.
pub fn lines_before_table(
    bytes: &[u8],
    complete: bool,
    dialect: &Dialect,
    fields: usize,
) -> Option<usize> {
    start::lines_before(without_mark(bytes), complete, dialect, fields)
}

/// Whether a line before a table is blank, or a comment in the manner of most formats.
pub fn is_note(line: &[u8]) -> bool {
    line.trim_ascii().is_empty() || start::is_comment(without_mark(line))
}

/// A text without the comments before its table (of which the last may be its header).
fn after_comments(bytes: &[u8]) -> &[u8] {
    let newline = RecordEnd::of(&bytes[..bytes.len().min(WINDOW)]).byte();
    let mut at = 0;
    while start::is_comment(&bytes[at..]) {
        match memchr::memchr(newline, &bytes[at..]) {
            Some(end) if at + end + 1 < bytes.len() => at += end + 1,
            // Nothing else: then that is the table.
            _ => return bytes,
        }
    }
    &bytes[at..]
}

/// The first bytes: some 64 KiB, and a few lines where those are longer.
fn window(bytes: &[u8], complete: bool) -> (&[u8], bool) {
    const LINES: usize = 8;
    let newline = RecordEnd::of(&bytes[..bytes.len().min(WINDOW)]).byte();
    let few = memchr::memchr_iter(newline, &bytes[..bytes.len().min(WIDEST)]).nth(LINES);
    let end = few.map_or(WIDEST, |end| end + 1).max(WINDOW);
    match bytes.get(..end) {
        Some(start) if bytes.len() > end => (start, false),
        _ => (bytes, complete),
    }
}

/// The dialects to try, plainer ones first.
fn candidates(bytes: &[u8], record_end: RecordEnd, given: &Given) -> Vec<Dialect> {
    let delimiters = match &given.delimiter {
        Some(delimiter) => vec![delimiter.clone()],
        None => {
            let mut delimiters = vec![Delimiter::from(&[given.usual][..])];
            let others = [&b"\t"[..], b",", b";", b"|", b", ", b"; ", b" "];
            let seen = |delimiter: &[u8]| memchr::memmem::find(bytes, delimiter).is_some();
            let others = others.into_iter().filter(|other| seen(other));
            delimiters.extend(others.filter(|&o| o != [given.usual]).map(Delimiter::from));
            let aligned = [&b"  "[..], b" \t", b"\t ", b"\n "].into_iter().any(seen);
            delimiters.extend(aligned.then_some(Delimiter::Blanks));
            delimiters
        }
    };
    let mut dialects = Vec::new();
    for delimiter in delimiters {
        // A quote is one only at the start of a field.
        let opens = |quote: u8| {
            let after = |before: &[u8]| {
                let mut needle = before.to_vec();
                needle.push(quote);
                memchr::memmem::find(bytes, &needle).is_some()
            };
            bytes.first() == Some(&quote) || after(delimiter.bytes()) || after(&[record_end.byte()])
        };
        let quotes = match given.quote {
            Some(quote) => vec![quote],
            None => {
                let mut quotes = vec![Some(b'"')];
                if opens(b'"') {
                    quotes.push(None);
                }
                if opens(b'\'') {
                    quotes.push(Some(b'\''));
                }
                quotes
            }
        };
        for quote in quotes {
            let escapes = match (given.escape, quote) {
                (Some(escape), _) => vec![escape],
                (None, _) if delimiter == Delimiter::Blanks => vec![None],
                (None, Some(quote)) if memchr::memmem::find(bytes, &[b'\\', quote]).is_some() => {
                    vec![None, Some(b'\\')]
                }
                (None, _) => vec![None],
            };
            for escape in escapes {
                let dialect = Dialect {
                    delimiter: delimiter.clone(),
                    quote,
                    escape,
                    comment: given.comment.clone(),
                    record_end,
                    charset: given.charset,
                };
                if dialect.validate().is_ok() {
                    dialects.push(dialect);
                }
            }
        }
    }
    dialects
}

/// Whether blanks stand between fields.
fn is_blank(delimiter: &Delimiter) -> bool {
    matches!(delimiter.bytes(), b" ")
}

/// The records of a text under a dialect, as byte ranges of their fields.
fn records<'a>(
    bytes: &'a [u8],
    at: usize,
    complete: bool,
    dialect: &Dialect,
) -> impl Iterator<Item = super::preamble::SampleRecord> + use<'a> {
    const MOST: usize = 1000;
    SampleReader::new(dialect, bytes, at, complete).take(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(usual: u8, text: &str) -> Sniffed {
        let given = Given {
            usual,
            ..Given::default()
        };
        sniff(text.as_bytes(), true, &given)
    }

    fn delimiter(usual: u8, text: &str) -> String {
        match found(usual, text).dialect.delimiter {
            Delimiter::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            Delimiter::Blanks => "blanks".to_owned(),
        }
    }

    #[test]
    fn the_delimiter_that_makes_records_alike_is_found() {
        for (usual, text, expected) in [
            (b',', "a,b,c\n1,2,3\n4,5,6\n", ","),
            (b'\t', "a,b,c\n1,2,3\n4,5,6\n", ","),
            (b',', "a\tb\tc\n1\t2\t3\n", "\t"),
            (b',', "name;value;n\nx;1,5;2\ny;2,75;3\nz;1,25;4\n", ";"),
            (b',', "id|name|npx\n1|a, b|2.5\n2|c, d|3.5\n", "|"),
            (b',', "id, name, npx\n1, TP53, 2.5\n2, MYC, 3.5\n", ", "),
            // Composites are no columns.
            (b'\t', "id\tnames\nP1\ta;b;c\nP2\tx\nP3\ty;z\n", "\t"),
            (b'\t', "gene\nTP53\nBRCA1\n", "\t"),
            // A list is none of its parts.
            (b',', "species\nHomo sapiens\nMus musculus\n", ","),
            (
                b'\t',
                "when\n2020-01-01 10:00:00\n2020-01-02 11:00:00\n",
                "\t",
            ),
            (b'\t', "value\n1,5\n2,7\n", "\t"),
            (b'\t', "pmids\n123;456\n789;12\n", "\t"),
            (
                b',',
                "id\nsp|P1|A_HUMAN\nsp|P2|B_HUMAN\nsp|P3|C_HUMAN\n",
                ",",
            ),
            (b'\t', "FID IID PHE\n1 a 2\n2 b 1\n3 c 1\n", " "),
            (
                b'\t',
                " CHR         SNP    BP  A1\n   1   rs3094315   752566  G\n  22  rs12562034  768448  A\n",
                "blanks",
            ),
            (b'\t', "aa  bb  cc\n11  12  13\n21  22  23\n", "blanks"),
            (
                b'\t',
                "F1  I1  0 0 1 2\nF2  I2  0 0 2 1\nF3  I3  0 0 2 1\n",
                "blanks",
            ),
            // Two blanks are one empty field where the others are one blank apart.
            (b'\t', "a b c\n1  3\n4 5 6\n7 8 9\n1 2 3\n", " "),
            // Prose is no table of words.
            (
                b',',
                "note\na line  of words\nand  a second\nof  three words\n",
                ",",
            ),
            (b',', "note\nthe first line of it\nand a second one\n", ","),
        ] {
            assert_eq!(delimiter(usual, text), expected, "{text}");
        }
    }

    #[test]
    fn quotes_and_escapes_are_found() {
        let apostrophe = found(b',', "a,b\n'x,1','y'\n'z,2','w'\n'u','v,3'\n");
        assert_eq!(apostrophe.dialect.quote, Some(b'\''));
        let backslash = found(b',', "a,b\n\"x \\\" , 1\",y\n\"z \\\" , 2\",w\n\"u\",v\n");
        assert_eq!(backslash.dialect.escape, Some(b'\\'));
        let plain = found(b',', "a,b\n\"x,1\",5'\n\"say \"\"hi\"\"\",6'\n");
        assert_eq!(
            (plain.dialect.quote, plain.dialect.escape),
            (Some(b'"'), None)
        );
        let escaped = found(b',', "a,b\n1,\"x \\\"y\\\"\"\n2,\"z\"\n3,\"\\\"\"\n");
        assert_eq!(escaped.dialect.escape, Some(b'\\'));
        let stray = found(b'\t', "a\tb\n5\" pipe\tx\n\"6\" pipe\ty\n7\tz\n");
        assert_eq!(stray.fields, 2);
    }

    #[test]
    fn lines_may_end_in_any_way() {
        let end = |text: &str| found(b',', text).dialect.record_end;
        assert_eq!(end("a,b\n1,2\r3,4\r\n5,6\n"), RecordEnd::Any);
        assert_eq!(
            end("a,b,c\r\n1,2,3\r4,5,6\n7,8,9\r1,2,3\r\n"),
            RecordEnd::Any
        );
        assert_eq!(end("a,b\r1,2\r3,4\r5,6\r"), RecordEnd::Cr);
        assert_eq!(end("a,b\r\n1,2\r\n3,4\n"), RecordEnd::Lf);
        // A line end in a field is none of a record.
        assert_eq!(end("a,b\n1,\"x\ry\"\n3,4\n"), RecordEnd::Lf);
        assert_eq!(end("a,b\n1,x\ry\n3,z\rw\n"), RecordEnd::Lf);
    }

    #[test]
    fn what_is_given_is_not_looked_for() {
        let given = Given {
            usual: b',',
            delimiter: Some(b","[..].into()),
            header: Some(false),
            skip_rows: Some(0),
            ..Given::default()
        };
        let sniffed = sniff(b"title\na;b\n1;2\n", true, &given);
        assert_eq!(sniffed.dialect.delimiter.bytes(), b",");
        assert_eq!((sniffed.header, sniffed.skip_rows), (false, 0));
    }

    #[test]
    fn lines_before_the_table_are_found() {
        for (text, lines) in [
            ("# one\n# two, three\na,b,c\n1,2,3\n4,5,6\n", 2),
            ("Report of the lab\n\na,b,c\n1,2,3\n4,5,6\n", 2),
            ("The title,,\na,b,c\n1,2,3\n4,5,6\n", 1),
            ("a,b,c\n1,2\n3,4,5\n6,7,8\n", 0),
            ("gene,GO terms\nA,1\nB,1,2,3,4,5,6\nB,1,2,3,4,5,6\n", 0),
            ("1,,,\n2,,,\n3,5,6,7\n4,5,6,7\n", 0),
            ("id,,,\nA,1,2,3\nB,4,5,6\n", 0),
            (
                "\"A title\nof two lines, and a comma\"\na,b,c\n1,2,3\n4,5,6\n",
                2,
            ),
            // R leaves the name of the first column out.
            ("a,b\nr1,1,2\nr2,3,4\n", 0),
            ("a,b\n1,2,3,4\n5,6,7,8\n", 0),
            ("#chrom,pos,id\n1,2,3\n4,5,6\n", 0),
            ("\u{FEFF}# one\na,b,c\n1,2,3\n", 1),
            ("# one\n#two\na,b,c\n1,2\n3,4\n5,6,7\n8,9\n", 2),
            ("a\nb\nc\n", 0),
        ] {
            assert_eq!(found(b',', text).skip_rows, lines, "{text}");
        }
    }

    #[test]
    fn titles_above_aligned_columns_are_found() {
        let rows = "  CHR   SNP   BP   P\n   1   rs1   10   0.5\n  22   rs22  200  0.25\n";
        for (titles, lines) in [
            ("Association results of the study\n\n", 2),
            ("Results\nof a study of five words\n\n\n", 4),
            ("", 0),
        ] {
            let sniffed = found(b'\t', &format!("{titles}{rows}"));
            assert_eq!((sniffed.fields, sniffed.skip_rows), (4, lines), "{titles}");
        }
        // Without a blank line a line of another width may be a row.
        let sniffed = found(b'\t', &format!("five words in a row\n{rows}{rows}"));
        assert!(sniffed.fields == 1 || sniffed.skip_rows == 0);
    }

    #[test]
    fn units_below_the_names_belong_to_the_header() {
        for (text, rows) in [
            ("id,npx,age\n,NPX,years\na,1.5,30\nb,2.5,40\nc,3.5,50\n", 2),
            ("id,npx,age\na,1.5,30\nb,2.5,40\nc,3.5,50\n", 1),
            ("id,npx,age\na,NA,ND\nb,2.5,40\nc,3.5,50\nd,1,2\n", 1),
            ("id,npx,age\na,>1000,--\nb,2.5,40\nc,3.5,50\nd,1,2\n", 1),
            (
                "name,start,end\nA,unknown,ongoing\nb,2020-01-01,2020-01-02\nc,2020-01-01,2020-01-02\nd,2020-01-01,2020-01-02\n",
                1,
            ),
            (
                "id,bmi,glucose\n,kg/m2,mmol/L\nb,2.5,40\nc,3.5,50\nd,1,2\n",
                2,
            ),
            (
                "id,bmi,glucose\n,(kg/m2),[µmol/l]\nb,2.5,40\nc,3.5,50\nd,1,2\n",
                2,
            ),
            ("a,b\nx,y\nz,w\nu,v\ns,t\n", 1),
            ("id,npx,age\n,NPX,years\n", 1),
        ] {
            assert_eq!(found(b',', text).header_rows, rows, "{text}");
        }
    }

    #[test]
    fn a_header_is_told_from_a_row() {
        for (text, header) in [
            ("id,name\n1,a\n2,b\n", true),
            ("1,a,9.5\n2,b,1.5\n3,c,7\n", false),
            ("1,O'Neil,45\n2,Smith,50\n3,Jones,51\n4,Brown,52\n", false),
            (
                "chr1,29553,31109,MIR1302-2HG\nchr1,34553,36081,FAM138A\nchr2,1,2,OR4F5\nchr2,1,2,A1\n",
                false,
            ),
            ("TP53,P04637\nMYC,P01106\n", true),
            ("gene,2019,2020\nTP53,1.5,2.5\nMYC,3.5,4.5\n", true),
            ("gene,1001,1002\nTP53,5,7\nMYC,3,4\nKRAS,8,0\n", true),
            (",1001,1002\nTP53,5,7\nMYC,3,4\nKRAS,8,0\n", true),
            ("eid,31-0.0\n1001,1\n1002,0\n1003,1\n", true),
            ("2020-01-01,x\n2020-01-02,y\n", false),
            ("g1,NA,5\ng2,3,6\ng3,4,7\ng4,5,8\n", false),
            (
                "actin,100,2.5\nTp53,200,3.5\nMyc,300,4.5\nEgfr,400,5.5\n",
                false,
            ),
            (
                "2020-01-01,10,>50\n2020-01-02,11,60\n2020-01-03,12,61\n2020-01-04,12,61\n",
                false,
            ),
            ("id,2020,2021\n5,1,2\n6,3,4\n7,3,4\n", true),
            ("1,2\n", true),
            ("a,b\n", true),
        ] {
            assert_eq!(found(b',', text).header, header, "{text}");
        }
    }
}
