//! The layout of JSON files: from samples to columns.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use biotide_common::BiotideError;
use biotide_common::options::BiotideOptions;
use biotide_text::delimited::{Column, ColumnType, Dialect, Layout, RecordEnd};
use biotide_text::json_lines::{Framing, Json, JsonInference};
use biotide_text::sample::Sample;
use encoding_rs::{Encoding, UTF_8};

use crate::formats::columns;
use crate::formats::reader::TableReader;
use crate::spec::{ChunkReader, Description, FileStart, SampledFile, TextLayout, Widening};

/// The files of a table: their columns, however their records are framed.
#[derive(Debug, Clone)]
pub struct JsonLayout {
    options: Arc<BiotideOptions>,
    /// One a framing, see [`FRAMINGS`].
    layouts: [Arc<Layout>; 2],
    transcoded_from: Option<&'static Encoding>,
    /// The columns that the table shows.
    shown: Vec<usize>,
    mean_record_bytes: f64,
    description: Description,
}

/// The variants of files.
const FRAMINGS: [Framing; 2] = [Framing::Lines, Framing::Values];

impl JsonLayout {
    pub(super) fn infer(
        files: &[SampledFile],
        options: &BiotideOptions,
    ) -> Result<Self, BiotideError> {
        let mut all = JsonInference::default();
        let mut first: Option<(&str, JsonInference)> = None;
        let mut different = Vec::new();
        for file in files {
            let seen = JsonInference::of(Framing::of(&file.sample.head), &file.sample);
            let Some((name, known)) = &first else {
                all.merge(&seen);
                first = (!seen.keys().is_empty()).then_some((&file.name, seen));
                continue;
            };
            let keys: HashSet<&String> = known.keys().iter().collect();
            let other = seen.keys().iter().find(|key| !keys.contains(key));
            if let Some(other) = other {
                let problem =
                    format!("its records have a key \"{other}\", those of {name} have not");
                if options.strict_schema == Some(true) {
                    return Err(BiotideError::file(&file.name, problem));
                }
                different.push((file.name.clone(), problem));
            }
            all.merge(&seen);
        }
        if all.keys().is_empty() && options.schema.is_none() {
            let file = files.first();
            let problem = match file.is_none_or(|file| file.sample.head.is_empty()) {
                true => "the file is empty: there are no keys to take columns from; give schema",
                false => {
                    "it is not a table, because its start holds no JSON object; a table is an object a \
                     line, or a list of objects"
                }
            };
            return Err(BiotideError::file(file.map_or("", |f| &f.name), problem));
        }
        // Only UTF-8 is JSON; what is not is made so, but for bytes in a text that is UTF-8 else.
        let encoding = columns::encoding(files)?;
        let other = encoding != UTF_8;
        let mut this = Self::new(&all, Arc::new(options.clone()), other.then_some(encoding))?;
        let framing = files.first().map(|file| Framing::of(&file.sample.head));
        let words = match framing {
            Some(Framing::Values) => "objects, one after the other or in a list",
            _ => "an object a line",
        };
        this.description.dialect.push(words.to_owned());
        this.description.different = different;
        let encoding = encoding.name().to_ascii_lowercase();
        this.description.options.push(("encoding", encoding));
        Ok(this)
    }

    fn new(
        seen: &JsonInference,
        options: Arc<BiotideOptions>,
        transcoded_from: Option<&'static Encoding>,
    ) -> Result<Self, BiotideError> {
        let found = seen.schema(options.flatten == Some(true));
        for warning in &found.warnings {
            log::warn!("{warning}");
        }
        let given = columns::schema(&options)?;
        let mut json = Json {
            framing: Framing::Lines,
            paths: Vec::new(),
            nested: Vec::new(),
        };
        let mut table = Layout::new(Dialect::tsv(), Vec::new());
        let mut evidence = Vec::new();
        for column in found.columns {
            let alias = options.column_aliases.iter().flat_map(|aliases| &aliases.0);
            let alias = alias.clone().find(|(old, _)| *old == column.name);
            let name = alias.map_or(column.name, |(_, new)| new.clone());
            let ty = match ColumnType::from_data_type(&column.data_type) {
                Some(ty) => ty,
                None => {
                    json.nested.push(column.data_type);
                    ColumnType::Nested(json.nested.len() - 1)
                }
            };
            let known = table.columns.iter().position(|known| known.name == name);
            let at = known.unwrap_or(table.columns.len());
            json.paths.push((column.path, at));
            match table.columns.get_mut(at) {
                // Two keys that are one column: a type that holds both.
                Some(known) => known.ty = common(known.ty, ty, &json.nested),
                None => {
                    evidence.push(column.evidence);
                    table.columns.push(Column {
                        name,
                        ty,
                        inferred: true,
                    });
                }
            }
        }
        // What the sample has not may still come.
        for (name, ty) in &given {
            if columns::position(&table, name).is_none() {
                json.paths.push((vec![name.clone()], table.columns.len()));
                table.columns.push(Column::new(name, *ty));
            }
        }
        columns::apply(&options, &mut table)?;
        (table.columns, _) = columns::typed(&options, &given, &table)?;
        let shown = columns::shown(&options, &table)?;
        let layouts = FRAMINGS.map(|framing| {
            Arc::new(Layout {
                json: Some(Arc::new(Json {
                    framing,
                    ..json.clone()
                })),
                ..table.clone()
            })
        });
        Ok(Self {
            description: Description {
                evidence,
                warnings: found.warnings,
                ..Description::default()
            },
            mean_record_bytes: seen.mean_record_bytes().unwrap_or(100.0).max(2.0),
            options,
            layouts,
            transcoded_from,
            shown,
        })
    }
}

