//! Reads YAML to a [`Tree`], within limits: a file of another's making may be hostile.
//!
//! The parser itself refuses duplicate keys, and what is nested too deep or has too many values. It counts what is
//! written; what aliases make of it (`*a` for a list of `*b` for a list …) is counted here.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::yaml::{self, Spanned};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::place::{Place, Placed, shortened};
use super::tree::{Entry, Node, Scalar, Tree, Value, is_padded};

/// The longest text of a pipeline, in bytes.
pub(super) const MOST_BYTES: usize = 4 << 20;
/// The most values of a file, aliases counted as what they stand for.
pub(super) const MOST_NODES: usize = 100_000;
/// How deep values may be nested.
pub(super) const MOST_DEPTH: usize = 64;

/// Reads a text; `file` is what errors call it.
pub(super) fn read(file: &Arc<str>, text: &str) -> Result<Tree, BiotideError> {
    if text.len() > MOST_BYTES {
        let problem = format!(
            "is longer than {} MiB: this is no pipeline",
            MOST_BYTES >> 20
        );
        return Err(BiotideError::file(&**file, problem));
    }
    NODES.set(0);
    DEPTH.set(0);
    let raw: Spanned<Raw> = yaml::read(text).map_err(|problem| placed(file, text, &problem))?;
    Ok(Source { file, text }.tree(raw))
}

/// An error of the parser, with its place where the others have theirs.
fn placed(file: &str, text: &str, problem: &str) -> BiotideError {
    let line = problem.split_once(": ").map(|(place, _)| place);
    let (place, problem) = match problem.split_once(": ") {
        Some((place, problem)) if place.starts_with("line ") => {
            (format!("{file}, {place}"), problem)
        }
        _ => (file.to_owned(), problem),
    };
    // (What follows is a name of the library's own.)
    let problem = match problem.strip_prefix("budget breached: ") {
        Some(limit) if limit.starts_with("Depth") => {
            format!("values are nested more than {MOST_DEPTH} deep")
        }
        Some(_) => String::from("the file has more than any pipeline has"),
        None if problem.starts_with("non-finite float `") => {
            let number = problem.split('`').nth(1).unwrap_or_default();
            let key = line.and_then(|line| key_before(text, line));
            let key = key.map_or(String::new(), |key| format!("{key}: "));
            format!("{key}{number} is no number that a pipeline has; a text has quotes")
        }
        None => shortened(problem, 500),
    };
    BiotideError::file(place, problem)
}

/// The key before a place, `line 3, column 10`, on its line.
fn key_before<'a>(text: &'a str, place: &str) -> Option<&'a str> {
    let (line, column) = place.strip_prefix("line ")?.split_once(", column ")?;
    let line = text
        .lines()
        .nth(line.parse::<usize>().ok()?.checked_sub(1)?)?;
    let column = column.parse::<usize>().ok()?.checked_sub(1)?;
    let end = line
        .char_indices()
        .nth(column)
        .map_or(line.len(), |(at, _)| at);
    let (before, _) = line.get(..end)?.rsplit_once(':')?;
    let is_of_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let key = before.rsplit(|c| !is_of_key(c)).next()?;
    (!key.is_empty()).then_some(key)
}

thread_local! {
    // (Serde hands values to no one but the type itself.)
    static NODES: Cell<usize> = const { Cell::new(0) };
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A level of nesting, while it is read.
struct Level;

impl Level {
    fn enter() -> Result<Self, String> {
        let (nodes, depth) = (NODES.get() + 1, DEPTH.get() + 1);
        if nodes > MOST_NODES {
            return Err(format!("the file has more than {MOST_NODES} values"));
        }
        if depth > MOST_DEPTH {
            return Err(format!("values are nested more than {MOST_DEPTH} deep"));
        }
        NODES.set(nodes);
        DEPTH.set(depth);
        Ok(Self)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

/// A value as the parser gives it: without its spelling.
enum Raw {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let _level = Level::enter().map_err(D::Error::custom)?;
        deserializer.deserialize_any(AnyRaw)
    }
}

struct AnyRaw;

impl<'de> Visitor<'de> for AnyRaw {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or(Raw::Number(value as f64), Raw::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// What spellings are looked up in.
struct Source<'a> {
    file: &'a Arc<str>,
    text: &'a str,
}

impl Source<'_> {
    fn tree(&self, raw: Spanned<Raw>) -> Tree {
        // (A value that an alias stands for is wrong where it is used.)
        let place = self.place(&raw.referenced);
        let spelling = self.spelling(&raw.defined);
        let scalar = |value, canonical: String| {
            let text = spelling.filter(|text| is_spelling(text, value));
            let text = text.map_or(canonical, str::to_owned);
            let value = if is_padded(&text) { Value::Text } else { value };
            Node::Scalar(Scalar { text, value })
        };
        let node = match raw.value {
            Raw::Null => Node::Null,
            Raw::Boolean(value) => scalar(Value::Boolean(value), format!("{value}")),
            Raw::Integer(value) => scalar(Value::Integer(value), format!("{value}")),
            Raw::Number(value) => scalar(Value::Number(value), format!("{value}")),
            Raw::Text(text) => Node::Scalar(Scalar::text(text)),
            Raw::List(items) => Node::List(items.into_iter().map(|item| self.tree(item)).collect()),
            Raw::Map(entries) => {
                let entry = |(key, value): (Spanned<String>, _)| Entry {
                    key: Placed {
                        place: self.place(&key.referenced),
                        value: key.value,
                    },
                    value: self.tree(value),
                };
                Node::Map(entries.into_iter().map(entry).collect())
            }
        };
        Tree { place, node }
    }

    fn place(&self, location: &yaml::Location) -> Place {
        Place::new(self.file, location.line(), location.column())
    }

    fn spelling(&self, location: &yaml::Location) -> Option<&str> {
        let span = location.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let length = usize::try_from(span.byte_len()?).ok()?;
        let text = self.text.get(start..start.checked_add(length)?)?;
        Some(text.trim())
    }
}

/// Whether a piece of the file is this value, and not an anchor or a tag before it.
fn is_spelling(text: &str, value: Value) -> bool {
    match value {
        Value::Text => false,
        Value::Boolean(_) => text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_alphabetic()),
        Value::Integer(_) | Value::Number(_) => {
            let is_of_number = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
            !text.is_empty() && text.bytes().all(is_of_number)
        }
    }
}
