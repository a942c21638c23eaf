//! Rows on their way: in a file until all are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use biotide_common::sssom::{self, Kind, Slot};
use biotide_common::yaml::Node;
use datafusion_common::Result;
use datafusion_execution::SpillWriter;

use super::block::Block;
use super::{in_order, metadata, refuse};
use crate::sink::delimited::push_field;

/// Columns that a table without rows has all the same.
const REQUIRED: [&str; 4] = [
    "subject_id",
    "predicate_id",
    "object_id",
    "mapping_justification",
];

/// What is known of a column.
#[derive(Debug)]
struct Seen {
    name: String,
    slot: Option<&'static Slot>,
    /// Its place in a batch.
    place: usize,
    /// The value of all rows so far; `None` once they differ. Empty is NULL.
    common: Option<String>,
    empty: bool,
}

/// What a slot beyond the standard is whose values are entities.
const EXTENSION: Slot = Slot {
    name: "a slot beyond the standard",
    kind: Kind::Entity,
    several: false,
    propagates: false,
};

/// Rows in a file, field by field behind their lengths.
pub(crate) struct Spool {
    writer: BufWriter<Box<dyn SpillWriter>>,
    /// The same file.
    reader: File,
    columns: Vec<Seen>,
    rows: u64,
    used: BTreeSet<String>,
    declared: BTreeMap<String, String>,
    block: Block,
}

impl Spool {
    /// Rows of this schema, which holds what their set says of itself.
    pub(crate) fn new(schema: &Schema, writer: Box<dyn SpillWriter>, reader: File) -> Self {
        let block = Block::of(metadata(schema, sssom::SET));
        let columns = in_order(schema).into_iter().map(|place| {
            let name = schema.field(place).name();
            let extension = || block.holds_entities(name).then_some(&EXTENSION);
            Seen {
                name: name.clone(),
                slot: sssom::by_name(name).or_else(extension),
                place,
                common: None,
                empty: true,
            }
        });
        let columns = columns.collect();
        let own = metadata(schema, sssom::CURIE_MAP)
            .into_iter()
            .filter_map(|(prefix, iri)| match iri {
                Node::Scalar(iri) => Some((prefix, iri)),
                _ => None,
            });
        let built_in = sssom::BUILT_IN.map(|(prefix, iri)| (prefix.to_owned(), iri.to_owned()));
        Self {
            writer: BufWriter::new(writer),
            reader,
            columns,
            rows: 0,
            used: BTreeSet::new(),
            declared: own.chain(built_in).collect(),
            block,
        }
    }

    /// Takes in rows, which come in their final order.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let texts = self
            .columns
            .iter()
            .map(|seen| text_of(batch.column(seen.place), seen.slot));
        let texts: Vec<StringArray> = texts.collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            for (seen, texts) in self.columns.iter_mut().zip(&texts) {
                let value = if texts.is_valid(row) {
                    texts.value(row)
                } else {
                    ""
                };
                if self.rows == 0 {
                    seen.common = Some(value.to_owned());
                } else if seen.common.as_deref().is_some_and(|common| common != value) {
                    seen.common = None;
                }
                seen.empty &= value.is_empty();
                self.writer.write_all(&(value.len() as u64).to_le_bytes())?;
                self.writer.write_all(value.as_bytes())?;
                if let Some(slot) = seen.slot.filter(|slot| slot.kind == Kind::Entity) {
                    add_prefixes(slot, value, &self.declared, &mut self.used)?;
                }
            }
            self.rows += 1;
        }
        Ok(())
    }

    /// The start of the file, and its rows.
    pub(crate) fn finish(mut self) -> Result<(Vec<u8>, Rows)> {
        let mut kept = Vec::with_capacity(self.columns.len());
        for seen in &self.columns {
            let condensed = seen.slot.filter(|slot| slot.propagates && !seen.empty);
            // What the set says otherwise is not of its mappings, and stays.
            if let (Some(slot), Some(common)) = (condensed, &seen.common)
                && self
                    .block
                    .get(slot.name)
                    .is_none_or(|said| *said == node_of(slot, common))
            {
                self.block.set(slot.name, node_of(slot, common));
                kept.push(false);
                continue;
            }
            kept.push(!seen.empty || self.rows == 0 && REQUIRED.contains(&seen.name.as_str()));
        }
        let columns = self.columns.iter().zip(&kept);
        let columns = columns.filter_map(|(seen, kept)| kept.then_some(seen.name.as_str()));
        self.block.complete(&columns.collect::<Vec<_>>());
        self.block.add_prefixes(&mut self.used);
        let mut prefixes = BTreeMap::new();
        for prefix in &self.used {
            let Some(iri) = self.declared.get(prefix) else {
                undeclared(prefix)?;
                continue;
            };
            if !sssom::BUILT_IN.iter().any(|(known, _)| known == prefix) {
                prefixes.insert(prefix.clone(), iri.clone());
            }
        }
        let mut head = self.block.text(prefixes).into_bytes();
        let names = self.columns.iter().zip(&kept).filter(|(_, kept)| **kept);
        for (i, (seen, _)) in names.enumerate() {
            if i > 0 {
                head.push(b'\t');
            }
            push_field(&mut head, &seen.name, b'\t');
        }
        head.push(b'\n');
        self.writer.flush()?;
        self.writer.get_mut().finish()?;
        let rows = Rows {
            file: BufReader::new(self.reader),
            kept,
            left: self.rows,
        };
        Ok((head, rows))
    }
}

