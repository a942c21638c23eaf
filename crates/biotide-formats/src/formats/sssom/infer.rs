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

use super::columns::{constant, list_type, lists, place, words};
use super::enumerations;
use super::iris::{Contracted, Iris};
use super::layout::{SssomLayout, Variant};
use super::metadata::{Block, Metadata, current};
use super::old::{self, MATCH_TERM_TYPES, MATCH_TYPES, Old, RENAMED, Reworded, TERM_TYPE, TYPES};
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

    /// Whether nothing stands below what it says of itself, not even a header.
    fn lacks_table(&self) -> bool {
        let Sample { head, complete, .. } = &self.table.sample;
        !self.block.is_empty() && *complete && head.trim_ascii().is_empty()
    }

    /// What is to be known of its prefixes, where it declares none.
    fn undeclared(&self) -> Option<String> {
        const REJECTED: &str = "rows with other prefixes than those of SSSOM itself are rejected";
        let file = &self.table.name;
        match (&self.metadata.prefixes, &self.table.companion) {
            (None, _) => Some(format!(
                "{file}: nothing declares its prefixes, neither lines above its table nor a file beside it: they are \
                 not checked"
            )),
            (Some(prefixes), _) if !prefixes.is_empty() => None,
            (_, Some(Companion { name, .. })) => Some(format!(
                "{name}: it has no curie_map, which says what the prefixes of {file} stand for: {REJECTED}"
            )),
            (_, None) => Some(format!(
                "{file}: the lines above its table have no curie_map, which says what its prefixes stand for: {REJECTED}"
            )),
        }
    }
}

