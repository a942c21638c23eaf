//! The layout of delimited files: from samples to columns, and to a reader of them.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_text::charset::Charset;
use biotide_text::delimited::{
    ChunkDecoder, Column, ColumnType, DecodedChunk, Flaw, Given, HeaderOptions, Inference, Layout,
    OnBadValue, OnError, Place, Preamble, RecordEnd, RowFilter, Sniffed, Stop, infer_columns,
    lines_before_table, sniff,
};
use biotide_text::problem::Problem;
use encoding_rs::Encoding;

use super::options;
use crate::spec::{ChunkReader, Evidence, FileStart, SampledFile, TextLayout};

/// Every file of a table: the same columns.
#[derive(Debug, Clone)]
pub struct DelimitedLayout {
    layout: Arc<Layout>,
    header: HeaderOptions,
    /// How the dialect was found; lines before the table are looked for in every file, unless given.
    sniffed: Sniffed,
    skip_rows: Option<usize>,
    /// What the files are in, where that has to be made UTF-8.
    transcoded_from: Option<&'static Encoding>,
    /// The headers of the files as they stand there: where the columns have the same names, these may
    /// differ (R's leaves row_names out, some end with a delimiter).
    headers: Vec<Vec<String>>,
    /// The columns that the table shows, by their place in the file.
    shown: Vec<usize>,
    metadata_columns: bool,
    mean_record_bytes: f64,
    /// Columns whose type the user did not give.
    inferred: Vec<bool>,
}

impl DelimitedLayout {
    pub(super) fn infer(
        delimiter: u8,
        files: &[SampledFile],
        options: &BiotideOptions,
    ) -> Result<Self, BiotideError> {
        options::check(options, delimiter)?;
        let encoding = Self::encoding(files)?;
        let charset = Charset::of(encoding);
        let sniffed = Self::sniff(delimiter, files, options, charset.unwrap_or_default());
        let header = HeaderOptions {
            header: sniffed.header,
            skip_rows: 0,
            column_names: options.column_names.as_ref().map(|names| names.0.clone()),
        };
        let given = options::schema(options)?;
        let mut headers: Vec<Vec<String>> = Vec::new();
        let mut trailing_delimiter = false;
        let mut found: Option<(Layout, Preamble, &str)> = None;
        let mut evidence: Option<Inference> = None;
        let mut empty = None;
        for file in files {
            let (mut layout, preamble) =
                match Self::of_file(&sniffed, file, options, &header, &given)? {
                    Some(found) => found,
                    None => {
                        empty = empty.or(Some(&file.name));
                        continue;
                    }
                };
            if !headers.contains(&preamble.header) {
                headers.push(preamble.header.clone());
            }
            trailing_delimiter |= layout.trailing_delimiter;
            if let Some((first, known, name)) = &found {
                // Without a row a header does not tell whether it leaves row_names out, or ends with a
                // delimiter: then another file with this header does.
                let same_header = !preamble.header.is_empty() && preamble.header == known.header;
                match (known.records, preamble.records) {
                    (_, 0) if same_header => continue,
                    (0, _) if same_header => found = None,
                    _ => Self::same_columns(first, &layout, &file.name, name)?,
                }
            }
            let more = infer_columns(&mut layout, &file.sample, preamble.data_start);
            match &mut evidence {
                Some(evidence) if found.is_some() => evidence.merge(&more),
                evidence => *evidence = Some(more),
            }
            found = found.or(Some((layout, preamble, &file.name)));
        }
        let Some((mut layout, ..)) = found else {
            let problem = "the file is empty: there is no header to take columns from; give \
                           column_names or schema";
            return Err(BiotideError::file(empty.map_or("", |name| name), problem));
        };
        layout.trailing_delimiter = trailing_delimiter;
        let all: Vec<usize> = (0..layout.columns.len()).collect();
        let mut this = Self {
            inferred: vec![true; all.len()],
            layout: Arc::new(Layout::new(layout.dialect.clone(), Vec::new())),
            header,
            sniffed,
            skip_rows: options.skip_rows,
            transcoded_from: charset.is_none().then_some(encoding),
            headers,
            shown: all,
            metadata_columns: options.metadata_columns.unwrap_or(false),
            mean_record_bytes: 100.0,
        };
        if let Some(evidence) = &evidence {
            let types = evidence.types(&layout);
            for (column, ty) in layout.columns.iter_mut().zip(types) {
                column.ty = ty;
            }
            this.mean_record_bytes = evidence.mean_record_bytes().unwrap_or(100.0).max(2.0);
        }
        if options.all_text == Some(true) {
            layout
                .columns
                .iter_mut()
                .for_each(|column| column.ty = ColumnType::Text);
        }
        for (name, ty) in &given {
            let Some(at) = options::position(&layout, name) else {
                return Err(options::unknown("schema", name, &layout));
            };
            layout.columns[at] = Column::new(std::mem::take(&mut layout.columns[at].name), *ty);
            this.inferred[at] = false;
        }
        if options.all_text == Some(true) {
            this.inferred.fill(false);
        }
        if let Some(columns) = &options.columns {
            let place = |name: &String| {
                options::position(&layout, name)
                    .ok_or_else(|| options::unknown("columns", name, &layout))
            };
            this.shown = columns.0.iter().map(place).collect::<Result<_, _>>()?;
            let mut seen = HashSet::new();
            if let Some(twice) = this.shown.iter().find(|place| !seen.insert(**place)) {
                return Err(BiotideError::Option {
                    key: "columns".to_owned(),
                    value: layout.columns[*twice].name.clone(),
                    problem: "is named twice; name every column once, and SELECT it twice"
                        .to_owned(),
                });
            }
        }
        this.layout = Arc::new(layout);
        Ok(this)
    }

