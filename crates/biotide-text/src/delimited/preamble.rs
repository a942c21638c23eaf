//! What stands before the data: byte order mark, skipped lines, comments, the header.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::index::Indexer;
use super::quoted::Record;
use super::{Dialect, Layout, OnError};
use crate::chunk::RecordIndex;
use crate::chunk::columns::unquote;

/// How to read what stands before the data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HeaderOptions {
    /// Whether the first record names the columns.
    pub header: bool,
    /// Physical lines to skip before anything else is looked at.
    pub skip_rows: usize,
    /// Names that replace those of the header, or stand in for one.
    pub column_names: Option<Vec<String>>,
    /// Records that the header is of: names over units, for one. At least 1.
    pub rows: usize,
}

impl Default for HeaderOptions {
    fn default() -> Self {
        Self {
            header: true,
            skip_rows: 0,
            column_names: None,
            rows: 1,
        }
    }
}

/// What was found before the data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preamble {
    /// Where the first data record starts.
    pub data_start: usize,
    /// Newlines before it.
    pub lines: u64,
    /// The header's fields as they stand there, unquoted. Empty where there is no header.
    pub header: Vec<String>,
    /// Data records that were looked at.
    pub records: usize,
    /// The columns' names: unique, none blank. Empty where the text has neither header nor record.
    pub names: Vec<String>,
    /// Records may end with one more, empty, field.
    pub trailing_delimiter: bool,
    /// How many columns the text has, where another number of them was named.
    pub misnamed: Option<usize>,
    /// What was changed to make sense of the header.
    pub warnings: Vec<String>,
}

/// A record of a sample.
#[derive(Debug)]
pub(crate) struct SampleRecord {
    pub fields: Vec<Range<usize>>,
    pub end: usize,
    pub next: usize,
    /// Its quotes are not in order.
    pub stray: bool,
}

/// Reads records without knowing how many fields they should have.
pub(crate) struct SampleReader<'a> {
    bytes: &'a [u8],
    eof: bool,
    indexer: Indexer,
    index: RecordIndex,
    at: usize,
}

impl<'a> SampleReader<'a> {
    pub(crate) fn new(dialect: &Dialect, bytes: &'a [u8], at: usize, eof: bool) -> Self {
        let mut layout = Layout::new(dialect.clone(), Vec::new());
        layout.on_error = OnError::Lenient;
        let mut indexer = Indexer::new(Arc::new(layout));
        indexer.load_positions(bytes, at);
        Self {
            bytes,
            eof,
            indexer,
            index: RecordIndex::default(),
            at,
        }
    }

    pub(crate) fn dialect(&self) -> &Dialect {
        &self.indexer.layout.dialect
    }
}

impl Iterator for SampleReader<'_> {
    type Item = SampleRecord;

    /// The next record that is neither blank nor a comment; `None` also where it is cut off.
    fn next(&mut self) -> Option<SampleRecord> {
        while self.at < self.bytes.len() {
            let start = self.at;
            if self.indexer.is_comment(&self.bytes[start..]) {
                self.at = self.indexer.first_lines(self.bytes, start, self.eof)?.1;
                continue;
            }
            self.indexer.quoted.rewind(start);
            self.index.split.ends.clear();
            let record = self
                .indexer
                .record(self.bytes, start, self.eof, &mut self.index);
            let Record::Whole {
                end, next, problem, ..
            } = record
            else {
                return None;
            };
            self.at = next;
            if end == start {
                continue;
            }
            let mut from = start;
            let width = self.indexer.layout.dialect.delimiter.bytes().len();
            let range = |&end: &u32| {
                let range = from..end as usize;
                from = end as usize + width;
                range
            };
            let ends = &self.index.split.ends;
            let fields = match self.indexer.layout.dialect.has_pairs() {
                true => ends
                    .chunks_exact(2)
                    .map(|pair| pair[0] as usize..pair[1] as usize)
                    .collect(),
                false => ends.iter().map(range).collect(),
            };
            return Some(SampleRecord {
                fields,
                end,
                next,
                stray: problem.is_some(),
            });
        }
        None
    }
}

