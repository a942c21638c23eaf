//! Columns and their types, from the records of a sample.
//!
//! A type is taken only if every value seen has it: integers that a float cannot hold beside floats are
//! text, and so is whatever is of several kinds. Strings are text, whatever they look like.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};

use super::Framing;
use super::walk::{self, Fault, Kind};
use crate::delimited::{unique_names, without_mark};
use crate::sample::Sample;

/// Members of an object beyond this make its column JSON text: its keys are data.
const MOST_MEMBERS: usize = 1000;

/// Columns of a table beyond this are left out.
const MOST_COLUMNS: usize = 20_000;

/// A column that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonColumn {
    /// Its name: its keys, with dots between them.
    pub name: String,
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// Boolean, Int64, Float64, Utf8, or a struct or list of such.
    pub data_type: DataType,
    /// What its type was found by, in words.
    pub evidence: String,
}

/// Columns, in the order in which they were seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JsonSchema {
    /// The columns.
    pub columns: Vec<JsonColumn>,
    /// What was changed to make sense of the keys.
    pub warnings: Vec<String>,
}

/// What the members of records were.
#[derive(Debug, Clone, Default)]
pub struct JsonInference {
    members: Members,
    records: u64,
    bytes: u64,
}

impl JsonInference {
    /// What a sample shows.
    pub fn of(framing: Framing, sample: &Sample) -> Self {
        let mut this = Self::default();
        let pieces = || {
            // A piece starts anywhere: its first whole line is the first that may be a record.
            let whole = |piece: &Vec<u8>| memchr::memchr(b'\n', piece).map(|i| i + 1);
            let lines = sample.pieces.iter().filter(|_| framing == Framing::Lines);
            lines.filter_map(move |piece| Some(&piece[whole(piece)?..]))
        };
        this.observe(framing, &sample.head, sample.complete, false);
        for piece in pieces() {
            this.observe(framing, piece, false, false);
        }
        if this.records == 0 {
            // Not one that is whole: then what is there of them tells.
            this.observe(framing, &sample.head, sample.complete, true);
        }
        this
    }

    /// Looks at the records of a text; with `faulty`, at those that are no JSON too. Answers how many bytes
    /// it is done with.
    pub fn observe(&mut self, framing: Framing, text: &[u8], eof: bool, faulty: bool) -> usize {
        let mut at = text.len() - without_mark(text).len();
        match framing {
            Framing::Lines => {
                for line in text[at..].split_inclusive(|&byte| byte == b'\n') {
                    if eof || line.ends_with(b"\n") {
                        self.record(line.trim_ascii(), faulty);
                        at += line.len();
                    }
                }
                at
            }
            Framing::Values => loop {
                let between = at;
                at = walk::between(text, at);
                match walk::value(text, at, 0) {
                    Ok((end, _)) => {
                        self.record(&text[at..end], faulty);
                        at = end;
                    }
                    Err(fault) if faulty || fault.at < text.len() => {
                        self.record(&text[at..], faulty);
                        match super::index::resume(text, between, at, fault.at) {
                            Some(next) if next > at => at = next,
                            _ if eof => return text.len(),
                            _ => return between,
                        }
                    }
                    Err(_) if eof => return text.len(),
                    Err(_) => return between,
                }
            },
        }
    }

    fn record(&mut self, record: &[u8], faulty: bool) {
        let whole = walk::value(record, 0, 0).is_ok_and(|(end, _)| end == record.len());
        if record.first() != Some(&b'{') || !(whole || faulty) {
            return;
        }
        self.records += u64::from(whole);
        self.bytes += record.len() as u64 + 1;
        // A fault ends the look at the record.
        self.members.observe(record, 0, 0, MOST_COLUMNS).ok();
    }