    pub(super) fn is_enough(
        delimiter: u8,
        head: &[u8],
        options: &BiotideOptions,
    ) -> Result<bool, BiotideError> {
        options::check(options, delimiter)?;
        let sniffed = sniff(head, false, &options::given(options, delimiter));
        let most = options::max_record_bytes(options)
            .unwrap_or_else(|| Layout::new(sniffed.dialect.clone(), Vec::new()).max_record_bytes);
        let header = HeaderOptions {
            header: sniffed.header,
            skip_rows: sniffed.skip_rows,
            column_names: options.column_names.as_ref().map(|names| names.0.clone()),
        };
        let preamble = Preamble::read(&sniffed.dialect, &header, head, false);
        // The header says how many columns there are only together with a row.
        Ok(head.len() > most || preamble.is_some_and(|preamble| preamble.records > 0))
    }

    /// The encoding of all files; one that shows no character beyond ASCII goes with any.
    fn encoding(files: &[SampledFile]) -> Result<&'static Encoding, BiotideError> {
        let mut known: Option<&SampledFile> = None;
        for file in files {
            let shows = Charset::of(file.encoding).is_none() || !file.sample.head.is_ascii();
            match known {
                Some(first) if shows && first.encoding != file.encoding => {
                    let problem = format!(
                        "its text looks like {}, that of {} like {}: read them one by one, or give the \
                         encoding",
                        file.encoding.name(),
                        first.name,
                        first.encoding.name()
                    );
                    return Err(BiotideError::file(&file.name, problem));
                }
                None if shows => known = Some(file),
                _ => {}
            }
        }
        let first = known.or(files.first());
        Ok(first.map_or(encoding_rs::UTF_8, |file| file.encoding))
    }

    /// The dialect of the first file that shows one.
    fn sniff(
        delimiter: u8,
        files: &[SampledFile],
        options: &BiotideOptions,
        charset: Charset,
    ) -> Sniffed {
        let given = Given {
            charset,
            ..options::given(options, delimiter)
        };
        let mut first = None;
        for file in files {
            let sniffed = sniff(&file.sample.head, file.sample.complete, &given);
            if sniffed.fields > 1 {
                return sniffed;
            }
            first = first.or(Some(sniffed));
        }
        first.unwrap_or_else(|| sniff(&[], true, &given))
    }

    /// How to read what stands before the records of a file; `None` if its start is too short to tell.
    fn header_of(&self, head: &[u8], eof: bool) -> Option<HeaderOptions> {
        let before = || {
            let fields = self.sniffed.fields;
            lines_before_table(head, eof, &self.layout.dialect, fields)
        };
        Some(HeaderOptions {
            skip_rows: self.skip_rows.or_else(before)?,
            ..self.header.clone()
        })
    }

    /// The untyped layout of one file; `None` where it is empty.
    fn of_file(
        sniffed: &Sniffed,
        file: &SampledFile,
        options: &BiotideOptions,
        header: &HeaderOptions,
        given: &[(String, ColumnType)],
    ) -> Result<Option<(Layout, Preamble)>, BiotideError> {
        let sample = &file.sample;
        let mut dialect = sniffed.dialect.clone();
        dialect.record_end = RecordEnd::of(&sample.head);
        let fields = sniffed.fields;
        let before = || lines_before_table(&sample.head, sample.complete, &dialect, fields);
        let header = &HeaderOptions {
            skip_rows: options.skip_rows.or_else(before).unwrap_or(0),
            ..header.clone()
        };
        let preamble = Preamble::read(&dialect, header, &sample.head, sample.complete);
        let Some(mut preamble) = preamble else {
            let n = sample.head.len();
            let problem = format!(
                "no header found in the first {n} bytes; is this a delimited text file? (A quote that \
                 is never closed hides the rest: try quote = 'none'.)"
            );
            return Err(BiotideError::file(&file.name, problem));
        };
        if preamble.names.is_empty() {
            if given.is_empty() {
                return Ok(None);
            }
            preamble.names = given.iter().map(|(name, _)| name.clone()).collect();
        }
        if let Some(names) = &options.column_names
            && let Some(warning) = preamble
                .warnings
                .iter()
                .find(|w| w.starts_with("column_names"))
        {
            debug_assert!(!names.0.is_empty());
            let hint = match header.header {
                true => "",
                false => "; columns that are declared name all that such a file has",
            };
            return Err(BiotideError::file(&file.name, format!("{warning}{hint}")));
        }
        for warning in &preamble.warnings {
            log::warn!("{}: {warning}", file.name);
        }
        let columns = preamble
            .names
            .iter()
            .map(|name| Column::new(name, ColumnType::Text));
        let mut layout = Layout::new(dialect, columns.collect());
        layout.trailing_delimiter = preamble.trailing_delimiter;
        options::apply(options, &mut layout)?;
        Ok(Some((layout, preamble)))
    }

    /// Refuses a file whose columns are others than the table's.
    fn same_columns(
        table: &Layout,
        other: &Layout,
        file: &str,
        first: &str,
    ) -> Result<(), BiotideError> {
        let names = |layout: &Layout| -> Vec<String> {
            layout
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect()
        };
        let (ours, theirs) = (names(table), names(other));
        if ours == theirs && table.dialect.record_end == other.dialect.record_end {
            return Ok(());
        }
        let missing = ours.iter().find(|name| !theirs.contains(name));
        let extra = theirs.iter().find(|name| !ours.contains(name));
        let difference = match (missing, extra) {
            (Some(name), _) => format!("it has no column \"{name}\""),
            (None, Some(name)) => format!("it has a column \"{name}\" more"),
            (None, None) if ours == theirs => "its line ends are others".to_owned(),
            (None, None) => "its columns stand in another order".to_owned(),
        };
        let problem = format!(
            "its header is not that of {first}: {difference}; read the files one by one, or name those \
             with the same header"
        );
        Err(BiotideError::file(file, problem))
    }

    /// A layout without columns, for a table that is only written to.
    pub(crate) fn of_no_file() -> Self {
        Self {
            layout: Arc::new(Layout::new(
                biotide_text::delimited::Dialect::tsv(),
                Vec::new(),
            )),
            header: HeaderOptions::default(),
            sniffed: sniff(
                &[],
                true,
                &options::given(&BiotideOptions::default(), b'\t'),
            ),
            skip_rows: None,
            transcoded_from: None,
            headers: Vec::new(),
            shown: Vec::new(),
            metadata_columns: false,
            mean_record_bytes: 100.0,
            inferred: Vec::new(),
        }
    }

    /// The text reader's layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl TextLayout for DelimitedLayout {
    fn schema(&self) -> SchemaRef {
        let full = ChunkDecoder::full_schema(&self.layout);
        let mut fields: Vec<_> = self
            .shown
            .iter()
            .map(|&i| Arc::clone(&full.fields()[i]))
            .collect();
        if self.metadata_columns {
            fields.extend(
                full.fields()
                    .iter()
                    .skip(self.layout.columns.len())
                    .cloned(),
            );
        }
        Arc::new(arrow::datatypes::Schema::new(fields))
    }

    fn mean_record_bytes(&self) -> f64 {
        self.mean_record_bytes
    }

    fn min_record_bytes(&self) -> u64 {
        let delimiters = self.layout.columns.len().saturating_sub(1);
        let bytes = delimiters * self.layout.dialect.delimiter.len() + 1;
        // One empty field alone is no record.
        bytes.max(2) as u64
    }

    fn shows_lines(&self) -> bool {
        self.metadata_columns
    }

    fn newline(&self) -> u8 {
        self.layout.dialect.record_end.byte()
    }

    fn transcoded_from(&self) -> Option<&'static Encoding> {
        self.transcoded_from
    }

    fn doubt(&self) -> Option<&'static str> {
        // Many a configuration file has three words a line: most lines.
        let words = self.layout.dialect.delimiter == b" " && self.sniffed.consistency < 0.95;
        (self.sniffed.fields < 2 || words).then_some(
            "no delimiter (tab, comma, semicolon, pipe, blank) splits its lines into the same number of \
             fields",
        )
    }

    fn start(&self, file: &str, head: &[u8], eof: bool) -> Result<Option<FileStart>, BiotideError> {
        let dialect = &self.layout.dialect;
        let preamble = self
            .header_of(head, eof)
            .and_then(|header| Preamble::skip(dialect, &header, head, eof));
        let Some(preamble) = preamble else {
            if head.len() > self.layout.max_record_bytes {
                let problem = "the header is longer than max_record_bytes";
                return Err(BiotideError::file(file, problem));
            }
            return Ok(None);
        };
        let is_empty = preamble.header.is_empty() && eof;
        let replaced = self.header.column_names.is_some();
        if self.header.header && !replaced && !is_empty && !self.headers.contains(&preamble.header)
        {
            let problem = "its header is not what it was when the table was planned";
            return Err(BiotideError::file(file, problem));
        }
        Ok(Some(FileStart {
            offset: preamble.data_start as u64,
            lines: preamble.lines,
        }))
    }

    fn reader(&self, projection: &[usize]) -> Result<Box<dyn ChunkReader>, BiotideError> {
        let columns = self.layout.columns.len();
        let place = |&i: &usize| match self.shown.get(i) {
            Some(&column) => column,
            None => columns + i - self.shown.len(),
        };
        let decoder = ChunkDecoder::new(
            Arc::clone(&self.layout),
            Some(projection.iter().map(place).collect()),
        );
        let decoder = decoder.map_err(|error| BiotideError::Text {
            file: "the reader".to_owned(),
            source: Box::new(error),
        })?;
        let shown = (0..self.shown.len() + 2).map(|i| place(&i)).collect();
        Ok(Box::new(DelimitedReader { decoder, shown }))
    }

    fn fails_on_error(&self) -> bool {
        self.layout.on_error == OnError::Fail || self.layout.on_bad_value == OnBadValue::Fail
    }

    fn widen(&self, evidence: &mut Evidence, records: &[u8]) {
        let columns = self.layout.columns.len();
        let inference = evidence.0.get_or_insert_with(|| Inference::new(columns));
        inference.observe_records(&self.layout, records, 0, true);
    }

    fn with_evidence(&self, evidence: Evidence) -> Arc<dyn TextLayout> {
        let mut this = self.clone();
        if let Some(evidence) = evidence.0 {
            let mut layout = (*self.layout).clone();
            let types = evidence.types(&layout);
            let inferred = layout.columns.iter_mut().zip(&self.inferred).zip(types);
            for ((column, _), ty) in inferred.filter(|((_, inferred), _)| **inferred) {
                column.ty = ty;
            }
            this.layout = Arc::new(layout);
        }
        Arc::new(this)
    }
}

