//! From samples of files to the layout of their table.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::options::{BiotideOptions, Bytes, OneByte, OptionValue};
use biotide_text::charset::Charset;
use biotide_text::delimited::{
    Column, ColumnType, Given, HeaderOptions, Inference, Layout, Preamble, RecordEnd, Sniffed,
    infer_columns, is_note, lines_before_table, sniff,
};
use biotide_text::sample::Sample;
use encoding_rs::Encoding;

use super::evolve::Columns;
use super::layout::{DelimitedLayout, Start, Variant};
use super::options;
use super::section::{Choice, Section};
use crate::formats::columns;
use crate::spec::{Description, SampledFile};

/// The share of records of one shape from which on a file has a dialect of its own.
const LEAST_CONSISTENCY: f64 = 0.6;

/// Files of one header, as their samples show them.
struct Found<'a> {
    /// The first of them.
    file: &'a str,
    layout: Layout,
    preamble: Preamble,
    evidence: Inference,
}

/// What the caller says, and what holds for all files.
struct Plan<'a> {
    options: &'a BiotideOptions,
    header: HeaderOptions,
    given: Vec<(String, ColumnType)>,
    /// Whether every file must have the columns of the first, in their order.
    strict: bool,
    description: Description,
}

impl DelimitedLayout {
    /// The layout of files, whose names stand for this delimiter.
    pub(in crate::formats) fn infer(
        delimiter: u8,
        files: &[SampledFile],
        options: &BiotideOptions,
    ) -> Result<Self, BiotideError> {
        options::check(options, delimiter)?;
        let encoding = columns::encoding(files)?;
        let charset = Charset::of(encoding);
        let given = Given {
            charset: charset.unwrap_or_default(),
            ..options::given(options, delimiter)
        };
        let choice = Choice {
            given: given.clone(),
            table: options.table,
        };
        let mut sections = Vec::with_capacity(files.len());
        for file in files {
            let Sample { head, complete, .. } = &file.sample;
            sections.push(choice.of(&file.name, head, *complete)?);
        }
        let tables = files.iter().zip(&sections);
        let tables = tables.map(|(file, section)| match section {
            Some(section) => Cow::Owned(section.of_sample(file)),
            None => Cow::Borrowed(file),
        });
        let tables: Vec<Cow<'_, SampledFile>> = tables.collect();
        let (of_file, first) = first_dialect(&tables, &given);
        let mut plan = Plan {
            description: describe(&first, encoding, sections.first().and_then(Option::as_ref)),
            options,
            header: options::header(options, &first, 0),
            given: columns::schema(options)?,
            // Without names nothing but its place tells what a column is.
            strict: options.strict_schema == Some(true)
                || !first.header
                || options.column_names.is_some(),
        };
        let mut starts: Vec<Start> = Vec::new();
        let mut found: Vec<Found<'_>> = Vec::new();
        let mut empty = None;
        for (i, (file, section)) in tables.iter().zip(&sections).enumerate() {
            let lines = section.as_ref().map_or(0, Section::lines);
            if let Some(section) = section {
                plan.warn(format!("{}: {}", file.name, section.warning()));
            }
            let sniffed = match i == of_file {
                true => first.clone(),
                false => dialect_of(file, &first, &given),
            };
            let Some((layout, preamble)) = plan.of_file(&sniffed, file, lines)? else {
                empty = empty.or(Some(&file.name));
                continue;
            };
            let start = Start {
                dialect: layout.dialect.clone(),
                fields: sniffed.fields,
                header_rows: sniffed.header_rows,
            };
            if !starts.contains(&start) {
                starts.push(start);
            }
            plan.add(&mut found, file, layout, preamble)?;
        }
        if found.is_empty() {
            let problem = "the file is empty: there is no header to take columns from; give \
                           column_names or schema (which a step of a pipeline has not: leave the file out)";
            return Err(BiotideError::file(empty.map_or("", |name| name), problem));
        }
        let names = plan.columns(&found)?;
        let mut this = Self {
            inferred: Vec::new(),
            table: Arc::new(Layout {
                columns: names
                    .names()
                    .iter()
                    .map(|name| Column::new(name, ColumnType::Text))
                    .collect(),
                ..found[0].layout.clone()
            }),
            variants: Vec::with_capacity(found.len()),
            starts,
            header: plan.header,
            skip_rows: options.skip_rows,
            choice: sections.iter().any(Option::is_some).then_some(choice),
            finds_notes: options.skip_footer.is_none(),
            transcoded_from: charset.is_none().then_some(encoding),
            shown: Vec::new(),
            metadata_columns: options.metadata_columns.unwrap_or(false),
            mean_record_bytes: 100.0,
            consistency: first.consistency,
            description: plan.description,
        };
        let mut evidence = Inference::new(names.names().len());
        for (found, of_table) in found.into_iter().zip(names.places()) {
            let mut places = vec![None; names.names().len()];
            for (place, &column) in of_table.iter().enumerate() {
                places[column] = Some(place);
            }
            evidence.merge(&found.evidence, &places);
            this.variants.push(Variant {
                header: found.preamble.header,
                layout: Arc::new(found.layout),
                places,
            });
        }
        this.mean_record_bytes = evidence.mean_record_bytes().unwrap_or(100.0).max(2.0);
        this.description.evidence = (0..this.table.columns.len())
            .map(|column| evidence.evidence(column))
            .collect();
        let types = evidence.types(&this.table);
        let typed = this.table.columns.iter().zip(types);
        let typed = typed.map(|(column, ty)| Column {
            ty,
            inferred: true,
            ..column.clone()
        });
        this.set_types(typed.collect());
        let (columns, inferred) = columns::typed(options, &plan.given, &this.table)?;
        this.inferred = inferred;
        this.set_types(columns);
        this.shown = columns::shown(options, &this.table)?;
        Ok(this)
    }
}

