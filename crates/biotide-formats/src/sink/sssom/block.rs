//! The block of YAML above the table.

use std::collections::BTreeMap;

use biotide_common::sssom::{self, Kind};
use biotide_common::yaml::Node;

/// The slots of a set, in the order of the schema.
const SLOTS: [&str; 37] = [
    "sssom_version",
    "curie_map",
    "mapping_set_id",
    "mapping_set_version",
    "mapping_set_source",
    "mapping_set_title",
    "mapping_set_description",
    "mapping_set_confidence",
    "creator_id",
    "creator_label",
    "license",
    "subject_type",
    "subject_source",
    "subject_source_version",
    "object_type",
    "object_source",
    "object_source_version",
    "predicate_type",
    "mapping_provider",
    "cardinality_scope",
    "mapping_tool",
    "mapping_tool_id",
    "mapping_tool_version",
    "mapping_date",
    "publication_date",
    "subject_match_field",
    "object_match_field",
    "subject_preprocessing",
    "object_preprocessing",
    "similarity_measure",
    "curation_rule",
    "curation_rule_text",
    "see_also",
    "issue_tracker",
    "other",
    "comment",
    "extension_definitions",
];

/// Slots of sets with several values, besides those that mappings have too.
const SEVERAL: [&str; 1] = ["mapping_set_source"];

/// Slots that are not in version 1.0. (The version itself is one.)
const NEWER: [&str; 8] = [
    "record_id",
    "predicate_type",
    "cardinality_scope",
    "mapping_tool_id",
    "review_date",
    "reviewer_agreement",
    "mapping_set_confidence",
    "sssom_version",
];

/// Slots that sets did not have in version 1.0.
const NEWER_IN_SETS: [&str; 3] = ["similarity_measure", "curation_rule", "curation_rule_text"];

const DEFINITIONS: &str = "extension_definitions";

/// What a definition of a slot beyond the standard says.
pub(super) fn of_definition<'a>(definition: &'a Node, key: &str) -> Option<&'a str> {
    let Node::Map(entries) = definition else {
        return None;
    };
    let value = entries.iter().find(|(known, _)| known == key);
    match value {
        Some((_, Node::Scalar(text))) => Some(text),
        _ => None,
    }
}

/// What is written above the table, without its prefixes.
#[derive(Debug, Default)]
pub(super) struct Block {
    slots: BTreeMap<String, Node>,
}

impl Block {
    /// What a set said of itself.
    pub(super) fn of(slots: Vec<(String, Node)>) -> Self {
        Self {
            slots: slots.into_iter().collect(),
        }
    }

