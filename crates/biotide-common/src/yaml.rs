//! Files in YAML that say what to do: rules, parsers, pipelines; and blocks of YAML in data.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor,
};
use serde::ser::{Serialize, Serializer};
pub use serde_saphyr::{Location, Spanned};

/// Reads a text. An error is what is wrong, with line and column.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let problem = error.to_string();
        match error.location() {
            // (It begins with its place, in other words.)
            Some(place) if place.line() > 0 => {
                let (line, column) = (place.line(), place.column());
                let before = format!("line {line} column {column}: ");
                let after = format!(" at line {line}, column {column}");
                let problem = problem.strip_prefix(&before).unwrap_or(&problem);
                let problem = problem.strip_suffix(&after).unwrap_or(problem);
                // (What the library advises its callers is no advice for people.)
                let end = problem
                    .find(", set DuplicateKeyPolicy")
                    .or_else(|| problem.find("; use "));
                at(&place, &problem[..end.unwrap_or(problem.len())])
            }
            _ => problem,
        }
    })
}

/// A problem at a place of a file.
pub fn at(place: &Location, problem: impl Display) -> String {
    let (line, column) = (place.line(), place.column());
    format!("line {line}, column {column}: {problem}")
}

/// A value whose shape is not known beforehand. Scalars are their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// `~`, or nothing.
    Null,
    /// A scalar. A number that is not asked for as text is written anew: `1.10` is `1.1`.
    Scalar(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in its order.
    Map(Vec<(String, Node)>),
}

/// Which keys of a block are text, whatever their values look like: `version: 1.10`.
pub trait Keys {
    /// Whether this one is.
    fn is_text(key: &str) -> bool;
}

/// A mapping at the top of a text, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<K> {
    /// Its keys and values.
    pub entries: Vec<(String, Node)>,
    keys: PhantomData<K>,
}

impl<'de, K: Keys> Deserialize<'de> for Block<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<K>(PhantomData<K>);
        impl<'de, K: Keys> Visitor<'de> for Entries<K> {
            type Value = Block<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Block<K>, A::Error> {
                let mut entries: Vec<(String, Node)> = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format!("\"{key}\" is there twice")));
                    }
                    let value = match K::is_text(&key) {
                        true => map
                            .next_value::<Option<String>>()?
                            .map_or(Node::Null, Node::Scalar),
                        false => map.next_value()?,
                    };
                    entries.push((key, value));
                }
                Ok(Block {
                    entries,
                    keys: PhantomData,
                })
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

/// As JSON, in the order of its keys.
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Scalar(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

impl Node {
    /// Its text, if that is what it is.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// As JSON, in the order of its keys.
    pub fn to_json(&self) -> String {
        // (Keys and scalars are text: there is nothing that JSON could not hold.)
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A node from its JSON.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn mistakes_are_told_with_their_place() {
        type Numbers = BTreeMap<String, u32>;
        let read = |text| read::<Numbers>(text).map_err(|error| error.lines().count());
        assert_eq!(read("a: 1\nb: 2\n").map(|map| map.len()), Ok(2));
        for text in [
            "a: 1\nb: x\n",
            "a: 1\na: 2\n",
            "a: [1\n",
            "a: 1\n b: 2\n",
            "- 1\n",
        ] {
            let error = super::read::<Numbers>(text).unwrap_err();
            assert!(error.starts_with("line "), "{text:?}: {error}");
            assert_eq!(read(text), Err(1), "{error}");
        }
    }

    #[test]
    fn text_keeps_its_spelling() {
        #[derive(Debug)]
        struct Versions;
        impl Keys for Versions {
            fn is_text(key: &str) -> bool {
                key == "version"
            }
        }
        let text = "version: 1.10\nlist:\n  - a\n  - 2\nmap:\n  x: http://y\nnone:\nversion_date: 2022-05-02\n";
        let scalar = |text: &str| Node::Scalar(text.to_owned());
        let block = read::<Block<Versions>>(text).unwrap();
        let expected = [
            ("version", scalar("1.10")),
            ("list", Node::List(vec![scalar("a"), scalar("2")])),
            ("map", Node::Map(vec![("x".to_owned(), scalar("http://y"))])),
            ("none", Node::Null),
            ("version_date", scalar("2022-05-02")),
        ];
        let expected = expected.map(|(key, node)| (key.to_owned(), node));
        assert_eq!(block.entries, expected);
        let twice = read::<Block<Versions>>("a: 1\na: 2\n").unwrap_err();
        assert!(twice.contains("line 2"), "{twice}");
    }
}
