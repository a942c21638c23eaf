//! YAML as it was written: every key and value with its place, every scalar with its spelling.

use std::fmt;

use serde_json::json;

use super::place::{Place, Placed, shortened};

/// A value of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub node: Node,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `~`, `null`, or nothing.
    Null,
    /// Text, a number, true or false.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Tree>),
    /// A mapping, in its order.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Placed<String>,
    /// Its value.
    pub value: Tree,
}

/// A scalar: its spelling, and what YAML takes it for.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// As it was written, without quotes: `1.10` stays `1.10`, a column `y` stays `y`.
    pub text: String,
    /// What it is.
    pub value: Value,
}

/// What a scalar is. Quoted ones are text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Text.
    Text,
    /// `true`, `false`, and YAML's other spellings of them.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
}

impl Scalar {
    /// Text, whatever it looks like.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            value: Value::Text,
        }
    }

    /// What a text without quotes is: of the command line, of the environment, put together of placeholders.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        let value = match text.trim() {
            "true" | "True" | "TRUE" => Value::Boolean(true),
            "false" | "False" | "FALSE" => Value::Boolean(false),
            number => plain_number(number).unwrap_or(Value::Text),
        };
        Self { text, value }
    }
}

fn plain_number(text: &str) -> Option<Value> {
    let digits = text.trim_start_matches(['-', '+']);
    // (`inf` and `nan` are words.)
    if is_padded(text) || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let number = || text.parse().ok().filter(|number: &f64| number.is_finite());
    text.parse()
        .map(Value::Integer)
        .ok()
        .or_else(|| number().map(Value::Number))
}

/// Whether digits begin with a zero that no number needs: `007` is an identifier.
pub(super) fn is_padded(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl Tree {
    /// A scalar at a place.
    pub fn scalar(place: Place, scalar: Scalar) -> Self {
        Self {
            place,
            node: Node::Scalar(scalar),
        }
    }

    /// Whether it is `null`, or nothing.
    pub fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.node {
            Node::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar, as it was written.
    pub fn as_text(&self) -> Option<&str> {
        self.as_scalar().map(|scalar| scalar.text.as_str())
    }

    /// The values of a sequence.
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.node {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a mapping.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.node {
            Node::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let mut entries = self.as_map()?.iter();
        entries
            .find(|entry| entry.key.value == key)
            .map(|entry| &entry.value)
    }

    /// What it is, for a message: `the text 'x'`, `a list of 3`.
    pub fn describe(&self) -> String {
        match &self.node {
            Node::Null => String::from("nothing"),
            Node::Scalar(scalar) => scalar.describe(),
            Node::List(items) => format!("a list of {}", items.len()),
            Node::Map(entries) => format!("a map of {}", entries.len()),
        }
    }

    /// As JSON. Numbers lose their spelling.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.node {
            Node::Null => serde_json::Value::Null,
            Node::Scalar(scalar) => scalar.to_json(),
            Node::List(items) => items.iter().map(Self::to_json).collect(),
            Node::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.value.clone(), entry.value.to_json()))
                .collect(),
        }
    }
}

/// As YAML on one line, with the spelling of numbers: for what reads YAML itself, such as rules.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Null => f.write_str("null"),
            Node::Scalar(scalar) => match scalar.value {
                Value::Text => write!(f, "{}", json!(scalar.text)),
                _ => f.write_str(scalar.text.trim()),
            },
            Node::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Node::Map(entries) => {
                f.write_str("{")?;
                for (i, Entry { key, value }) in entries.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(f, "{comma}{}: {value}", json!(key.value))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl Scalar {
    /// As JSON. Numbers lose their spelling.
    pub fn to_json(&self) -> serde_json::Value {
        match self.value {
            Value::Text => json!(self.text),
            Value::Boolean(value) => json!(value),
            Value::Integer(value) => json!(value),
            Value::Number(value) => json!(value),
        }
    }

    /// What it is, for a message.
    pub fn describe(&self) -> String {
        let shown = shortened(&self.text, 60);
        match self.value {
            Value::Text => format!("the text '{shown}'"),
            Value::Boolean(_) => shown,
            Value::Integer(_) | Value::Number(_) => format!("the number {shown}"),
        }
    }
}
