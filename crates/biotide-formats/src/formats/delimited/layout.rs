//! The layout of delimited files: what is known of them once they were looked at.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_text::delimited::{
    Column, Dialect, HeaderOptions, Inference, Layout, Preamble, RecordEnd, lines_before_table,
    notes_below, sniff,
};
use encoding_rs::Encoding;

use super::options;
use super::section::Choice;
use crate::formats::columns;
use crate::formats::reader::TableReader;
use crate::spec::{ChunkReader, Description, FileStart, TextLayout, Widening};

/// The files of a table: their columns, and those of each variant.
#[derive(Debug, Clone)]
pub struct DelimitedLayout {
    /// The table's columns: those of the first file, then what others have more.
    pub(super) table: Arc<Layout>,
    pub(super) variants: Vec<Variant>,
    /// How the start of a file may be read.
    pub(super) starts: Vec<Start>,
    pub(super) header: HeaderOptions,
    /// Lines before the table are looked for in every file, unless given.
    pub(super) skip_rows: Option<usize>,
    /// How the table to read is found, where a file has several.
    pub(super) choice: Option<Choice>,
    /// Whether notes below the table are looked for.
    pub(super) finds_notes: bool,
    /// What the files are in, where that has to be made UTF-8.
    pub(super) transcoded_from: Option<&'static Encoding>,
    /// The columns that the table shows.
    pub(super) shown: Vec<usize>,
    pub(super) metadata_columns: bool,
    pub(super) mean_record_bytes: f64,
    /// Columns whose type the user did not give.
    pub(super) inferred: Vec<bool>,
    /// The share of the first file's records that have as many fields as most.
    pub(super) consistency: f64,
    pub(super) description: Description,
}

/// How the start of a file may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) dialect: Dialect,
    /// Fields of most records.
    pub(super) fields: usize,
    /// Records that the header is of.
    pub(super) header_rows: usize,
}

/// Files with the same header.
#[derive(Debug, Clone)]
pub(in crate::formats) struct Variant {
    /// The header's fields as they stand there; none where there is no header.
    pub(in crate::formats) header: Vec<String>,
    pub(in crate::formats) layout: Arc<Layout>,
    /// For each of the table's columns, where it is in these files.
    pub(in crate::formats) places: Vec<Option<usize>>,
}

impl DelimitedLayout {
    /// A layout without columns, for a table that is only written to.
    pub(crate) fn of_no_file() -> Self {
        Self {
            table: Arc::new(Layout::new(Dialect::tsv(), Vec::new())),
            variants: Vec::new(),
            starts: Vec::new(),
            header: HeaderOptions::default(),
            skip_rows: None,
            choice: None,
            finds_notes: false,
            transcoded_from: None,
            shown: Vec::new(),
            metadata_columns: false,
            mean_record_bytes: 100.0,
            inferred: Vec::new(),
            consistency: 1.0,
            description: Description::default(),
        }
    }

    /// Whether these first bytes hold the header and a row.
    pub(in crate::formats) fn is_enough(
        delimiter: u8,
        head: &[u8],
        options: &BiotideOptions,
    ) -> Result<bool, BiotideError> {
        options::check(options, delimiter)?;
        let sniffed = sniff(head, false, &options::given(options, delimiter));
        let most = columns::max_record_bytes(options).unwrap_or(Layout::MAX_RECORD_BYTES);
        let header = options::header(options, &sniffed, sniffed.skip_rows);
        let preamble = Preamble::read(&sniffed.dialect, &header, head, false);
        // The header says how many columns there are only together with a row.
        Ok(head.len() > most || preamble.is_some_and(|preamble| preamble.records > 0))
    }

    /// The text reader's layout of the whole table.
    pub fn layout(&self) -> &Layout {
        &self.table
    }

    /// The files' variants.
    pub(in crate::formats) fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// Gives the columns of the table types, and so those of every variant.
    pub(in crate::formats) fn set_types(&mut self, columns: Vec<Column>) {
        for variant in &mut self.variants {
            let mut layout = (*variant.layout).clone();
            for (column, place) in columns.iter().zip(&variant.places) {
                if let Some(place) = place {
                    layout.columns[*place] = column.clone();
                }
            }
            variant.layout = Arc::new(layout);
        }
        let mut table = (*self.table).clone();
        table.columns = columns;
        self.table = Arc::new(table);
    }

    /// Whether a file is known by its header: by nothing else can columns be told.
    fn by_header(&self) -> bool {
        self.header.header && self.header.column_names.is_none()
    }