impl Preamble {
    /// Reads the preamble from the start of a text. `None` if more bytes are needed (never with `eof`).
    pub fn read(
        dialect: &Dialect,
        options: &HeaderOptions,
        bytes: &[u8],
        eof: bool,
    ) -> Option<Self> {
        let mut preamble = Self::skip(dialect, options, bytes, eof)?;
        let records = SampleReader::new(dialect, bytes, preamble.data_start, eof);
        let data: Vec<SampleRecord> = records.take(100).collect();
        if data.is_empty() && !eof && !options.header && options.column_names.is_none() {
            return None;
        }
        preamble.records = data.len();
        preamble.name_columns(options, bytes, &data, !dialect.has_pairs());
        Some(preamble)
    }

    /// The same without a look at the data: no names are given to the columns.
    pub fn skip(
        dialect: &Dialect,
        options: &HeaderOptions,
        bytes: &[u8],
        eof: bool,
    ) -> Option<Self> {
        let newline = dialect.record_end.byte();
        let mark = bytes.len() - without_mark(bytes).len();
        let at = match after_lines(&bytes[mark..], newline, options.skip_rows) {
            Some(at) => mark + at,
            None if eof => bytes.len(),
            None => return None,
        };
        let mut preamble = Self {
            data_start: at,
            ..Self::default()
        };
        if options.header {
            let mut records = SampleReader::new(dialect, bytes, at, eof);
            for _ in 0..options.rows.max(1) {
                let Some(record) = records.next() else {
                    if !eof {
                        return None;
                    }
                    preamble.data_start = bytes.len();
                    break;
                };
                preamble.data_start = record.next;
                for (i, range) in record.fields.iter().enumerate() {
                    let (value, _) = unquote(dialect, &bytes[range.clone()]);
                    let value = dialect.charset.decode(&value);
                    match preamble.header.get_mut(i) {
                        Some(name) => *name = format!("{name} {}", value.trim()).trim().to_owned(),
                        None => preamble.header.push(value.trim().to_owned()),
                    }
                }
            }
        }
        preamble.lines = memchr::memchr_iter(newline, &bytes[..preamble.data_start]).count() as u64;
        Some(preamble)
    }

    /// `may_trail`: whether lines can end with a delimiter.
    fn name_columns(
        &mut self,
        options: &HeaderOptions,
        bytes: &[u8],
        data: &[SampleRecord],
        may_trail: bool,
    ) {
        // A header has a field at least.
        let has_header = !self.header.is_empty();
        let mut names = match has_header {
            true => self.header.clone(),
            false => {
                let widest = commonest(data.iter().map(|record| record.fields.len()));
                vec![String::new(); widest]
            }
        };
        // The field counts of the records, and how often the last field holds something.
        let common = commonest(data.iter().map(|record| record.fields.len()));
        let last_is_empty = |record: &SampleRecord| {
            record
                .fields
                .last()
                .is_some_and(|last| bytes[last.clone()].trim_ascii().is_empty())
        };
        let wide = |n: usize| data.iter().filter(move |record| record.fields.len() == n);
        let all_end_empty = |n: usize| wide(n).next().is_some() && wide(n).all(last_is_empty);
        let given = options.column_names.as_ref().map(Vec::len);
        if may_trail
            && names.len() > 1
            && names.last().is_some_and(String::is_empty)
            && given != Some(names.len())
            && (data.is_empty() || wide(names.len()).all(last_is_empty))
            && (has_header || wide(names.len()).next().is_some())
        {
            // `a,b,` over `1,2,`: the last column is none. Without a header only if always empty.
            names.pop();
            self.trailing_delimiter = true;
        } else if has_header && common == names.len() + 1 {
            if may_trail && all_end_empty(common) {
                self.trailing_delimiter = true;
            } else {
                // R's write.table: the header does not name the column of row names.
                names.insert(0, "row_names".to_owned());
                self.warnings.push(
                    "the header has one field less than the rows: the first column is row_names"
                        .to_owned(),
                );
            }
        }
        if let Some(given) = &options.column_names {
            let is_known = !names.is_empty() && (has_header || !data.is_empty());
            self.misnamed = (is_known && given.len() != names.len()).then_some(names.len());
            names.clone_from(given);
        }
        self.names = unique_names(names, has_header, &mut self.warnings);
    }
}