impl SssomLayout {
    pub(super) fn infer(
        files: &[SampledFile],
        given: &BiotideOptions,
    ) -> Result<Self, BiotideError> {
        let sets: Vec<Set> = files.iter().map(Set::of).collect::<Result<_, _>>()?;
        check_tables(&sets, given)?;
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
        // (Of many such files one is told.)
        if let Some(warning) = sets.iter().find_map(Set::undeclared) {
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

/// Refuses sets of which none has a table, where nothing else names columns.
fn check_tables(sets: &[Set], given: &BiotideOptions) -> Result<(), BiotideError> {
    let names_columns = given.schema.is_some() || given.column_names.is_some();
    match sets.first() {
        Some(first) if !names_columns && sets.iter().all(Set::lacks_table) => {
            let problem = "it has what a set says of itself, the lines that start with #, but no table: there is no row \
                           with the names of columns below them";
            Err(BiotideError::file(&first.table.name, problem))
        }
        _ => Ok(()),
    }
}

/// The user's aliases, and the names that slots have now: so options can name them. Where a file has both, each file
/// is looked at by itself (see [`Old::of`]).
fn aliases(given: &BiotideOptions, sets: &[Set]) -> Aliases {
    let mut aliases = given.column_aliases.clone().unwrap_or(Aliases(Vec::new()));
    for (old, now) in RENAMED {
        let has_both = |set: &Set| set.names(old) && set.names(now);
        if sets.iter().any(|set| set.names(old)) && !sets.iter().any(has_both) {
            aliases.0.push((old.to_owned(), now.to_owned()));
        }
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
        let ty = match sssom::by_name(current(&column.name)).map(|slot| slot.kind) {
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
    let old = Old::of(&of_table.header, &mut layout, inner.layout(), &set.metadata);
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
    /// Where these files have the column of a slot, whatever they call it.
    fn place(&self, name: &str) -> Option<usize> {
        place(&self.variant.layout, name)
    }

    /// What the set gives to all its mappings in a slot, for which its table has no column.
    fn given(&self, slot: &Slot) -> Option<&Node> {
        let given = self.metadata.slot(slot.name);
        given.filter(|_| slot.propagates && self.place(slot.name).is_none())
    }

    /// Whether the mappings have a slot, in a column or otherwise.
    fn has(&self, slot: &Slot) -> bool {
        let of_old = self.old.types.is_some() && TYPES.contains(&slot.name);
        of_old || self.place(slot.name).is_some() || self.given(slot).is_some()
    }

    /// What a slot is made of that these files have a column for.
    fn made(&self, slot: &Slot, place: usize) -> Source {
        let enumerated = enumerations::words(slot);
        if self.old.justification == Some(place) {
            reworded(place, &MATCH_TYPES)
        } else if self.old.types == Some(place) {
            reworded(place, &MATCH_TERM_TYPES)
        } else if slot.kind == Kind::Entity {
            let contracted = Contracted {
                iris: Arc::clone(&self.iris),
                several: slot.several,
                words: words(slot),
            };
            Source::MadeBy(place, Arc::new(contracted))
        } else if slot.several {
            Source::Made(place, lists)
        } else if enumerated.iter().any(|(word, now)| word != now) {
            reworded(place, enumerated)
        } else {
            Source::Column(place)
        }
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
        let column = place(table, name);
        if let Some(place) = self.place(name) {
            // (What two slots are made of is made, whatever type was asked for.)
            let kept = column.is_some_and(|column| kept[column]) && self.old.types != Some(place);
            return Ok(match slot.filter(|_| !kept) {
                Some(slot) => self.made(slot, place),
                None => Source::Column(place),
            });
        }
        let Some((slot, node)) = slot.and_then(|slot| Some((slot, self.given(slot)?))) else {
            return Ok(match self.old.types {
                Some(place) if TYPES.contains(&name) => reworded(place, &MATCH_TERM_TYPES),
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

/// A column of the files, with words in the place of others.
fn reworded(place: usize, words: &'static [(&'static str, &'static str)]) -> Source {
    Source::MadeBy(place, Arc::new(Reworded(words)))
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

/// The columns of the table: those of the files under their names of now, what sets give to all mappings, and what is
/// always there.
fn names(inner: &DelimitedLayout, variants: &[Found]) -> Vec<String> {
    let own = inner.layout().columns.iter().map(|column| &column.name);
    let own = own.filter(|name| !old::is_former(name));
    let mut names: Vec<String> = own.cloned().collect();
    let had = SLOTS
        .iter()
        .filter(|slot| variants.iter().any(|found| found.has(slot)));
    for name in had.map(|slot| slot.name).chain(ALWAYS) {
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
    let table = inner.layout();
    let words = |&i: &usize| {
        let name = names[i].as_str();
        let of_old = || place(table, TERM_TYPE).filter(|_| TYPES.contains(&name));
        let column = place(table, name).or_else(of_old);
        match column.and_then(|column| seen.get(column)) {
            Some(words) => words.clone(),
            None if ALWAYS.contains(&name) => "in no file".to_owned(),
            None => "from the metadata of the set".to_owned(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::Codec;

    fn set(text: &str, beside: Option<&str>) -> Set {
        let companion = |text: &str| Companion {
            name: "x.sssom.yml".to_owned(),
            text: text.as_bytes().to_vec(),
        };
        let file = SampledFile {
            name: "x.sssom.tsv".to_owned(),
            size: text.len() as u64,
            codec: Codec::None,
            blocks: false,
            encoding: encoding_rs::UTF_8,
            sample: Sample::whole(text),
            companion: beside.map(companion),
        };
        Set::of(&file).unwrap()
    }

    #[test]
    fn a_set_without_prefixes_tells_where_they_were_looked_for() {
        let told = |text, beside| set(text, beside).undeclared();
        assert_eq!(told("#curie_map: {X: 'http://x/'}\nid\n", None), None);
        assert_eq!(told("id\n", Some("curie_map: {X: 'http://x/'}")), None);
        for (text, beside, words) in [
            ("id\n", None, "x.sssom.tsv: nothing declares its prefixes"),
            (
                "#license: l\nid\n",
                None,
                "x.sssom.tsv: the lines above its table have no curie_map",
            ),
            (
                "id\n",
                Some("license: l"),
                "x.sssom.yml: it has no curie_map, which says what the prefixes of x.sssom.tsv",
            ),
        ] {
            let warning = told(text, beside).unwrap();
            assert!(warning.starts_with(words), "{warning}");
        }
    }
}