    /// Adds what another has seen.
    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.members.merge(&other.members, MOST_COLUMNS);
    }

    /// Whole records that were seen.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The mean length of the records seen, their line end counted.
    pub fn mean_record_bytes(&self) -> Option<f64> {
        (self.records > 0).then(|| self.bytes as f64 / self.records as f64)
    }

    /// The keys of the records, in the order in which they were seen.
    pub fn keys(&self) -> &[String] {
        &self.members.names
    }

    /// The columns. `flatten`: the members of objects are columns of their own.
    pub fn schema(&self, flatten: bool) -> JsonSchema {
        let mut found = Vec::new();
        self.members.columns(&mut Vec::new(), flatten, &mut found);
        let names = found
            .iter()
            .map(|column: &JsonColumn| column.path.join("."));
        let mut warnings = Vec::new();
        let names = unique_names(names.collect(), true, &mut warnings);
        let columns = found.into_iter().zip(names);
        let columns = columns.map(|(column, name)| JsonColumn { name, ..column });
        JsonSchema {
            columns: columns.collect(),
            warnings,
        }
    }
}

/// The members of objects.
#[derive(Debug, Clone, Default)]
struct Members {
    names: Vec<String>,
    by_name: HashMap<String, usize>,
    seen: Vec<Seen>,
    /// There were too many.
    overflow: bool,
}

/// What the values of one member were.
#[derive(Debug, Clone, Default)]
struct Seen {
    nulls: u64,
    booleans: u64,
    ints: u64,
    /// Integers that a float does not hold exactly.
    long_ints: u64,
    floats: u64,
    /// Strings, and integers beyond 64 bits.
    texts: u64,
    objects: Option<Box<Members>>,
    lists: Option<Box<Seen>>,
}

impl Members {
    fn member(&mut self, name: &str, most: usize) -> Option<&mut Seen> {
        let known = self.by_name.get(name).copied();
        let at = match known {
            Some(at) => at,
            None if self.names.len() >= most => {
                self.overflow = true;
                return None;
            }
            None => {
                self.by_name.insert(name.to_owned(), self.names.len());
                self.names.push(name.to_owned());
                self.seen.push(Seen::default());
                self.names.len() - 1
            }
        };
        self.seen.get_mut(at)
    }

    fn observe(
        &mut self,
        text: &[u8],
        at: usize,
        depth: usize,
        most: usize,
    ) -> Result<usize, Fault> {
        walk::object(text, at, depth, &mut |key, at, depth| {
            let name = match memchr::memchr(b'\\', key) {
                Some(_) => walk::unescape(key),
                None => key[1..key.len() - 1].to_vec(),
            };
            match self.member(&String::from_utf8_lossy(&name), most) {
                Some(seen) => seen.observe(text, at, depth),
                None => Ok(walk::value(text, at, depth)?.0),
            }
        })
    }

    fn merge(&mut self, other: &Self, most: usize) {
        self.overflow |= other.overflow;
        for (name, theirs) in other.names.iter().zip(&other.seen) {
            if let Some(ours) = self.member(name, most) {
                ours.merge(theirs);
            }
        }
    }

    /// The members that are columns, with the keys that lead to them.
    fn columns(&self, path: &mut Vec<String>, flatten: bool, out: &mut Vec<JsonColumn>) {
        for (name, seen) in self.names.iter().zip(&self.seen) {
            path.push(name.clone());
            match seen.objects.as_deref() {
                Some(members) if flatten && seen.is_struct() => members.columns(path, true, out),
                _ => out.push(JsonColumn {
                    name: String::new(),
                    path: path.clone(),
                    data_type: seen.data_type().unwrap_or(DataType::Utf8),
                    evidence: seen.evidence(),
                }),
            }
            path.pop();
        }
    }
}