/// What all mappings have, as their set says it.
fn node_of(slot: &Slot, common: &str) -> Node {
    match slot.several {
        true => {
            let items = sssom::split(common);
            Node::List(items.map(|item| Node::Scalar(item.into_owned())).collect())
        }
        false => Node::Scalar(common.to_owned()),
    }
}

/// The rows, as they are written.
#[derive(Debug)]
pub(crate) struct Rows {
    file: BufReader<File>,
    kept: Vec<bool>,
    left: u64,
}

impl Rows {
    /// The text of the next rows; empty at the end.
    pub(crate) fn text(&mut self) -> Result<(u64, Vec<u8>)> {
        const BYTES: usize = 64 << 10;
        let (mut out, mut rows) = (Vec::with_capacity(BYTES), 0);
        let (mut length, mut value) = ([0; 8], Vec::new());
        while self.left > 0 && out.len() < BYTES {
            let mut first = true;
            for kept in &self.kept {
                self.file.read_exact(&mut length)?;
                value.clear();
                let bytes = u64::from_le_bytes(length);
                (&mut self.file).take(bytes).read_to_end(&mut value)?;
                if !kept {
                    continue;
                }
                if !first {
                    out.push(b'\t');
                }
                first = false;
                if !value.is_empty() {
                    push_field(&mut out, &String::from_utf8_lossy(&value), b'\t');
                }
            }
            out.push(b'\n');
            self.left -= 1;
            rows += 1;
        }
        Ok((rows, out))
    }
}

/// A column as SSSOM writes it. What is no number of the standard keeps its digits.
fn text_of(column: &ArrayRef, slot: Option<&Slot>) -> Result<StringArray> {
    let is_number = slot.is_some_and(|slot| matches!(slot.kind, Kind::Number(..)));
    match column.data_type() {
        DataType::Float64 if is_number => {
            let numbers = column.as_primitive::<Float64Type>();
            Ok(numbers
                .iter()
                .map(|number| number.map(sssom::number))
                .collect())
        }
        DataType::Float32 | DataType::Float16 if is_number => {
            text_of(&cast(column, &DataType::Float64)?, slot)
        }
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            let joined = lists.iter().map(|items| -> Result<Option<String>> {
                let Some(items) = items else { return Ok(None) };
                let items = cast(&items, &DataType::Utf8)?;
                let items = items.as_string::<i32>();
                let items = items.iter().flatten().map(sssom::escape);
                Ok(Some(items.collect::<Vec<_>>().join("|")))
            });
            joined.collect()
        }
        _ => Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone()),
    }
}

fn add_prefixes(
    slot: &Slot,
    value: &str,
    declared: &BTreeMap<String, String>,
    used: &mut BTreeSet<String>,
) -> Result<()> {
    let mut add = |item: &str| {
        let parts = item.split_once(':');
        if !slot.is_core() && parts.is_none_or(|(_, local)| local.starts_with("//")) {
            return Ok(());
        }
        let Some((prefix, _)) = parts else {
            let problem = format!(
                "{} holds '{item}', which is not an identifier with a prefix: leave it out, or make it one",
                slot.name
            );
            return refuse(problem);
        };
        if used.contains(prefix) {
            return Ok(());
        }
        if !declared.contains_key(prefix) {
            return undeclared(prefix);
        }
        used.insert(prefix.to_owned());
        Ok(())
    };
    match slot.several {
        true => sssom::split(value).try_for_each(|item| add(&item)),
        false if value.is_empty() => Ok(()),
        false => add(value),
    }
}

fn undeclared(prefix: &str) -> Result<()> {
    refuse(format!(
        "the prefix '{prefix}' is not declared: rows must come from a set whose curie_map says what it stands for"
    ))
}
