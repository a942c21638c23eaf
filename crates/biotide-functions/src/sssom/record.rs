//! The text that stands for a mapping, and its hash.

use std::collections::BTreeMap;

use biotide_common::sssom::{self, BUILT_IN, Kind, SLOTS, Slot};
use serde::{Deserialize, Serialize};

/// Slots that tell nothing of a mapping by itself.
const LEFT_OUT: [&str; 2] = ["record_id", "mapping_cardinality"];

/// What a set says that its mappings do not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Set {
    /// What its prefixes stand for.
    #[serde(default)]
    pub(super) curie_map: Option<BTreeMap<String, String>>,
    /// What its slots beyond the standard mean.
    #[serde(default)]
    pub(super) extension_definitions: Vec<Definition>,
    /// The prefixes that its files do not mean the same by, with what they say.
    #[serde(skip)]
    pub(super) disputed: BTreeMap<String, String>,
}

/// Why a mapping has no hash, though it has identifiers.
pub(super) type Disputed = String;

/// What a slot beyond the standard means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Definition {
    pub(super) slot_name: String,
    #[serde(default)]
    property: Option<String>,
    #[serde(default)]
    type_hint: Option<String>,
}

impl Set {
    pub(super) fn defines(&self, name: &str) -> Option<&Definition> {
        self.extension_definitions
            .iter()
            .find(|known| known.slot_name == name)
    }

    /// What a prefix stands for. An error is what its files say that do not mean the same.
    fn expansion(&self, prefix: &str) -> Result<Option<&str>, Disputed> {
        if let Some(words) = self.disputed.get(prefix) {
            return Err(words.clone());
        }
        let declared = self.curie_map.as_ref().and_then(|map| map.get(prefix));
        let built_in = || BUILT_IN.iter().find(|(name, _)| *name == prefix);
        Ok(declared
            .map(String::as_str)
            .or_else(|| built_in().map(|(_, iri)| *iri)))
    }
}

/// A column of mappings.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Slot(&'static Slot),
    /// Beyond the standard: by what, and whether it is an entity, or a number with a point.
    Extension {
        property: String,
        entity: bool,
        number: bool,
    },
}

/// A value of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Text(&'a str),
    Number(f64),
    Texts(Vec<String>),
}

/// Which columns of these names count, in the order in which they do. The error is of an extension that its definition
/// gives no IRI.
pub(super) fn parts<'a>(
    names: impl Iterator<Item = &'a str>,
    set: &Set,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(usize, Part)>, String> {
    let mut slots = Vec::new();
    let mut extensions = Vec::new();
    for (column, name) in names.enumerate() {
        if let Some(at) = SLOTS.iter().position(|slot| slot.name == name) {
            if !LEFT_OUT.contains(&name) {
                slots.push((at, column));
            }
            continue;
        }
        let definition = set.defines(name);
        let property = definition.and_then(|known| known.property.as_deref());
        let property = match property {
            Some(property) => expand(property, set, lookup)?
                .ok_or_else(|| format!("the set does not say what '{property}' stands for"))?,
            None => format!("http://sssom.invalid/{name}"),
        };
        let hint = definition.and_then(|known| known.type_hint.as_deref());
        let hint = hint.unwrap_or_default().to_ascii_lowercase();
        extensions.push((
            column,
            Part::Extension {
                property,
                entity: hint.ends_with("uriorcurie"),
                number: hint.ends_with("double"),
            },
        ));
    }
    slots.sort_unstable();
    let property = |part: &Part| match part {
        Part::Extension { property, .. } => property.clone(),
        Part::Slot(_) => String::new(),
    };
    extensions.sort_by_key(|(_, part)| property(part));
    let slots = slots.into_iter();
    let slots = slots.map(|(at, column)| (column, Part::Slot(&SLOTS[at])));
    Ok(slots.chain(extensions).collect())
}