/// A chunk decoder, with columns counted as the table shows them.
#[derive(Debug)]
struct DelimitedReader {
    decoder: ChunkDecoder,
    shown: Vec<usize>,
}

/// A filter whose columns are counted as the file has them.
struct Shifted<'a> {
    filter: &'a mut dyn RowFilter,
    columns: Vec<usize>,
}

impl RowFilter for Shifted<'_> {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn keep(
        &mut self,
        batch: &arrow::array::RecordBatch,
    ) -> Result<arrow::array::BooleanArray, Box<dyn std::error::Error + Send + Sync>> {
        self.filter.keep(batch)
    }
}

impl ChunkReader for DelimitedReader {
    fn index(
        &mut self,
        bytes: &[u8],
        from: usize,
        limit: usize,
        eof: bool,
        filtered: bool,
    ) -> biotide_text::Result<Stop> {
        self.decoder.index(bytes, from, limit, eof, filtered)
    }

    fn passed(&self) -> (u64, u64) {
        (
            self.decoder.records().records(),
            self.decoder.records().lines(),
        )
    }

    fn decode(
        &self,
        bytes: &Buffer,
        place: Place,
        filter: Option<&mut dyn RowFilter>,
        batch_rows: usize,
        limit: Option<usize>,
    ) -> biotide_text::Result<DecodedChunk> {
        let mut shifted = filter.map(|filter| Shifted {
            columns: filter
                .columns()
                .iter()
                .map(|&column| self.shown[column])
                .collect(),
            filter,
        });
        let filter = shifted.as_mut().map(|filter| filter as &mut dyn RowFilter);
        self.decoder
            .decode_limited(bytes, place, filter, batch_rows, limit)
    }

    fn describe(&self, bytes: &Buffer, place: Place, flaw: &Flaw) -> Problem {
        self.decoder.describe(bytes, place, flaw)
    }
}

#[cfg(test)]
mod tests {
    use biotide_text::sample::Sample;

    use super::*;
    use crate::compress::Codec;

    fn infer(texts: &[&str]) -> DelimitedLayout {
        let file = |(i, text): (usize, &&str)| SampledFile {
            name: format!("file {i}"),
            size: text.len() as u64,
            codec: Codec::None,
            encoding: encoding_rs::UTF_8,
            sample: Sample::whole(*text),
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
