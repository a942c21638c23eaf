//! From samples of files to their layout.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use biotide_common::BiotideError;
use biotide_common::disputes::Dispute;
use biotide_common::options::{Aliases, BiotideOptions, Delimiter, OneByte};
use biotide_common::sssom::{self, Kind, SLOTS, Slot};
use biotide_common::yaml::Node;
use biotide_text::chunk::ChunkDecoder;
use biotide_text::delimited::{Column, ColumnType, Layout};
use biotide_text::sample::Sample;
use datafusion_common::ScalarValue;

use super::columns::{constant, list_type, lists, words};
use super::iris::{Contracted, Iris};
use super::layout::{SssomLayout, Variant};
use super::metadata::{Block, Metadata, current};
use super::old::{self, Old, TERM_TYPE, TYPES};
use super::rules;
use crate::formats::columns;
use crate::formats::delimited::DelimitedLayout;
use crate::formats::reader::Source;
use crate::spec::{Companion, SampledFile, TextLayout};

/// Columns that every table has, NULL where no file has them: so queries need not know the file.
const ALWAYS: [&str; 6] = [
    "subject_id",
    "predicate_id",
    "predicate_modifier",
    "object_id",
    "mapping_justification",
    "confidence",
];

/// How the table of a file is read, whose header comes first: nothing is left to be found.
pub(super) fn options(options: &BiotideOptions, table: &[u8]) -> BiotideOptions {
    let header = table
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let delimiter = match !header.contains(&b'\t') && header.contains(&b',') {
        true => b',',
        false => b'\t',
    };
    BiotideOptions {
        delimiter: Some(
            options
                .delimiter
                .clone()
                .unwrap_or(Delimiter::Bytes(vec![delimiter])),
        ),
        quote: Some(options.quote.unwrap_or(OneByte(Some(b'"')))),
        escape: Some(OneByte(None)),
        comment: None,
        header: Some(true),
        header_rows: Some(1),
        skip_rows: Some(0),
        table: None,
        all_text: Some(true),
        columns: None,
        metadata_columns: None,
        ..options.clone()
    }
}

/// A file, without what stands above its table.
struct Set {
    table: SampledFile,
    block: Vec<u8>,
    metadata: Metadata,
}

impl Set {
    fn of(file: &SampledFile) -> Result<Self, BiotideError> {
        let Sample { head, complete, .. } = &file.sample;
        // (A sample that is damaged may end in it.)
        let end = Block::of(head, *complete).map_or(head.len(), |block| block.end);
        let (block, table) = head.split_at(end);
        let metadata = match (block.is_empty(), &file.companion) {
            (false, _) => Metadata::of_block(&file.name, block)?,
            (true, Some(Companion { name, text })) => Metadata::of_file(name, text)?,
            (true, None) => Metadata::default(),
        };
        let sample = Sample {
            head: table.to_vec(),
            ..file.sample.clone()
        };
        Ok(Self {
            block: block.to_vec(),
            table: SampledFile {
                sample,
                ..file.clone()
            },
            metadata,
        })
    }

    /// Whether its header names this column.
    fn names(&self, column: &str) -> bool {
        let header = self.table.sample.head.split(|&byte| byte == b'\n').next();
        let is_between = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'_';
        let mut words = header.unwrap_or_default().split(is_between);
        words.any(|word| word == column.as_bytes())
    }
}

