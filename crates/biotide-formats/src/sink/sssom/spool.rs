//! Rows on their way: in a file until all are there.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema};
use biotide_common::BiotideError;
use biotide_common::disputes::Dispute;
use biotide_common::identifiers::SessionIdentifiers;
use biotide_common::sssom::{self, Kind, Slot};
use biotide_common::yaml::Node;
use datafusion_common::Result;
use datafusion_execution::SpillWriter;

use super::block::Block;
use super::prefixes::Prefixes;
use super::{in_order, metadata, refuse};
use crate::formats::sssom::enumerations;
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
    prefixes: Prefixes,
    block: Block,
}

impl Spool {
    /// Rows of this schema, which holds what their set says of itself.
    pub(crate) fn new(
        schema: &Schema,
        writer: Box<dyn SpillWriter>,
        reader: File,
        identifiers: Option<Arc<SessionIdentifiers>>,
    ) -> Self {
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
        Self {
            writer: BufWriter::new(writer),
            reader,
            columns,
            rows: 0,
            prefixes: Prefixes::new(own, identifiers)
                .with_disputes(Dispute::all(schema.metadata())),
            block,
        }
    }

    /// Takes in rows, which come in their final order.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let texts = self
            .columns
            .iter()
            .map(|seen| text_of(&seen.name, batch.column(seen.place), seen.slot));
        let texts: Vec<StringArray> = texts.collect::<Result<_>>()?;
        let required = self.required();
        for row in 0..batch.num_rows() {
            let has =
                |place: usize| texts[place].is_valid(row) && !texts[place].value(row).is_empty();
            let lacks = required
                .iter()
                .find(|(_, own, label)| !has(*own) && !label.is_some_and(has));
            if let Some((name, ..)) = lacks {
                return refuse(format!(
                    "a row has no {name}, which every mapping must have: leave such rows out (WHERE {name} IS NOT NULL)"
                ));
            }
            self.check_values(&texts, row)?;
            for (seen, texts) in self.columns.iter_mut().zip(&texts) {
                let value = text_at(texts, row);
                let value = match seen.slot.filter(|slot| slot.kind == Kind::Entity) {
                    Some(slot) => self.prefixes.written(slot, value)?,
                    None => Cow::Borrowed(value),
                };
                let value = &*value;
                if self.rows == 0 {
                    seen.common = Some(value.to_owned());
                } else if seen.common.as_deref().is_some_and(|common| common != value) {
                    seen.common = None;
                }
                seen.empty &= value.is_empty();
                self.writer.write_all(&(value.len() as u64).to_le_bytes())?;
                self.writer.write_all(value.as_bytes())?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    /// Refuses a row with a value that its slot cannot have, as reading the set would.
    fn check_values(&self, texts: &[StringArray], row: usize) -> Result<()> {
        for (seen, column) in self.columns.iter().zip(texts) {
            let value = text_at(column, row);
            let Some(wanted) = seen.slot.and_then(|slot| wanted(slot, value)) else {
                continue;
            };
            let named = |name: &str| {
                let place = self.columns.iter().position(|seen| seen.name == name);
                place.map_or("", |place| text_at(&texts[place], row))
            };
            return refuse(format!(
                "{} is {value} in the row of {} and {}: it is {wanted}",
                seen.name,
                named("subject_id"),
                named("object_id"),
            ));
        }
        Ok(())
    }

    /// The places of columns that every row must have a value in, and of those that may have one in their place: a
    /// literal has a label.
    fn required(&self) -> Vec<(&'static str, usize, Option<usize>)> {
        let place = |name: &str| self.columns.iter().position(|seen| seen.name == name);
        let all = REQUIRED.into_iter().filter_map(|name| {
            let label = match name {
                "subject_id" => place("subject_label"),
                "object_id" => place("object_label"),
                _ => None,
            };
            Some((name, place(name)?, label))
        });
        all.collect()
    }

    /// The start of the file, and its rows.
    pub(crate) fn finish(mut self, delimiter: u8) -> Result<(Vec<u8>, Rows)> {
        for name in ["predicate_id", "mapping_justification"] {
            if self.rows > 0 && !self.columns.iter().any(|seen| seen.name == name) {
                refuse(format!(
                    "there is no column {name}, which every set of mappings must have"
                ))?;
            }
        }
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
        let prefixes = self.prefixes.needed(&self.block.prefixes())?;
        let mut head = self.block.text(prefixes).into_bytes();
        let names = self.columns.iter().zip(&kept).filter(|(_, kept)| **kept);
        for (i, (seen, _)) in names.enumerate() {
            if i > 0 {
                head.push(delimiter);
            }
            push_field(&mut head, &seen.name, delimiter);
        }
        head.push(b'\n');
        self.writer.flush()?;
        self.writer.get_mut().finish()?;
        let rows = Rows {
            file: BufReader::new(self.reader),
            kept,
            left: self.rows,
            delimiter,
        };
        Ok((head, rows))
    }
}

/// What a slot can have, where that is not this.
fn wanted(slot: &Slot, value: &str) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    if let Kind::Number(low, high) = slot.kind {
        let number = value.trim().parse::<f64>().ok();
        let is_one = number.is_some_and(|n| n >= f64::from(low) && n <= f64::from(high));
        return (!is_one).then(|| format!("a number from {low} to {high}"));
    }
    let words = || enumerations::standard(slot);
    let is_one = words().next().is_none() || words().any(|word| word == value);
    (!is_one).then(|| format!("{}, or empty", words().collect::<Vec<_>>().join(", ")))
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
    delimiter: u8,
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
                    out.push(self.delimiter);
                }
                first = false;
                if !value.is_empty() {
                    push_field(&mut out, &String::from_utf8_lossy(&value), self.delimiter);
                }
            }
            out.push(b'\n');
            self.left -= 1;
            rows += 1;
        }
        Ok((rows, out))
    }
}

/// Whether values of a type are of several parts that are no list of texts.
fn holds_records(kind: &DataType) -> bool {
    match kind {
        DataType::List(item) => item.data_type().is_nested(),
        kind => kind.is_nested(),
    }
}

/// The text of a row; none is empty.
fn text_at(texts: &StringArray, row: usize) -> &str {
    match texts.is_valid(row) {
        true => texts.value(row),
        false => "",
    }
}

/// A column as SSSOM writes it. What is no number of the standard keeps its digits.
fn text_of(name: &str, column: &ArrayRef, slot: Option<&Slot>) -> Result<StringArray> {
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
            text_of(name, &cast(column, &DataType::Float64)?, slot)
        }
        kind if holds_records(kind) => Err(BiotideError::file(
            "writing SSSOM",
            format!("the column {name} holds {kind}, for which a set has no form: leave it out"),
        )
        .into()),
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