/// A type that holds values of both.
fn common(a: ColumnType, b: ColumnType, nested: &[DataType]) -> ColumnType {
    use ColumnType::{Float64, Int64, Nested, Text};
    match (a, b) {
        (a, b) if a == b => a,
        (Int64, Float64) | (Float64, Int64) => Float64,
        (Nested(a), Nested(b)) if nested.get(a) == nested.get(b) => Nested(a),
        _ => Text,
    }
}

impl TextLayout for JsonLayout {
    fn schema(&self) -> SchemaRef {
        columns::schema_of(&self.layouts[0], &self.shown, self.shows_lines())
    }

    fn mean_record_bytes(&self) -> f64 {
        self.mean_record_bytes
    }

    fn min_record_bytes(&self, _variant: usize) -> u64 {
        // `{}` and a line end, or a comma.
        3
    }

    fn shows_lines(&self) -> bool {
        self.options.metadata_columns == Some(true)
    }

    fn reads_anywhere(&self, variant: usize) -> bool {
        FRAMINGS[variant] == Framing::Lines
    }

    fn record_end(&self, _variant: usize) -> RecordEnd {
        RecordEnd::Lf
    }

    fn transcoded_from(&self) -> Option<&'static Encoding> {
        self.transcoded_from
    }

    fn describe(&self) -> Description {
        let shown = self.shown.iter();
        let evidence = shown.map(|&i| self.description.evidence.get(i).cloned());
        Description {
            evidence: evidence.map(Option::unwrap_or_default).collect(),
            ..self.description.clone()
        }
    }

    fn doubt(&self) -> Option<&'static str> {
        None
    }

    fn start(&self, _: &str, head: &[u8], eof: bool) -> Result<Option<FileStart>, BiotideError> {
        let framing = Framing::of(head);
        // The first line tells; but if it is long, its length is enough.
        if !eof && framing == Framing::Lines && memchr::memchr(b'\n', head).is_none() {
            let long = head.len() > self.layouts[0].max_record_bytes;
            if !long && !head.trim_ascii_start().is_empty() || head.is_empty() {
                return Ok(None);
            }
        }
        // An object that seems to go over lines may be a bad line before good ones that are long.
        let lines_may_follow =
            framing == Framing::Values && head.trim_ascii_start().starts_with(b"{");
        if !eof && lines_may_follow && head.len() < Sample::HEAD_BYTES {
            return Ok(None);
        }
        let mark = usize::from(head.starts_with(b"\xEF\xBB\xBF")) * 3;
        Ok(Some(FileStart {
            offset: mark as u64,
            lines: 0,
            end: None,
            variant: usize::from(framing == Framing::Values),
        }))
    }

    fn reader(
        &self,
        variant: usize,
        projection: &[usize],
    ) -> Result<Box<dyn ChunkReader>, BiotideError> {
        let layout = Arc::clone(&self.layouts[variant]);
        let places = self.shown.iter().copied().map(Some).collect();
        TableReader::open(layout, self.schema(), places, projection)
    }

    fn fails_on_error(&self) -> bool {
        self.layouts[0].fails()
    }

    fn widening(&self) -> Box<dyn Widening> {
        Box::new(Seen {
            layout: self.clone(),
            seen: JsonInference::default(),
        })
    }
}

/// What a look at all records shows.
struct Seen {
    layout: JsonLayout,
    seen: JsonInference,
}

impl Widening for Seen {
    fn observe(&mut self, variant: usize, records: &[u8], eof: bool) -> usize {
        self.seen.observe(FRAMINGS[variant], records, eof, false)
    }

    fn layout(self: Box<Self>) -> Result<Arc<dyn TextLayout>, BiotideError> {
        let Self { layout, seen } = *self;
        if seen.keys().is_empty() {
            return Ok(Arc::new(layout));
        }
        let widened = JsonLayout::new(&seen, layout.options, layout.transcoded_from)?;
        Ok(Arc::new(widened))
    }
}