    fn variant(&self, dialect: &Dialect, header: &[String]) -> Option<usize> {
        let known = |variant: &Variant| {
            variant.layout.dialect == *dialect && (!self.by_header() || variant.header == header)
        };
        self.variants.iter().position(known)
    }
}

impl TextLayout for DelimitedLayout {
    fn schema(&self) -> SchemaRef {
        columns::schema_of(&self.table, &self.shown, self.metadata_columns)
    }

    fn mean_record_bytes(&self) -> f64 {
        self.mean_record_bytes
    }

    fn reads_anywhere(&self, _variant: usize) -> bool {
        true
    }

    fn min_record_bytes(&self, variant: usize) -> u64 {
        let layout = &self.variants[variant].layout;
        let delimiters = layout.columns.len().saturating_sub(1);
        let bytes = delimiters * layout.dialect.delimiter.bytes().len() + 1;
        // One empty field alone is no record.
        bytes.max(2) as u64
    }

    fn shows_lines(&self) -> bool {
        self.metadata_columns
    }

    fn record_end(&self, variant: usize) -> RecordEnd {
        self.variants[variant].layout.dialect.record_end
    }

    fn transcoded_from(&self) -> Option<&'static Encoding> {
        self.transcoded_from
    }

    fn describe(&self) -> Description {
        let shown = self.shown.iter();
        let evidence = shown.filter_map(|&i| self.description.evidence.get(i).cloned());
        Description {
            evidence: evidence.collect(),
            ..self.description.clone()
        }
    }

    fn doubt(&self) -> Option<&'static str> {
        let Start {
            dialect, fields, ..
        } = self.starts.first()?;
        // Many a configuration file has three words a line: most lines.
        let words = dialect.delimiter.bytes() == b" " && self.consistency < 0.95 && *fields < 5;
        (*fields < 2 || words).then_some(
            "no delimiter (tab, comma, semicolon, pipe, blank) splits its lines into the same number of \
             fields",
        )
    }

    fn start(&self, file: &str, head: &[u8], eof: bool) -> Result<Option<FileStart>, BiotideError> {
        let Some(choice) = &self.choice else {
            return self.start_of_table(file, head, eof);
        };
        if head.len() < Choice::BYTES && !eof {
            return Ok(None);
        }
        let Some(section) = choice.of(file, head, eof)? else {
            return self.start_of_table(file, head, eof);
        };
        let end = section.end();
        let bytes = section.bytes(head.len());
        let above = bytes.start as u64;
        let start = self.start_of_table(file, &head[bytes], eof || end.is_some())?;
        Ok(start.map(|start| FileStart {
            offset: start.offset + above,
            lines: start.lines + section.lines() as u64,
            end,
            ..start
        }))
    }

    fn finds_notes(&self) -> bool {
        self.finds_notes
    }

    fn notes_below(&self, variant: usize, tail: &[u8], whole: bool) -> Option<usize> {
        let layout = &self.variants[variant].layout;
        notes_below(tail, whole, layout)
    }

    fn reader(
        &self,
        variant: usize,
        projection: &[usize],
    ) -> Result<Box<dyn ChunkReader>, BiotideError> {
        let variant = &self.variants[variant];
        let places = self.shown.iter().map(|&i| variant.places[i]).collect();
        TableReader::open(
            Arc::clone(&variant.layout),
            self.schema(),
            places,
            projection,
        )
    }

    fn fails_on_error(&self) -> bool {
        self.table.fails()
    }

    fn widening(&self) -> Box<dyn Widening> {
        let columns = |variant: &Variant| Inference::new(variant.layout.columns.len());
        Box::new(Seen {
            variants: self.variants.iter().map(columns).collect(),
            layout: self.clone(),
        })
    }
}