impl SssomLayout {
    pub(super) fn infer(
        files: &[SampledFile],
        given: &BiotideOptions,
    ) -> Result<Self, BiotideError> {
        let sets: Vec<Set> = files.iter().map(Set::of).collect::<Result<_, _>>()?;
        let first = sets.first().map(|set| set.table.sample.head.as_slice());
        let options = BiotideOptions {
            column_aliases: Some(aliases(given, &sets)),
            ..options(given, first.unwrap_or_default())
        };
        let tables: Vec<SampledFile> = sets.iter().map(|set| set.table.clone()).collect();
        let mut inner = DelimitedLayout::infer(b'\t', &tables, &options)?;
        let kept = kept_types(given, &inner)?;
        inner.set_types(slot_types(inner.layout(), &kept));
        let mut variants = Vec::new();
        for set in &sets {
            add(&mut variants, set, &inner)?;
        }
        let names = names(&inner, &variants);
        let fields = fields(inner.layout(), &kept, &names);
        let shown = shown(given, &fields)?;
        let mut description = inner.describe();
        description
            .options
            .retain(|(key, _)| *key == "delimiter" || *key == "encoding");
        if let Some(of) = sets.iter().find(|set| set.metadata.prefixes.is_none()) {
            let warning = format!(
                "{}: nothing declares its prefixes, neither lines above its table nor a file beside it: they are \
                 not checked",
                of.table.name
            );
            log::warn!("{warning}");
            description.warnings.push(warning);
        }
        description.evidence = evidence(&inner, &names, &shown);
        let metadata_columns = given.metadata_columns == Some(true);
        let mut schema: Vec<FieldRef> = shown.iter().map(|&i| Arc::clone(&fields[i])).collect();
        if metadata_columns {
            for name in [ChunkDecoder::LINE, ChunkDecoder::OFFSET] {
                schema.push(Arc::new(Field::new(name, DataType::Int64, false)));
            }
        }
        let variants = variants.into_iter().map(|found| {
            let sources = shown
                .iter()
                .map(|&i| found.source(&names[i], &inner, &kept));
            let sources = sources.collect::<Result<_, _>>()?;
            Ok(Variant {
                sources,
                ..found.variant
            })
        });
        Ok(Self {
            variants: variants.collect::<Result<_, BiotideError>>()?,
            schema: Arc::new(Schema::new(schema).with_metadata(of_sets(&sets))),
            metadata_columns,
            description,
            inner,
        })
    }
}

/// The user's aliases, and the names that slots have now: not where a file has both.
fn aliases(given: &BiotideOptions, sets: &[Set]) -> Aliases {
    let mut aliases = given.column_aliases.clone().unwrap_or(Aliases(Vec::new()));
    for old in [
        "match_type",
        "semantic_similarity_score",
        "semantic_similarity_measure",
    ] {
        let has_both = |set: &Set| set.names(old) && set.names(current(old));
        if sets.iter().any(|set| set.names(old)) && !sets.iter().any(has_both) {
            aliases.0.push((old.to_owned(), current(old).to_owned()));
        }
    }
    // One column is two slots: it takes the name of one that it is to be, and the other is made of it too.
    let has_old = |set: &&Set| set.names(TERM_TYPE);
    let is_free = |slot: &&&str| {
        let gives = |set: &Set| set.names(slot) || set.metadata.slot(slot).is_some();
        !sets.iter().filter(has_old).any(gives)
    };
    let free = TYPES.iter().find(is_free);
    if let Some(slot) = free.filter(|_| sets.iter().any(|set| has_old(&set))) {
        aliases.0.push((TERM_TYPE.to_owned(), (*slot).to_owned()));
    }
    aliases
}

/// The columns whose type the user gave.
fn kept_types(given: &BiotideOptions, inner: &DelimitedLayout) -> Result<Vec<bool>, BiotideError> {
    let columns = &inner.layout().columns;
    if given.all_text == Some(true) {
        return Ok(vec![true; columns.len()]);
    }
    let mut kept = vec![false; columns.len()];
    for (name, _) in columns::schema(given)? {
        if let Some(place) = columns::position(inner.layout(), &name) {
            kept[place] = true;
        }
    }
    Ok(kept)
}

/// The types of the slots.
fn slot_types(layout: &Layout, kept: &[bool]) -> Vec<Column> {
    let typed = |(column, kept): (&Column, &bool)| {
        let ty = match sssom::by_name(&column.name).map(|slot| slot.kind) {
            _ if *kept => column.ty,
            Some(Kind::Date) => ColumnType::Date,
            Some(Kind::Number(..)) => ColumnType::Float64,
            _ => ColumnType::Text,
        };
        Column::new(&column.name, ty)
    };
    layout.columns.iter().zip(kept).map(typed).collect()
}

/// Files of a variant, with what they say of themselves.
struct Found {
    variant: Variant,
    metadata: Metadata,
    iris: Arc<Iris>,
    old: Old,
}