impl Seen {
    fn observe(&mut self, text: &[u8], at: usize, depth: usize) -> Result<usize, Fault> {
        match text.get(at) {
            Some(b'{') => {
                let members = self.objects.get_or_insert_default();
                return members.observe(text, at, depth, MOST_MEMBERS);
            }
            Some(b'[') => {
                let items = self.lists.get_or_insert_default();
                let mut found = Ok(());
                let end = walk::list(text, at, depth, &mut |at, _| {
                    // (Walked over already: it has no fault.)
                    if let Err(fault) = items.observe(text, at, depth + 1) {
                        found = Err(fault);
                    }
                })?;
                return found.map(|()| end);
            }
            _ => {}
        }
        let (end, kind) = walk::value(text, at, depth)?;
        match kind {
            Kind::Boolean => self.booleans += 1,
            Kind::Float => self.floats += 1,
            Kind::Plain | Kind::Escaped => self.texts += 1,
            Kind::Integer => {
                let digits = std::str::from_utf8(&text[at..end]).unwrap_or_default();
                match digits.parse::<i64>() {
                    Ok(n) if n.unsigned_abs() < 1 << 53 => self.ints += 1,
                    Ok(_) => self.long_ints += 1,
                    Err(_) => self.texts += 1,
                }
            }
            Kind::Null => self.nulls += 1,
            Kind::Object | Kind::List => {}
        }
        Ok(end)
    }

    fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        self.booleans += other.booleans;
        self.ints += other.ints;
        self.long_ints += other.long_ints;
        self.floats += other.floats;
        self.texts += other.texts;
        if let Some(theirs) = &other.objects {
            self.objects
                .get_or_insert_default()
                .merge(theirs, MOST_MEMBERS);
        }
        if let Some(theirs) = &other.lists {
            self.lists.get_or_insert_default().merge(theirs);
        }
    }

    /// What was seen, in words.
    fn evidence(&self) -> String {
        let members = self
            .objects
            .as_deref()
            .map_or(0, |members| members.names.len());
        let words = [
            (self.ints + self.long_ints, "integers"),
            (self.floats, "floats"),
            (self.booleans, "booleans"),
            (self.texts, "strings"),
            (self.nulls, "nulls"),
            (members as u64, "members of objects"),
        ];
        let words = words.iter().filter(|(n, _)| *n > 0);
        let mut words: Vec<String> = words.map(|(n, what)| format!("{n} {what}")).collect();
        if let Some(items) = &self.lists {
            words.push(format!("lists of {}", items.evidence()));
        }
        words.join(", ")
    }

    fn scalars(&self) -> u64 {
        self.booleans + self.ints + self.long_ints + self.floats + self.texts
    }

    /// Whether all values are objects whose members are known.
    fn is_struct(&self) -> bool {
        let known = |members: &Members| !members.overflow && !members.names.is_empty();
        self.scalars() == 0 && self.lists.is_none() && self.objects.as_deref().is_some_and(known)
    }

    /// Whether all values are objects without members.
    fn is_void(&self) -> bool {
        let void = |members: &Members| !members.overflow && members.seen.iter().all(Self::is_void);
        self.scalars() == 0 && self.lists.is_none() && self.objects.as_deref().is_some_and(void)
    }

    /// The type; `None` where nothing but JSON text holds all values.
    fn data_type(&self) -> Option<DataType> {
        if self.objects.is_none() && self.lists.is_none() {
            return Some(self.scalar());
        }
        if self.scalars() > 0 || self.objects.is_some() && self.lists.is_some() {
            return None;
        }
        if let Some(items) = &self.lists {
            let item = items.data_type()?;
            return Some(DataType::List(Arc::new(Field::new_list_field(item, true))));
        }
        if !self.is_struct() || self.is_void() {
            return None;
        }
        let members = self.objects.as_deref()?;
        let field = |(name, seen): (&String, &Self)| match seen.is_void() {
            true => None,
            false => Some(seen.data_type().map(|ty| Field::new(name, ty, true))),
        };
        let fields = members.names.iter().zip(&members.seen).filter_map(field);
        Some(DataType::Struct(fields.collect::<Option<Fields>>()?))
    }

    fn scalar(&self) -> DataType {
        let numbers = self.ints + self.long_ints + self.floats;
        match (self.texts > 0, self.booleans > 0, numbers > 0) {
            (false, true, false) => DataType::Boolean,
            (false, false, true) if self.floats == 0 => DataType::Int64,
            (false, false, true) if self.long_ints == 0 => DataType::Float64,
            _ => DataType::Utf8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str, flatten: bool) -> Vec<(String, String)> {
        let sample = Sample::whole(text);
        let framing = Framing::of(text.as_bytes());
        let schema = JsonInference::of(framing, &sample).schema(flatten);
        let columns = schema.columns.into_iter();
        columns
            .map(|column| (column.name, column.data_type.to_string()))
            .collect()
    }

    fn ty(values: &[&str]) -> String {
        let lines: String = values.iter().map(|v| format!("{{\"x\":{v}}}\n")).collect();
        schema(&lines, false).remove(0).1
    }

    #[test]
    fn types_hold_every_value() {
        for (values, expected) in [
            (&["1", "null", "-5"][..], "Int64"),
            (&["1", "2.5"], "Float64"),
            (&["9007199254740993", "2.5"], "Utf8"),
            (&["9223372036854775808"], "Utf8"),
            (&["true", "false"], "Boolean"),
            (&["true", "1"], "Utf8"),
            (&["\"1\"", "2"], "Utf8"),
            (&["\"2024-01-01\""], "Utf8"),
            (&["null"], "Utf8"),
            (&["{}", "null"], "Utf8"),
            (&["{\"a\":1}", "2"], "Utf8"),
            (&["[1]", "{\"a\":1}"], "Utf8"),
            (&["[1,2]", "[]"], "List(Int64)"),
            (&["[]"], "List(Utf8)"),
            (
                &["[{\"a\":1},{\"b\":\"x\"}]"],
                "List(Struct(\"a\": Int64, \"b\": Utf8))",
            ),
            (
                &["{\"a\":1,\"b\":{}}", "{\"c\":[true]}"],
                "Struct(\"a\": Int64, \"c\": List(Boolean))",
            ),
            (
                &["{\"a\":25}", "{\"a\":\"unknown\"}"],
                "Struct(\"a\": Utf8)",
            ),
            // Nothing but text is both.
            (&["{\"a\":25}", "{\"a\":[1]}"], "Utf8"),
        ] {
            assert_eq!(ty(values), expected, "{values:?}");
        }
    }

    #[test]
    fn objects_are_flattened_if_asked() {
        let text =
            "{\"id\":1,\"p\":{\"age\":5,\"at\":{\"x\":1.5}}}\n{\"p\":{\"age\":6,\"l\":[1]}}\n";
        let names = |flatten| -> Vec<String> {
            schema(text, flatten)
                .into_iter()
                .map(|(name, _)| name)
                .collect()
        };
        assert_eq!(names(false), ["id", "p"]);
        assert_eq!(names(true), ["id", "p.age", "p.at.x", "p.l"]);
    }

    #[test]
    fn framings_are_told_apart() {
        for (text, framing) in [
            ("{\"a\":1}\n{\"a\":2}\n", Framing::Lines),
            ("{\"a\":1}", Framing::Lines),
            ("{\"a\":\n{\"a\":2}\n", Framing::Lines),
            ("[\n{\"a\":1}\n]", Framing::Values),
            (" [{\"a\":1},{\"a\":2}]", Framing::Values),
            ("{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", Framing::Values),
            ("{\n  \"a\": 1\n  \"b\": 2\n}", Framing::Values),
            ("hello\n", Framing::Lines),
            ("\u{FEFF}[{\"a\":1}]", Framing::Values),
            (
                "{\n \"id\": 0,\n \"loc\":\n {\"x\": 0}\n}\n{\n \"id\": 1,\n \"loc\":\n {\"x\": 1}\n}\n",
                Framing::Values,
            ),
            (
                "{\"rows\":[\n{\"id\":1},\n{\"id\":2},\n{\"id\":3}\n]}\n",
                Framing::Values,
            ),
            (
                "{\"rows\":[\n{\"id\":1},\n{\"id\":2},\n{\"id\":3}\n]",
                Framing::Values,
            ),
        ] {
            assert_eq!(Framing::of(text.as_bytes()), framing, "{text}");
        }
        assert_eq!(schema("{\n \"id\": 1\n \"b\": 2\n}", false).len(), 1);
    }
}