/// The dialect of the first file that shows one, and which file that is.
fn first_dialect(files: &[Cow<'_, SampledFile>], given: &Given) -> (usize, Sniffed) {
    let mut first = None;
    for (i, file) in files.iter().enumerate() {
        let sniffed = sniff(&file.sample.head, file.sample.complete, given);
        if sniffed.fields > 1 {
            return (i, sniffed);
        }
        first = first.or(Some((i, sniffed)));
    }
    first.unwrap_or_else(|| (0, sniff(&[], true, given)))
}

/// The dialect of a file: that of the first, unless another makes more sense of this one.
fn dialect_of(file: &SampledFile, first: &Sniffed, given: &Given) -> Sniffed {
    let sample = &file.sample;
    let as_first = Given {
        delimiter: Some(first.dialect.delimiter.clone()),
        quote: Some(first.dialect.quote),
        escape: Some(first.dialect.escape),
        header: Some(first.header),
        ..given.clone()
    };
    let sniffed = sniff(&sample.head, sample.complete, &as_first);
    let fits = sniffed.fields > 1 && sniffed.skip_rows == 0 && sniffed.consistency > 0.999;
    if fits || first.fields < 2 || given.delimiter.is_some() {
        return sniffed;
    }
    let own = sniff(&sample.head, sample.complete, given);
    let is_better = sniffed.fields < 2
        || own.consistency > sniffed.consistency
        || own.skip_rows < sniffed.skip_rows;
    match own.fields > 1 && own.consistency >= LEAST_CONSISTENCY && is_better {
        true => own,
        false => sniffed,
    }
}

/// How the first file is written, and the options that say so.
fn describe(
    first: &Sniffed,
    encoding: &'static Encoding,
    section: Option<&Section>,
) -> Description {
    let dialect = &first.dialect;
    let delimiter = options::shown(&dialect.delimiter);
    let byte = |byte: Option<u8>| OneByte(byte).show();
    let mut description = Description {
        dialect: vec![
            format!("delimiter {}", word(&delimiter)),
            format!("quote {}", word(&byte(dialect.quote))),
        ],
        options: vec![
            ("delimiter", delimiter),
            ("quote", byte(dialect.quote)),
            ("header", first.header.to_string()),
            ("header_rows", first.header_rows.to_string()),
            ("skip_rows", first.skip_rows.to_string()),
            ("encoding", encoding.name().to_ascii_lowercase()),
        ],
        ..Description::default()
    };
    if let Some(escape) = dialect.escape {
        let escape = byte(Some(escape));
        description
            .dialect
            .push(format!("escape {}", word(&escape)));
        description.options.push(("escape", escape));
    }
    if let Some(comment) = &dialect.comment {
        let comment = Bytes(comment.clone()).show();
        description
            .dialect
            .push(format!("comments start with {}", word(&comment)));
        description.options.push(("comment", comment));
    }
    description.dialect.push(match dialect.record_end {
        RecordEnd::Lf => "lines end with LF or CRLF".to_owned(),
        RecordEnd::Cr => "lines end with CR".to_owned(),
        RecordEnd::Any => "lines end with LF, CRLF or CR".to_owned(),
    });
    let above = section.map_or(0, Section::lines);
    if let Some(Section { tables, chosen }) = section {
        let words = format!("table {} of {}", chosen + 1, tables.len());
        description.dialect.push(words);
        description
            .options
            .push(("table", (chosen + 1).to_string()));
    }
    description
        .dialect
        .push(match (first.header, above + first.skip_rows) {
            (true, lines) if first.header_rows > 1 => {
                format!(
                    "header of {} rows from line {}",
                    first.header_rows,
                    lines + 1
                )
            }
            (true, lines) => format!("header on line {}", lines + 1),
            (false, 0) => "no header".to_owned(),
            (false, lines) => format!("no header, records from line {}", lines + 1),
        });
    description
}

/// A name as it is, a sign in quotes.
fn word(shown: &str) -> String {
    match shown.chars().all(|c| c.is_ascii_alphabetic()) {
        true => shown.to_owned(),
        false => format!("'{shown}'"),
    }
}

impl Plan<'_> {
    /// Notes what is odd; of many files the first few are told at once.
    fn warn(&mut self, warning: String) {
        const TOLD: usize = 10;
        if self.description.warnings.len() < TOLD {
            log::warn!("{warning}");
        }
        self.description.warnings.push(warning);
    }

    /// The untyped layout of the table of one file, above which so many lines belong to other tables;
    /// `None` where it is empty.
    fn of_file(
        &mut self,
        sniffed: &Sniffed,
        file: &SampledFile,
        lines_above: usize,
    ) -> Result<Option<(Layout, Preamble)>, BiotideError> {
        let sample = &file.sample;
        let (mut dialect, fields) = (sniffed.dialect.clone(), sniffed.fields);
        if dialect.record_end != RecordEnd::Any {
            dialect.record_end = RecordEnd::of(&sample.head);
        }
        let before = || lines_before_table(&sample.head, sample.complete, &dialect, fields);
        let skip_rows = self.options.skip_rows.or_else(before).unwrap_or(0);
        let header = &HeaderOptions {
            skip_rows,
            rows: sniffed.header_rows,
            ..self.header.clone()
        };
        if self.options.header_rows.is_none() && sniffed.header_rows > 1 {
            self.warn(format!(
                "{}: its header is of {} rows, names over units (header_rows = 1 reads the second as a row)",
                file.name, sniffed.header_rows
            ));
        }
        let preamble = Preamble::read(&dialect, header, &sample.head, sample.complete);
        let Some(mut preamble) = preamble else {
            let n = sample.head.len();
            let problem = format!(
                "no header found in the first {n} bytes; is this a delimited text file? (A quote that \
                 is never closed hides the rest: try quote = 'none'.)"
            );
            return Err(BiotideError::file(&file.name, problem));
        };
        if self.options.skip_rows.is_none() && skip_rows > 0 {
            let newline = dialect.record_end.byte();
            let mut lines = sample.head.split(|&byte| byte == newline).take(skip_rows);
            if !lines.all(is_note) {
                self.warn(format!(
                    "{}: its table starts on line {}: what stands before it is taken for titles \
                     (skip_rows = 0 reads it)",
                    file.name,
                    lines_above + skip_rows + 1
                ));
            }
        }
        if preamble.names.is_empty() {
            if self.given.is_empty() {
                return Ok(None);
            }
            preamble.names = self.given.iter().map(|(name, _)| name.clone()).collect();
        }
        if let Some(columns) = preamble.misnamed {
            let named = header.column_names.as_ref().map_or(0, Vec::len);
            let hint = match header.header {
                true => "",
                false => "; columns that are declared name all that such a file has",
            };
            return Err(BiotideError::Misnamed {
                file: file.name.clone(),
                problem: format!(
                    "column_names names {named} columns, the file has {columns}{hint}"
                ),
            });
        }
        for warning in &preamble.warnings {
            self.warn(format!("{}: {warning}", file.name));
        }
        self.rename(&mut preamble.names, &file.name)?;
        let columns = preamble
            .names
            .iter()
            .map(|name| Column::new(name, ColumnType::Text));
        let mut layout = Layout::new(dialect, columns.collect());
        layout.trailing_delimiter = preamble.trailing_delimiter;
        columns::apply(self.options, &mut layout)?;
        Ok(Some((layout, preamble)))
    }

    /// Gives columns the names that `column_aliases` has for them.
    fn rename(&self, names: &mut [String], file: &str) -> Result<(), BiotideError> {
        let Some(aliases) = &self.options.column_aliases else {
            return Ok(());
        };
        for name in names.iter_mut() {
            if let Some((_, alias)) = aliases.0.iter().find(|(old, _)| old == name) {
                name.clone_from(alias);
            }
        }
        let mut seen = HashSet::new();
        match names.iter().find(|name| !seen.insert(*name)) {
            Some(twice) => {
                let problem =
                    format!("column_aliases gives two of its columns the name \"{twice}\"");
                Err(BiotideError::file(file, problem))
            }
            None => Ok(()),
        }
    }

    /// Adds a file to those of its header.
    fn add<'a>(
        &self,
        found: &mut Vec<Found<'a>>,
        file: &'a SampledFile,
        mut layout: Layout,
        preamble: Preamble,
    ) -> Result<(), BiotideError> {
        let evidence = infer_columns(&mut layout, &file.sample, preamble.data_start);
        let of_it = found.iter_mut().find(|found| {
            found.layout.dialect == layout.dialect && found.preamble.header == preamble.header
        });
        let new = Found {
            file: &file.name,
            layout,
            preamble,
            evidence,
        };
        let Some(known) = of_it else {
            found.push(new);
            return Ok(());
        };
        known.layout.trailing_delimiter |= new.layout.trailing_delimiter;
        if known.preamble.names == new.preamble.names {
            let places: Vec<_> = (0..known.preamble.names.len()).map(Some).collect();
            known.evidence.merge(&new.evidence, &places);
            known.preamble.records += new.preamble.records;
            return Ok(());
        }
        // Without a row a header does not tell whether it leaves row_names out, or ends with a
        // delimiter: then another file with this header does.
        let headed = !new.preamble.header.is_empty();
        match (known.preamble.records, new.preamble.records) {
            (_, 0) if headed => {}
            (0, _) if headed => {
                let trailing = known.layout.trailing_delimiter;
                *known = new;
                known.layout.trailing_delimiter = trailing;
            }
            _ => return Err(differs(known, &new)),
        }
        Ok(())
    }

    /// The columns of all files.
    fn columns(&mut self, found: &[Found<'_>]) -> Result<Columns, BiotideError> {
        let mut columns = Columns::default();
        for (i, of_file) in found.iter().enumerate() {
            let names = &of_file.preamble.names;
            if self.strict && *names != found[0].preamble.names {
                return Err(differs(&found[0], of_file));
            }
            let known = columns.names().len();
            let new = columns.add(names);
            if i > 0 && new == names.len() {
                let problem = format!(
                    "it has no column of {}: {}; read them one by one, or say with column_aliases \
                     which columns are the same",
                    found[0].file,
                    difference(&found[0].preamble.names, names)
                );
                return Err(BiotideError::file(of_file.file, problem));
            }
            if i > 0 && (new > 0 || names.len() < known) {
                let difference = difference(&found[0].preamble.names, names);
                let different = (of_file.file.to_owned(), difference);
                self.description.different.push(different);
            }
        }
        if let [(file, difference), ..] = &self.description.different[..] {
            log::warn!(
                "{file}: its columns are not those of {}: {difference}. Columns that a file lacks are \
                 NULL in its rows (strict_schema = true refuses such files)",
                found[0].file
            );
        }
        Ok(columns)
    }
}

/// Refuses a file whose columns are others than the table's.
fn differs(first: &Found<'_>, other: &Found<'_>) -> BiotideError {
    let problem = format!(
        "its header is not that of {}: {}; read the files one by one, or name those with the same header",
        first.file,
        difference(&first.preamble.names, &other.preamble.names)
    );
    BiotideError::file(other.file, problem)
}

/// How the columns of two files differ, in words.
fn difference(ours: &[String], theirs: &[String]) -> String {
    let has = |names: &[String], name: &String| {
        names.contains(name) || names.iter().any(|other| other.eq_ignore_ascii_case(name))
    };
    let missing = ours.iter().find(|name| !has(theirs, name));
    let extra = theirs.iter().find(|name| !has(ours, name));
    match (missing, extra) {
        (Some(name), _) => format!("it has no column \"{name}\""),
        (None, Some(name)) => format!("it has a column \"{name}\" more"),
        (None, None) => "its columns stand in another order".to_owned(),
    }
}
