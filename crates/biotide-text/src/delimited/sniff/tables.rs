//! Several tables in one text, one below the other: a sheet's export, or an instrument's report.

use std::ops::Range;

use super::cells::{Cell, classify};
use super::{Given, header, is_blank, records, sniff};
use crate::chunk::columns::unquote;
use crate::delimited::preamble::after_lines;
use crate::delimited::{Dialect, RecordEnd};

/// The share of records of one shape that makes a block of lines a table of its own.
const LEAST_CONSISTENCY: f64 = 0.9;

/// Blocks of lines that are looked at.
const MOST: usize = 200;

/// One of the tables of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpan {
    /// Its lines, titles above it included, up to those of the next table.
    pub bytes: Range<usize>,
    /// Physical lines before it.
    pub lines: usize,
    /// Physical lines of it, blank ones and titles included.
    pub height: usize,
    /// Lines of it that are as wide as its header.
    pub rows: usize,
    /// Whether it goes on after the text that was looked at.
    pub open: bool,
}

/// The tables of a text, if it has more than one; `complete` says that it is all of the text. A table ends at
/// a blank line (or one of delimiters only) below which another header stands: other columns, the same
/// names again, or words over numbers. What is given of header and first line holds for none of them.
pub fn tables(bytes: &[u8], complete: bool, given: &Given) -> Vec<TableSpan> {
    let newline = RecordEnd::of(bytes).byte();
    let blocks = blocks(bytes, complete, newline);
    if blocks.len() < 2 {
        return Vec::new();
    }
    // (Nor what is given of the dialect, where that is found without: so tables have the same numbers
    // whatever is known of the one that is read.)
    let free = Given {
        delimiter: None,
        quote: None,
        escape: None,
        header: None,
        header_rows: None,
        skip_rows: None,
        ..given.clone()
    };
    let given = Given {
        header: None,
        header_rows: None,
        skip_rows: None,
        ..given.clone()
    };
    let tall = blocks.iter().filter(|block| block.height > 1).take(MOST);
    let heads = tall.filter_map(|block| {
        let text = &bytes[block.bytes.clone()];
        let head = Head::of(text, &free).or_else(|| Head::of(text, &given))?;
        Some((block, head))
    });
    let heads: Vec<(&Block, Head)> = heads.collect();
    let again = |head: &Head| heads.iter().filter(|(_, h)| h.names == head.names).count() > 1;
    let own = heads
        .iter()
        .filter(|(_, head)| head.is_own() || head.header && again(head));
    let mut starts: Vec<(&Block, &Head)> = Vec::new();
    for (block, head) in own {
        if starts
            .last()
            .is_none_or(|(_, above)| head.starts_another(above))
        {
            starts.push((block, head));
        }
    }
    if starts.len() < 2 {
        return Vec::new();
    }
    let lines = memchr::memchr_iter(newline, bytes).count();
    // What stands above the first table is found as any preamble is; of the others a title is theirs.
    let mut edges = vec![(0, 0)];
    for (block, _) in &starts[1..] {
        let i = blocks.partition_point(|other| other.line < block.line);
        let title = blocks[..i].last().filter(|title| {
            let text = &bytes[title.bytes.clone()];
            title.height == 1 && !text.iter().any(|byte| b"\t,;|".contains(byte))
        });
        let first = title.unwrap_or(block);
        edges.push((first.bytes.start, first.line));
    }
    edges.push((
        bytes.len(),
        lines.max(blocks.last().map_or(0, |b| b.line + b.height)),
    ));
    let span = |(i, pair): (usize, &[(usize, usize)])| TableSpan {
        bytes: pair[0].0..pair[1].0,
        lines: pair[0].1,
        height: pair[1].1 - pair[0].1,
        rows: heads
            .iter()
            .filter(|(block, _)| (starts[i].0.line..pair[1].1).contains(&block.line))
            .filter(|(_, head)| head.fields == starts[i].1.fields)
            .map(|(block, _)| block.height)
            .sum(),
        open: i + 1 == starts.len() && !complete,
    };
    edges.windows(2).enumerate().map(span).collect()
}

/// Lines between blank ones.
#[derive(Debug)]
struct Block {
    bytes: Range<usize>,
    /// Physical lines before it.
    line: usize,
    height: usize,
}

/// The blocks of a text. A last line that is cut off is left out.
fn blocks(bytes: &[u8], complete: bool, newline: u8) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut at, mut line) = (0, 0);
    let mut joins = false;
    // Whether a quote is open: then a blank line is a field's.
    let mut open = false;
    while at < bytes.len() {
        let end = match memchr::memchr(newline, &bytes[at..]) {
            Some(i) => at + i + 1,
            None if complete => bytes.len(),
            None => break,
        };
        let text = &bytes[at..end];
        let is_blank = !open && text.iter().all(|byte| b"\r\n \t,;|".contains(byte));
        open ^= memchr::memchr_iter(b'"', text).count() % 2 == 1;
        match blocks.last_mut() {
            _ if is_blank => {}
            Some(block) if joins => {
                block.bytes.end = end;
                block.height += 1;
            }
            _ => blocks.push(Block {
                bytes: at..end,
                line,
                height: 1,
            }),
        }
        joins = !is_blank;
        at = end;
        line += 1;
    }
    blocks
}