/// Adds a file to those that are like it.
fn add(found: &mut Vec<Found>, set: &Set, inner: &DelimitedLayout) -> Result<(), BiotideError> {
    let (name, sample) = (&set.table.name, &set.table.sample);
    let Some(start) = inner.start(name, &sample.head, sample.complete)? else {
        let problem = "its header is longer than what was read of it";
        return Err(BiotideError::file(name, problem));
    };
    let companion = &set.table.companion;
    let known = found.iter_mut().find(|known| {
        let Variant {
            inner,
            block,
            companion: beside,
            ..
        } = &known.variant;
        *inner == start.variant && *block == set.block && beside == companion
    });
    if let Some(known) = known {
        known.variant.files.push(name.clone());
        return Ok(());
    }
    let of_table = &inner.variants()[start.variant];
    let mut layout = (*of_table.layout).clone();
    let old = Old::of(&of_table.header, &layout);
    layout.rules = rules::of_file(name, &layout, &set.metadata, old)?;
    found.push(Found {
        variant: Variant {
            inner: start.variant,
            block: set.block.clone(),
            companion: companion.clone(),
            files: vec![name.clone()],
            layout: Arc::new(layout),
            sources: Vec::new(),
        },
        metadata: set.metadata.clone(),
        iris: Arc::new(set.metadata.iris()),
        old,
    });
    Ok(())
}

impl Found {
    /// What the set gives to all its mappings in a slot, for which its table has no column.
    fn given(&self, slot: &Slot) -> Option<&Node> {
        let mut columns = self.variant.layout.columns.iter();
        let has = columns.any(|column| column.name == slot.name);
        self.metadata
            .slot(slot.name)
            .filter(|_| slot.propagates && !has)
    }

    /// Whether the mappings have a slot for which their table has no column.
    fn makes(&self, slot: &Slot) -> bool {
        let of_old = self.old.types.is_some() && TYPES.contains(&slot.name);
        of_old || self.given(slot).is_some()
    }

    /// Where a column of the table is from, in these files.
    fn source(
        &self,
        name: &str,
        inner: &DelimitedLayout,
        kept: &[bool],
    ) -> Result<Source, BiotideError> {
        let table = inner.layout();
        let slot = sssom::by_name(name);
        let column = table.columns.iter().position(|column| column.name == name);
        let place = column.and_then(|i| inner.variants()[self.variant.inner].places[i]);
        if let (Some(column), Some(place)) = (column, place) {
            return Ok(match slot {
                _ if kept[column] => Source::Column(place),
                _ if self.old.justification == Some(place) => {
                    Source::Made(place, old::justifications)
                }
                _ if self.old.types == Some(place) => Source::Made(place, old::types),
                Some(slot) if slot.kind == Kind::Entity => {
                    let (iris, several) = (Arc::clone(&self.iris), slot.several);
                    let words = words(slot);
                    Source::MadeBy(
                        place,
                        Arc::new(Contracted {
                            iris,
                            several,
                            words,
                        }),
                    )
                }
                Some(slot) if slot.several => Source::Made(place, lists),
                _ => Source::Column(place),
            });
        }
        let Some((slot, node)) = slot.and_then(|slot| Some((slot, self.given(slot)?))) else {
            return Ok(match self.old.types {
                Some(place) if TYPES.contains(&name) => Source::Made(place, old::types),
                _ => Source::Nowhere,
            });
        };
        let value = constant(slot, node, table.text).map_err(|problem| {
            let companion = self.variant.companion.as_ref().map(|beside| &beside.name);
            let file = companion.or(self.variant.files.first());
            BiotideError::file(
                file.map_or("", |name| name),
                format!("{} of its metadata {problem}", slot.name),
            )
        })?;
        // (A column whose type the user gave, and that other files have.)
        let text = column
            .is_some_and(|column| kept[column] && table.columns[column].ty == ColumnType::Text);
        Ok(Source::Constant(match (text, value) {
            (true, ScalarValue::List(_)) => text_of(node, table),
            (_, value) => value,
        }))
    }
}

/// Several values as a table has them.
fn text_of(node: &Node, layout: &Layout) -> ScalarValue {
    let escaped = |value: &String| sssom::escape(value);
    let text = match node {
        Node::Scalar(value) => escaped(value),
        Node::List(items) => {
            let values = items.iter().filter_map(|item| match item {
                Node::Scalar(value) => Some(escaped(value)),
                _ => None,
            });
            values.collect::<Vec<_>>().join("|")
        }
        Node::Null | Node::Map(_) => String::new(),
    };
    match ColumnType::Text.data_type(layout.text) {
        DataType::Utf8View => ScalarValue::Utf8View(Some(text)),
        _ => ScalarValue::Utf8(Some(text)),
    }
}