impl DelimitedLayout {
    /// As [`TextLayout::start`], of a file of one table.
    fn start_of_table(
        &self,
        file: &str,
        head: &[u8],
        eof: bool,
    ) -> Result<Option<FileStart>, BiotideError> {
        let newline = RecordEnd::of(head).byte();
        // A file of one line has no line end to be known by.
        let any_of_it = self
            .starts
            .iter()
            .any(|start| start.dialect.record_end.byte() == newline);
        let mut waits = false;
        for start in &self.starts {
            let Start {
                dialect,
                fields,
                header_rows,
            } = start;
            if any_of_it && dialect.record_end.byte() != newline {
                continue;
            }
            let before = || lines_before_table(head, eof, dialect, *fields);
            let preamble = self.skip_rows.or_else(before).and_then(|skip_rows| {
                let header = HeaderOptions {
                    skip_rows,
                    rows: *header_rows,
                    ..self.header.clone()
                };
                Preamble::skip(dialect, &header, head, eof)
            });
            let Some(preamble) = preamble else {
                waits = true;
                continue;
            };
            let variant = match preamble.header.is_empty() && eof {
                true => Some(0),
                false => self.variant(dialect, &preamble.header),
            };
            if let Some(variant) = variant {
                return Ok(Some(FileStart {
                    offset: preamble.data_start as u64,
                    lines: preamble.lines,
                    end: None,
                    variant,
                }));
            }
        }
        let problem = match waits {
            true if head.len() <= self.table.max_record_bytes && !eof => return Ok(None),
            true => "the header is longer than max_record_bytes",
            false => "its header is not what it was when the table was planned",
        };
        Err(BiotideError::file(file, problem))
    }
}

/// What a look at all records shows of the types.
struct Seen {
    layout: DelimitedLayout,
    /// Of the columns of each variant.
    variants: Vec<Inference>,
}

impl Widening for Seen {
    fn observe(&mut self, variant: usize, records: &[u8], eof: bool) -> usize {
        let layout = &self.layout.variants[variant].layout;
        // Whole lines. One that a quote carries over a line end is looked at in halves, which have other
        // field counts and are left out: what is seen is never wrong, only less.
        let whole = match memchr::memrchr(layout.dialect.record_end.byte(), records) {
            _ if eof => records.len(),
            Some(i) => i + 1,
            None => 0,
        };
        self.variants[variant].observe_records(layout, &records[..whole], 0, true);
        whole
    }

    fn layout(mut self: Box<Self>) -> Result<Arc<dyn TextLayout>, BiotideError> {
        let mut columns = self.layout.table.columns.clone();
        let mut all = Inference::new(columns.len());
        for (variant, seen) in self.layout.variants.iter().zip(&self.variants) {
            all.merge(seen, &variant.places);
        }
        let types = all.types(&self.layout.table);
        let inferred = columns.iter_mut().zip(&self.layout.inferred).zip(types);
        for ((column, _), ty) in inferred.filter(|((_, inferred), _)| **inferred) {
            column.ty = ty;
        }
        self.layout.set_types(columns);
        Ok(Arc::new(self.layout))
    }
}

#[cfg(test)]
mod tests {
    use biotide_text::sample::Sample;

    use super::*;
    use crate::compress::Codec;
    use crate::spec::SampledFile;

    fn infer(texts: &[&str]) -> DelimitedLayout {
        let file = |(i, text): (usize, &&str)| SampledFile {
            name: format!("file {i}"),
            size: text.len() as u64,
            codec: Codec::None,
            blocks: false,
            encoding: encoding_rs::UTF_8,
            sample: Sample::whole(*text),
            companion: None,
        };
        let files: Vec<_> = texts.iter().enumerate().map(file).collect();
        DelimitedLayout::infer(b',', &files, &BiotideOptions::default()).unwrap()
    }

    #[test]
    fn a_file_starts_where_its_header_ends_whatever_of_the_rows_is_there() {
        let layout = infer(&["a,b\nr1,1,2\n", "row_names,a,b\nr2,3,4\n"]);
        for (head, offset) in [("a,b\nr1,1,2\nr2", 4), ("row_names,a,b\nr2", 14)] {
            let start = layout.start("file", head.as_bytes(), false).unwrap();
            assert_eq!(start.unwrap().offset, offset);
        }
        // A header that is one field short is known by the row below it.
        for head in ["a,b", "a,b\n", "a,b\nr1,1"] {
            let start = layout.start("file", head.as_bytes(), false).unwrap();
            assert_eq!(start, None, "{head}");
        }
        let error = layout.start("file", b"a,c\nr1,1,2\n", true).unwrap_err();
        assert!(error.to_string().contains("is not what it was"), "{error}");
    }

    #[test]
    fn one_file_that_ends_with_delimiters_is_enough() {
        let layout = infer(&["a,b\n1,2\n", "a,b\n1,2,\n"]);
        assert!(layout.layout().trailing_delimiter);
    }

    #[test]
    fn a_sample_is_enough_with_a_row() {
        let is_enough = |head: &[u8]| {
            DelimitedLayout::is_enough(b',', head, &BiotideOptions::default()).unwrap()
        };
        assert!(!is_enough(b"a,b"));
        assert!(!is_enough(b"a,b\n1,"));
        assert!(is_enough(b"a,b\n1,2\n"));
    }
}