/// What the start of a block shows, if it is a table of its own.
struct Head {
    dialect: Dialect,
    fields: usize,
    names: Vec<Vec<u8>>,
    header: bool,
    /// Records there are: 3 stands for more.
    records: usize,
    /// Whether a column shows that the first record names the columns: words over numbers.
    certain: bool,
    /// Columns of numbers or dates.
    typed: Vec<bool>,
}

impl Head {
    fn of(block: &[u8], given: &Given) -> Option<Self> {
        let sniffed = sniff(block, true, given);
        let Dialect { record_end, .. } = sniffed.dialect;
        // Titles may have as many words each.
        let prose = is_blank(&sniffed.dialect.delimiter) && given.delimiter.is_none();
        if sniffed.fields < 2 || sniffed.consistency < LEAST_CONSISTENCY || prose {
            return None;
        }
        let at = after_lines(block, record_end.byte(), sniffed.skip_rows)?;
        let mut rows = records(block, at, true, &sniffed.dialect);
        let first = rows.next()?;
        let value = |field: &Range<usize>| {
            let (value, _) = unquote(&sniffed.dialect, &block[field.clone()]);
            value.trim_ascii().to_vec()
        };
        let names: Vec<Vec<u8>> = first.fields.iter().map(value).collect();
        Some(Self {
            header: sniffed.header && names.iter().all(|name| classify(name) == Cell::Text),
            records: 1 + rows.take(2).count(),
            certain: header::is_certain(block, true, &sniffed.dialect, sniffed.skip_rows),
            typed: header::typed(block, true, &sniffed.dialect, sniffed.skip_rows),
            dialect: sniffed.dialect,
            fields: sniffed.fields,
            names,
        })
    }

    /// Whether this is a table by itself: it has a header, and more of rows and columns than notes, or names
    /// with values, have.
    fn is_own(&self) -> bool {
        let (wide, tall) = (self.fields > 2, self.records > 2);
        self.header && (wide && tall || self.certain && (wide || tall) && self.records > 1)
    }

    /// Whether a table with this head is another one than the one above it.
    fn starts_another(&self, above: &Self) -> bool {
        let same_shape =
            self.fields == above.fields && self.dialect.delimiter == above.dialect.delimiter;
        if !same_shape || self.names == above.names {
            return true;
        }
        // A row of it has no words where numbers are: not in two columns, and no two the same.
        let words = |(name, typed): &(&Vec<u8>, &bool)| **typed && !header::is_missing(name);
        let odd = self.names.iter().zip(&above.typed).filter(words).count();
        let mut names = self.names.clone();
        names.sort_unstable();
        names.dedup();
        odd > 1 && names.len() == self.names.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, usize, usize)> {
        let given = Given {
            usual: b',',
            ..Given::default()
        };
        let spans = tables(text.as_bytes(), true, &given);
        let span = |s: &TableSpan| (&text[s.bytes.clone()], s.lines, s.height);
        spans.iter().map(span).collect()
    }

    #[test]
    fn tables_below_each_other_are_told_apart() {
        let first = "Samples\n\nid,age,sex\nS1,30,F\nS2,40,M\n\n";
        let second = "Assays\n\nassay,unit,by,lot\nA,ng,x,1\nB,ml,y,2\n\n";
        let third = "Total,3\n\nassay,value\nA,1.5\nB,2.5\n";
        let text = [first, second, third].concat();
        let second = text[first.len()..]
            .split("assay,value")
            .next()
            .unwrap_or("");
        assert_eq!(
            found(&text),
            [
                (first, 0, 6),
                (second, 6, 8),
                ("assay,value\nA,1.5\nB,2.5\n", 14, 3)
            ]
        );
        // As many columns, but words over its numbers.
        let first = "well,n,od\nA1,1,0.5\nA2,2,0.6\n\n";
        let second = "assay,limit,unit\nA,0.1,ng\nB,0.2,ml\n";
        assert_eq!(
            found(&format!("{first}{second}")),
            [(first, 0, 4), (second, 4, 3)]
        );
        // The same columns again, and lines of commas between.
        let first = "id,name\nS1,a\nS2,b\n,\n";
        let second = "id,name\nS3,c\nS4,d\n";
        let text = format!("{first}{second}");
        assert_eq!(found(&text), [(first, 0, 4), (second, 4, 3)]);
    }

    #[test]
    fn blank_lines_do_not_make_tables() {
        for text in [
            "id,name\nS1,a\n\nS2,b\nS3,c\n",
            "id,age\nS1,1\n\nS2,2\nS3,3\n",
            "id,age\nS1,1\n\nTotal,1\nMean,1\n",
            "id,note\nS1,\"two\n\nparts, of it\nand more, too\"\nS2,b\n",
            "title\n\nof it\n\nid,age\nS1,1\nS2,2\n\nSource: a, b\n",
            "Project,ABC\nBy,X\nPlate,7\n\nid,age,sex\nS1,1,F\nS2,2,M\n",
            "sample,group,ct\nA,x,20.1\nB,x,21.2\n\nNTC,x,Undetermined\nD,x,22\nE,x,23\n",
            "well,target,ct,by\nA,x,20.1,1\nB,x,21.2,2\n\nNTC,x,bad,bad\nD,x,22,1\nE,x,23,2\n",
            "Plate,P1\nDate,2021-01-02\n\nid,age,sex\nS1,1,F\nS2,2,M\n",
            "id,age\nS1,1\n\n\n",
            "id,age\nS1,1\n\nSource: a, b, c\nand: d, e, f\n",
            "",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