/// The text of a mapping as a canonical S-expression; `None` where an entity has no IRI. An error is that a prefix has
/// several meanings.
pub(super) fn expression<'a>(
    parts: impl Iterator<Item = (&'a Part, Value<'a>)>,
    set: &Set,
    lookup: &dyn Fn(&str) -> Option<String>,
    out: &mut String,
) -> Result<Option<()>, Disputed> {
    out.clear();
    out.push_str("(7:mapping(");
    let mut extended = false;
    for (part, value) in parts {
        let texts = match value {
            Value::Null | Value::Text("") => continue,
            Value::Text(text) => vec![text.to_owned()],
            Value::Number(number) => vec![sssom::number(number)],
            Value::Texts(texts) if texts.is_empty() => continue,
            Value::Texts(texts) => texts,
        };
        let (name, entity, several) = match part {
            Part::Slot(slot) => (slot.name, slot.kind == Kind::Entity, slot.several),
            Part::Extension {
                property, entity, ..
            } => (property.as_str(), *entity, false),
        };
        if matches!(part, Part::Extension { .. }) && !std::mem::replace(&mut extended, true) {
            out.push_str("(10:extensions(");
        }
        let expanded = texts.into_iter().map(|text| match entity {
            true => expand(&text, set, lookup),
            false => Ok(Some(text)),
        });
        let expanded: Option<Vec<String>> = expanded.collect::<Result<_, _>>()?;
        let Some(mut texts) = expanded else {
            return Ok(None);
        };
        out.push('(');
        atom(name, out);
        if several {
            texts.sort_unstable();
            out.push('(');
        }
        texts.iter().for_each(|text| atom(text, out));
        out.push_str(if several { "))" } else { ")" });
    }
    out.push_str(if extended { "))))" } else { "))" });
    Ok(Some(()))
}

/// A text with its length in bytes.
fn atom(text: &str, out: &mut String) {
    out.push_str(&text.len().to_string());
    out.push(':');
    out.push_str(text);
}