/// A text without its byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Where so many physical lines have ended; `None` where there are not so many.
pub(crate) fn after_lines(bytes: &[u8], newline: u8, lines: usize) -> Option<usize> {
    match lines.checked_sub(1) {
        None => Some(0),
        Some(last) => Some(memchr::memchr_iter(newline, bytes).nth(last)? + 1),
    }
}

/// The commonest number, the largest of equals; 0 if there is none.
fn commonest(counts: impl Iterator<Item = usize>) -> usize {
    let mut tally = std::collections::BTreeMap::new();
    for n in counts {
        *tally.entry(n).or_insert(0usize) += 1;
    }
    tally
        .into_iter()
        .max_by_key(|&(n, times)| (times, n))
        .map_or(0, |(n, _)| n)
}

/// `x`, `x` becomes `x`, `x_2`; a blank seventh name `column_7`.
pub(crate) fn unique_names(
    names: Vec<String>,
    had_header: bool,
    warnings: &mut Vec<String>,
) -> Vec<String> {
    let mut seen: HashSet<String> = HashSet::new();
    let taken: HashSet<String> = names.iter().cloned().collect();
    let mut out = Vec::with_capacity(names.len());
    for (i, name) in names.into_iter().enumerate() {
        let mut unique = name.clone();
        if unique.is_empty() {
            unique = format!("column_{}", i + 1);
        }
        let base = unique.clone();
        let mut n = 1;
        while seen.contains(&unique) || (unique != name && taken.contains(&unique)) {
            n += 1;
            unique = format!("{base}_{n}");
        }
        if unique != name && had_header {
            let what = if name.is_empty() {
                "blank".to_owned()
            } else {
                format!("\"{name}\" again")
            };
            warnings.push(format!(
                "column {} is named {what}: it becomes \"{unique}\"",
                i + 1
            ));
        }
        seen.insert(unique.clone());
        out.push(unique);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Preamble {
        Preamble::read(
            &Dialect::csv(),
            &HeaderOptions::default(),
            text.as_bytes(),
            true,
        )
        .unwrap()
    }

    #[test]
    fn names_become_unique_and_none_is_blank() {
        let preamble = read("a,a,,a_2\n1,2,3,4\n");
        assert_eq!(preamble.names, ["a", "a_3", "column_3", "a_2"]);
        assert_eq!(preamble.data_start, 9);
        assert_eq!(preamble.warnings.len(), 2);
    }

    #[test]
    fn row_names_and_trailing_delimiters_are_told_apart() {
        assert_eq!(read("a,b\nr1,1,2\nr2,3,4\n").names, ["row_names", "a", "b"]);
        let trailing = read("a,b\n1,2,\n3,4,\n");
        assert_eq!(
            (trailing.names.len(), trailing.trailing_delimiter),
            (2, true)
        );
        let trailing = read("a,b,\n1,2,\n3,4\n");
        assert_eq!(
            (trailing.names.len(), trailing.trailing_delimiter),
            (2, true)
        );
        let named = read("a,b,\n1,2,x\n3,4,\n");
        assert_eq!((named.names.len(), named.trailing_delimiter), (3, false));
    }

    #[test]
    fn bom_skipped_lines_and_comments_come_first() {
        let mut dialect = Dialect::csv();
        dialect.comment = Some(b"#".to_vec());
        let options = HeaderOptions {
            skip_rows: 1,
            ..HeaderOptions::default()
        };
        let text = "\u{FEFF}title, \"open\n# x\n\n\"a\nb\",c\n1,2\n";
        let preamble = Preamble::read(&dialect, &options, text.as_bytes(), true).unwrap();
        assert_eq!(preamble.names, ["a\nb", "c"]);
        assert_eq!(preamble.lines, 5);
        assert_eq!(&text[preamble.data_start..], "1,2\n");
    }

    #[test]
    fn a_header_that_is_cut_off_asks_for_more() {
        let options = HeaderOptions::default();
        assert_eq!(
            Preamble::read(&Dialect::csv(), &options, b"a,b", false),
            None
        );
        assert!(Preamble::read(&Dialect::csv(), &options, b"a,b", true).is_some());
        assert_eq!(read("").names, Vec::<String>::new());
    }
}