    /// What it says of a slot.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.slots.get(name)
    }

    /// Says what all mappings have.
    pub(super) fn set(&mut self, name: &str, node: Node) {
        self.slots.insert(name.to_owned(), node);
    }

    /// The definition of a slot beyond the standard.
    pub(super) fn definition(&self, slot: &str) -> Option<&Node> {
        let Some(Node::List(definitions)) = self.slots.get(DEFINITIONS) else {
            return None;
        };
        let mut all = definitions.iter();
        all.find(|definition| of_definition(definition, "slot_name") == Some(slot))
    }

    /// By what slots beyond the standard are sorted.
    pub(super) fn property(&self, slot: &str) -> String {
        let given = self
            .definition(slot)
            .and_then(|known| of_definition(known, "property"));
        given.map_or_else(|| format!("http://sssom.invalid/{slot}"), str::to_owned)
    }

    /// Whether the values of a slot beyond the standard are entities.
    pub(super) fn holds_entities(&self, slot: &str) -> bool {
        let hint = self
            .definition(slot)
            .and_then(|known| of_definition(known, "type_hint"));
        hint.is_some_and(|hint| hint.to_ascii_lowercase().ends_with("uriorcurie"))
    }

    /// Says what follows from the columns that are written: the version that has all slots, and the definitions
    /// that are used.
    pub(super) fn complete(&mut self, columns: &[&str]) {
        let newer = |name: &str| NEWER.contains(&name);
        let of_set = |name: &String| newer(name) || NEWER_IN_SETS.contains(&name.as_str());
        if columns.iter().any(|name| newer(name)) || self.slots.keys().any(of_set) {
            let version = self.slots.entry("sssom_version".to_owned());
            version.or_insert_with(|| Node::Scalar("1.1".to_owned()));
        }
        let Some(Node::List(mut definitions)) = self.slots.remove(DEFINITIONS) else {
            return;
        };
        definitions.retain(|definition| {
            let slot = of_definition(definition, "slot_name").unwrap_or_default();
            columns.contains(&slot) || self.slots.contains_key(slot)
        });
        definitions.sort_by_key(|definition| {
            let property = of_definition(definition, "property");
            property.unwrap_or_default().to_owned()
        });
        if !definitions.is_empty() {
            let definitions = Node::List(definitions);
            self.slots.insert(DEFINITIONS.to_owned(), definitions);
        }
    }

    /// The prefixes of its identifiers, each with the first that has it.
    pub(super) fn prefixes(&self) -> BTreeMap<String, String> {
        let mut used = BTreeMap::new();
        for (name, node) in &self.slots {
            let is_entity = sssom::by_name(name).is_some_and(|slot| slot.kind == Kind::Entity)
                || self.holds_entities(name);
            match (name.as_str(), node) {
                (_, node) if is_entity => add_entities(name, node, &mut used),
                ("extension_definitions", Node::List(items)) => {
                    for item in items {
                        let Node::Map(entries) = item else { continue };
                        for (key, node) in entries {
                            if matches!(key.as_str(), "property" | "type_hint") {
                                add_entities(name, node, &mut used);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        used
    }

    /// The lines of the block.
    pub(super) fn text(&self, prefixes: BTreeMap<String, String>) -> String {
        let mut out = String::new();
        let prefixes = prefixes
            .into_iter()
            .map(|(prefix, iri)| (prefix, Node::Scalar(iri)));
        let prefixes = Node::Map(prefixes.collect());
        for name in SLOTS {
            let node = match name {
                "curie_map" => Some(&prefixes),
                name => self.slots.get(name),
            };
            if let Some(node) = node {
                self.push_slot(&mut out, name, node);
            }
        }
        let mut others: Vec<(&String, &Node)> = self.slots.iter().collect();
        others.retain(|(name, _)| !SLOTS.contains(&name.as_str()));
        others.sort_by_key(|(name, _)| self.property(name));
        for (name, node) in others {
            self.push_slot(&mut out, name, node);
        }
        out
    }

    fn push_slot(&self, out: &mut String, name: &str, node: &Node) {
        let several =
            SEVERAL.contains(&name) || sssom::by_name(name).is_some_and(|slot| slot.several);
        let list;
        let node = match node {
            Node::Scalar(_) if several => {
                list = Node::List(vec![node.clone()]);
                &list
            }
            node => node,
        };
        push(out, "", &scalar(name, ""), node, name);
    }
}

fn add_entities(slot: &str, node: &Node, used: &mut BTreeMap<String, String>) {
    match node {
        Node::Scalar(value) => {
            if let Some((prefix, local)) = value.split_once(':')
                && !local.starts_with("//")
            {
                let held = used.entry(prefix.to_owned());
                held.or_insert_with(|| {
                    format!("{slot} of the metadata of the set holds '{value}'")
                });
            }
        }
        Node::List(items) => {
            for item in items {
                add_entities(slot, item, used);
            }
        }
        Node::Null | Node::Map(_) => {}
    }
}

/// A key and its value, behind so many blanks.
fn push(out: &mut String, indent: &str, key: &str, node: &Node, slot: &str) {
    let deeper = format!("{indent}  ");
    match node {
        Node::Null => {}
        Node::Scalar(text) => {
            out.push_str(&format!("#{indent}{key}: {}\n", scalar(text, slot)));
        }
        Node::List(items) => {
            if !items.is_empty() {
                out.push_str(&format!("#{indent}{key}:\n"));
            }
            for item in items {
                push_item(out, &deeper, item, slot);
            }
        }
        Node::Map(entries) => {
            if !entries.is_empty() {
                out.push_str(&format!("#{indent}{key}:\n"));
            }
            for (key, node) in entries {
                push(out, &deeper, &scalar(key, ""), node, "");
            }
        }
    }
}

fn push_item(out: &mut String, indent: &str, item: &Node, slot: &str) {
    match item {
        Node::Scalar(text) => out.push_str(&format!("#{indent}- {}\n", scalar(text, slot))),
        Node::Map(entries) => {
            let mut inner = String::new();
            for (key, node) in entries {
                push(
                    &mut inner,
                    &format!("{indent}  "),
                    &scalar(key, ""),
                    node,
                    "",
                );
            }
            // The first key stands behind the dash.
            let blanks = format!("#{indent}  ");
            if let Some(rest) = inner.strip_prefix(&blanks) {
                out.push_str(&format!("#{indent}- {rest}"));
            }
        }
        // (Of lists in lists SSSOM knows nothing.)
        Node::Null | Node::List(_) => {}
    }
}

/// Whether YAML does not take a character as it is, in one of its versions: readers refuse it, or take it for the end of
/// a line.
fn is_escaped(c: char) -> bool {
    let other = ['\u{2028}', '\u{2029}', '\u{FEFF}', '\u{FFFE}', '\u{FFFF}'];
    c.is_control() || other.contains(&c)
}

/// A scalar in plain style where that reads back as the same text, else in double quotes.
fn scalar(text: &str, slot: &str) -> String {
    let first = text.chars().next();
    let indicator = |c: char| "-?:,[]{}#&*!|>'\"%@`=~".contains(c) || c.is_whitespace();
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    let number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && (text.replace('_', "").parse::<f64>().is_ok()
            || text.starts_with("0x")
            || text.starts_with("0o"));
    let plain = first.is_some_and(|c| !indicator(c))
        && !text.ends_with(|c: char| c == ':' || c.is_whitespace())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(is_escaped)
        && !word
        && (!number || slot == "mapping_set_confidence");
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_escaped(c) => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use biotide_common::yaml;

    use super::*;

    #[test]
    fn what_yaml_does_not_take_as_it_is_is_escaped() {
        for (text, written) in [
            ("plain text", "plain text"),
            ("\u{FEFF}mark", r#""\ufeffmark""#),
            ("a mark\u{FEFF}", r#""a mark\ufeff""#),
            ("\u{FFFE}", r#""\ufffe""#),
            ("a\u{FFFF}b", r#""a\uffffb""#),
            ("a\u{0}b", r#""a\u0000b""#),
            ("a\u{7F}b", r#""a\u007fb""#),
            ("a\u{85}b", r#""a\u0085b""#),
            ("a\u{2028}b", r#""a\u2028b""#),
            ("a\tb\r\n", r#""a\tb\r\n""#),
            ("a blank\u{A0}", "\"a blank\u{A0}\""),
        ] {
            assert_eq!(scalar(text, "comment"), written);
            let line = format!("comment: {}\n", scalar(text, "comment"));
            let comment = ("comment".to_owned(), Node::Scalar(text.to_owned()));
            assert_eq!(yaml::read(&line), Ok(Node::Map(vec![comment])), "{line:?}");
        }
    }
}