/// The IRI of an entity; what is an IRI is one. `lookup` knows the IRIs of CURIEs where the set says nothing.
fn expand(
    entity: &str,
    set: &Set,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Disputed> {
    let Some((prefix, local)) = entity.split_once(':') else {
        return Ok(None);
    };
    Ok(match set.expansion(prefix)? {
        Some(iri) => Some(format!("{iri}{local}")),
        None if local.starts_with("//") => Some(entity.to_owned()),
        None if set.curie_map.is_none() => lookup(entity),
        None => None,
    })
}

/// The hash of a text in hexadecimal digits: FNV-1a of 64 bits, whose RFC (9923) puts the lowest byte first.
pub(super) fn hash(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{:016X}", hash.swap_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &str, row: &[(&str, &str)]) -> (String, String) {
        let set: Set = serde_json::from_str(set).unwrap();
        let none = |_: &str| None;
        let parts = parts(row.iter().map(|(name, _)| *name), &set, &none).unwrap();
        let values = parts.iter().map(|(column, part)| {
            let text = row[*column].1;
            let value = match part {
                Part::Slot(slot) if slot.several => {
                    Value::Texts(text.split('|').map(str::to_owned).collect())
                }
                Part::Slot(slot) if matches!(slot.kind, Kind::Number(..)) => {
                    Value::Number(text.parse().unwrap())
                }
                _ => Value::Text(text),
            };
            (part, value)
        });
        let mut out = String::new();
        expression(values, &set, &none, &mut out).unwrap().unwrap();
        let hash = hash(&out);
        (out, hash)
    }

    /// The example and the test vectors of the specification.
    #[test]
    fn the_vectors_of_the_specification_come_out() {
        let (text, hash) = of(
            r#"{"curie_map": {"FBbt": "http://purl.obolibrary.org/obo/FBbt_", "UBERON": "http://purl.obolibrary.org/obo/UBERON_",
                "orcid": "https://orcid.org/"}}"#,
            &[
                ("subject_id", "FBbt:00001234"),
                ("predicate_id", "skos:exactMatch"),
                ("object_id", "UBERON:0005678"),
                ("mapping_justification", "semapv:ManualMappingCuration"),
                (
                    "creator_id",
                    "orcid:0000-0000-5678-1234|orcid:0000-0000-1234-5678",
                ),
            ],
        );
        assert_eq!(
            text,
            "(7:mapping((10:subject_id44:http://purl.obolibrary.org/obo/FBbt_00001234)(12:predicate_id46:http://www.w3.org/2004/02/skos/core#exactMatch)(9:object_id45:http://purl.obolibrary.org/obo/UBERON_0005678)(21:mapping_justification51:https://w3id.org/semapv/vocab/ManualMappingCuration)(10:creator_id(37:https://orcid.org/0000-0000-1234-567837:https://orcid.org/0000-0000-5678-1234))))"
        );
        assert_eq!(hash, "0A442FB005783031");
        let (text, hash) = of(
            r#"{"curie_map": {"FOODON": "http://purl.obolibrary.org/obo/FOODON_", "KF_FOOD": "https://kewl-foodie.ince/food/",
                "wikidata": "https://www.wikidata.org/wiki/"}}"#,
            &[
                ("confidence", "0.95"),
                ("mapping_date", "2022-05-02"),
                ("subject_id", "KF_FOOD:F001"),
                ("predicate_id", "skos:exactMatch"),
                ("object_id", "FOODON:00002473"),
                ("mapping_justification", "semapv:ManualMappingCuration"),
                ("subject_source", "KF_FOOD:DB"),
                ("object_source", "wikidata:Q55118395"),
                (
                    "object_source_version",
                    "http://purl.obolibrary.org/obo/foodon/releases/2022-02-01/foodon.owl",
                ),
                ("mapping_cardinality", "1:1"),
                ("comment", ""),
            ],
        );
        assert_eq!(
            text,
            "(7:mapping((10:subject_id34:https://kewl-foodie.ince/food/F001)(12:predicate_id46:http://www.w3.org/2004/02/skos/core#exactMatch)(9:object_id46:http://purl.obolibrary.org/obo/FOODON_00002473)(21:mapping_justification51:https://w3id.org/semapv/vocab/ManualMappingCuration)(14:subject_source32:https://kewl-foodie.ince/food/DB)(13:object_source39:https://www.wikidata.org/wiki/Q55118395)(21:object_source_version68:http://purl.obolibrary.org/obo/foodon/releases/2022-02-01/foodon.owl)(12:mapping_date10:2022-05-02)(10:confidence4:0.95)))"
        );
        assert_eq!(hash, "97170EB542E9AE8F");
        let (_, hash) = of(
            r#"{"curie_map": {"FBbt": "http://purl.obolibrary.org/obo/FBbt_", "UBERON": "http://purl.obolibrary.org/obo/UBERON_",
                "example": "https://example.org/sets/record-id#"}}"#,
            &[
                ("record_id", "example:0000001"),
                ("subject_id", "FBbt:0009124"),
                ("predicate_id", "skos:exactMatch"),
                ("object_id", "UBERON:0000003"),
                ("mapping_justification", "semapv:LexicalMatching"),
            ],
        );
        assert_eq!(hash, "18F3436E89AA1AA2");
        let (_, hash) = of(
            r#"{"curie_map": {"HP": "http://purl.obolibrary.org/obo/HP_", "MP": "http://purl.obolibrary.org/obo/MP_"}}"#,
            &[
                ("subject_id", "HP:0009124"),
                ("predicate_id", "skos:exactMatch"),
                ("object_id", "MP:0000003"),
                (
                    "mapping_justification",
                    "semapv:LexicalSimilarityThresholdMatching",
                ),
                ("similarity_score", "0.8"),
                ("mapping_provider", "https://w3id.org/sssom/core_team"),
            ],
        );
        assert_eq!(hash, "0D45A2E8C64EBD65");
        let (text, hash) = of(
            r#"{"curie_map": {"COMENT": "https://example.com/entities/", "EXPROP": "https://example.org/properties/",
                "ORGENT": "https://example.org/entities/"}, "extension_definitions": [
                {"slot_name": "ext_bar", "property": "EXPROP:barProperty", "type_hint": "xsd:integer"},
                {"slot_name": "ext_baz", "property": "EXPROP:bazProperty", "type_hint": "linkml:Uriorcurie"}]}"#,
            &[
                ("ext_baz", "ORGENT:BAZ_0001"),
                ("ext_bar", "111"),
                ("subject_id", "ORGENT:0001"),
                ("subject_label", "alice"),
                ("predicate_id", "skos:closeMatch"),
                ("object_id", "COMENT:0011"),
                ("object_label", "alpha"),
                ("mapping_justification", "semapv:ManualMappingCuration"),
            ],
        );
        assert!(
            text.ends_with(
                "(10:extensions((42:https://example.org/properties/barProperty3:111)(42:https://example.org/properties/bazProperty37:https://example.org/entities/BAZ_0001)))))"
            ),
            "{text}"
        );
        assert_eq!(hash, "66BD0A57A976A109");
    }

    #[test]
    fn entities_have_iris() {
        let set: Set = serde_json::from_str(r#"{"curie_map": {"HP": "http://hp/"}}"#).unwrap();
        let lookup = |entity: &str| Some(format!("looked up {entity}"));
        let expand = |entity: &str, set: &Set| expand(entity, set, &lookup).unwrap();
        assert_eq!(expand("HP:1", &set).as_deref(), Some("http://hp/1"));
        assert_eq!(expand("http://x/1", &set).as_deref(), Some("http://x/1"));
        // A set that declares its prefixes declares all of them.
        assert_eq!(expand("MP:1", &set), None);
        let none = Set::default();
        assert_eq!(expand("MP:1", &none).as_deref(), Some("looked up MP:1"));
        assert_eq!(expand("no entity", &none), None);
    }
}