/// The columns of the table: those of the files, what sets give to all mappings, and what is always there.
fn names(inner: &DelimitedLayout, variants: &[Found]) -> Vec<String> {
    let own = inner
        .layout()
        .columns
        .iter()
        .map(|column| column.name.clone());
    let mut names: Vec<String> = own.collect();
    let given = SLOTS
        .iter()
        .filter(|slot| variants.iter().any(|found| found.makes(slot)));
    for name in given.map(|slot| slot.name).chain(ALWAYS) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn fields(table: &Layout, kept: &[bool], names: &[String]) -> Vec<FieldRef> {
    let field = |name: &String| {
        let column = table.columns.iter().position(|column| column.name == *name);
        let given = column.filter(|&i| kept[i]).map(|i| table.columns[i].ty);
        let slot = sssom::by_name(name);
        let kind = match (given, slot.map(|slot| slot.kind)) {
            (Some(ty), _) => table.data_type(ty),
            (None, _) if slot.is_some_and(|slot| slot.several) => list_type(),
            (None, Some(Kind::Date)) => DataType::Date32,
            (None, Some(Kind::Number(..))) => DataType::Float64,
            (None, _) => ColumnType::Text.data_type(table.text),
        };
        Arc::new(Field::new(name, kind, true))
    };
    names.iter().map(field).collect()
}

/// The columns that the table shows.
fn shown(given: &BiotideOptions, fields: &[FieldRef]) -> Result<Vec<usize>, BiotideError> {
    let columns = fields
        .iter()
        .map(|field| Column::new(field.name(), ColumnType::Text));
    let all = Layout::new(biotide_text::delimited::Dialect::tsv(), columns.collect());
    columns::shown(given, &all)
}

fn evidence(inner: &DelimitedLayout, names: &[String], shown: &[usize]) -> Vec<String> {
    let seen = inner.describe().evidence;
    let words = |&i: &usize| match seen.get(i) {
        Some(words) => words.clone(),
        None if ALWAYS.contains(&names[i].as_str()) => "in no file".to_owned(),
        None => "from the metadata of the set".to_owned(),
    };
    shown.iter().map(words).collect()
}

/// What the sets say of themselves, for those who write the table anew. Of several sets the prefixes of all, and
/// slots that are the same in each.
fn of_sets(sets: &[Set]) -> HashMap<String, String> {
    let mut prefixes: BTreeMap<&String, (&String, &String)> = BTreeMap::new();
    let mut disputes: Vec<Dispute> = Vec::new();
    for set in sets {
        let file = &set.table.name;
        for (prefix, iri) in set.metadata.prefixes.iter().flatten() {
            let (first, before) = *prefixes.entry(prefix).or_insert((file, iri));
            let is_told = |known: &Dispute| known.prefix == *prefix && known.other.1 == *iri;
            if before != iri && !disputes.iter().any(is_told) {
                disputes.push(Dispute {
                    prefix: prefix.clone(),
                    one: (first.clone(), before.clone()),
                    other: (file.clone(), iri.clone()),
                });
            }
        }
    }
    let Some(first) = sets.first().filter(|set| set.metadata.prefixes.is_some()) else {
        return HashMap::new();
    };
    let prefixes = prefixes.into_iter();
    let prefixes = prefixes.map(|(prefix, (_, iri))| (prefix.clone(), Node::Scalar(iri.clone())));
    let slots = first.metadata.slots.iter().filter(|(name, node)| {
        // (What is given to all mappings is in the rows.)
        let propagates = sssom::by_name(name).is_some_and(|slot| slot.propagates);
        let in_rows = propagates && !sets.iter().all(|set| set.names(name));
        !in_rows && sets.iter().all(|set| set.metadata.slot(name) == Some(node))
    });
    let slots = Node::Map(slots.cloned().collect());
    let mut metadata = HashMap::from([
        (
            sssom::CURIE_MAP.to_owned(),
            Node::Map(prefixes.collect()).to_json(),
        ),
        (sssom::SET.to_owned(), slots.to_json()),
    ]);
    if !disputes.is_empty() {
        metadata.insert(sssom::DISPUTED.to_owned(), Dispute::to_json(&disputes));
    }
    metadata
}
