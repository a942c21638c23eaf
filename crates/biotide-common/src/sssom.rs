//! The slots of SSSOM's `Mapping` class (schema 1.1), which its reader, its writer and its hash go by.

use std::borrow::Cow;

/// What a slot's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// An entity, written as a CURIE.
    Entity,
    /// A day.
    Date,
    /// A number between two others.
    Number(i32, i32),
}

/// A slot of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Whether a mapping may have several.
    pub several: bool,
    /// Whether the set may give it for all mappings.
    pub propagates: bool,
}

const fn slot(name: &'static str, kind: Kind) -> Slot {
    Slot {
        name,
        kind,
        several: false,
        propagates: false,
    }
}

impl Slot {
    const fn several(self) -> Self {
        Self {
            several: true,
            ..self
        }
    }

    const fn propagates(self) -> Self {
        Self {
            propagates: true,
            ..self
        }
    }
}

use Kind::{Date, Entity, Number, Text};

/// The slots, in the order of the schema.
pub const SLOTS: [Slot; 50] = [
    slot("record_id", Entity),
    slot("subject_id", Entity),
    slot("subject_label", Text),
    slot("subject_category", Text),
    slot("predicate_id", Entity),
    slot("predicate_label", Text),
    slot("predicate_modifier", Text),
    slot("object_id", Entity),
    slot("object_label", Text),
    slot("object_category", Text),
    slot("mapping_justification", Entity),
    slot("author_id", Entity).several(),
    slot("author_label", Text).several(),
    slot("reviewer_id", Entity).several(),
    slot("reviewer_label", Text).several(),
    slot("creator_id", Entity).several(),
    slot("creator_label", Text).several(),
    slot("license", Text),
    slot("subject_type", Text).propagates(),
    slot("subject_source", Entity).propagates(),
    slot("subject_source_version", Text).propagates(),
    slot("object_type", Text).propagates(),
    slot("object_source", Entity).propagates(),
    slot("object_source_version", Text).propagates(),
    slot("predicate_type", Text).propagates(),
    slot("mapping_provider", Text).propagates(),
    slot("mapping_source", Entity),
    slot("mapping_cardinality", Text),
    slot("cardinality_scope", Text).several().propagates(),
    slot("mapping_tool", Text).propagates(),
    slot("mapping_tool_id", Entity).propagates(),
    slot("mapping_tool_version", Text).propagates(),
    slot("mapping_date", Date).propagates(),
    slot("publication_date", Date),
    slot("review_date", Date),
    slot("confidence", Number(0, 1)),
    slot("reviewer_agreement", Number(-1, 1)),
    slot("curation_rule", Entity).several().propagates(),
    slot("curation_rule_text", Text).several().propagates(),
    slot("subject_match_field", Entity).several().propagates(),
    slot("object_match_field", Entity).several().propagates(),
    slot("match_string", Text).several(),
    slot("subject_preprocessing", Entity).several().propagates(),
    slot("object_preprocessing", Entity).several().propagates(),
    slot("similarity_score", Number(0, 1)),
    slot("similarity_measure", Text).propagates(),
    slot("see_also", Text).several(),
    slot("issue_tracker_item", Entity),
    slot("other", Text),
    slot("comment", Text),
];

/// The prefixes that need no declaration, with their IRIs.
pub const BUILT_IN: [(&str, &str); 8] = [
    ("linkml", "https://w3id.org/linkml/"),
    ("owl", "http://www.w3.org/2002/07/owl#"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("semapv", "https://w3id.org/semapv/vocab/"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("sssom", "https://w3id.org/sssom/"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// The prefixes that a set should declare, but that many leave out: what is read without has them all the same, and what is
/// written declares them.
pub const TAKEN_AS_DECLARED: [(&str, &str); 1] = [("orcid", "https://orcid.org/")];

/// Words for predicates that people write without their prefix.
pub const PREDICATES: [(&str, &str); 15] = [
    ("exactMatch", "skos:exactMatch"),
    ("closeMatch", "skos:closeMatch"),
    ("broadMatch", "skos:broadMatch"),
    ("narrowMatch", "skos:narrowMatch"),
    ("relatedMatch", "skos:relatedMatch"),
    ("mappingRelation", "skos:mappingRelation"),
    ("sameAs", "owl:sameAs"),
    ("equivalentClass", "owl:equivalentClass"),
    ("equivalentProperty", "owl:equivalentProperty"),
    ("subClassOf", "rdfs:subClassOf"),
    ("subPropertyOf", "rdfs:subPropertyOf"),
    ("hasDbXref", "oboInOwl:hasDbXref"),
    ("crossSpeciesExactMatch", "semapv:crossSpeciesExactMatch"),
    ("crossSpeciesNarrowMatch", "semapv:crossSpeciesNarrowMatch"),
    ("crossSpeciesBroadMatch", "semapv:crossSpeciesBroadMatch"),
];

/// The predicate of a word.
pub fn predicate(word: &str) -> Option<&'static str> {
    let known = PREDICATES.iter().find(|(known, _)| *known == word);
    known.map(|(_, curie)| *curie)
}

/// An IRI without the brackets that it may stand in.
pub fn without_brackets(text: &str) -> &str {
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    inner.unwrap_or(text)
}

/// The key of a schema's metadata that holds the prefixes of a set, as a JSON object.
pub const CURIE_MAP: &str = "sssom.curie_map";

/// The key of a schema's metadata that holds the prefixes that sources of a table do not mean the same by, as a JSON
/// list (see `disputes`).
pub const DISPUTED: &str = "sssom.disputed";

/// The key of a schema's metadata that holds the other slots of a set, as a JSON object.
pub const SET: &str = "sssom.set";

impl Slot {
    /// Whether its value, if it is an entity, is a CURIE in every set. Others hold IRIs and names in many sets.
    pub fn is_core(&self) -> bool {
        matches!(
            self.name,
            "subject_id" | "predicate_id" | "object_id" | "mapping_justification"
        )
    }
}

/// A slot by its name.
pub fn by_name(name: &str) -> Option<&'static Slot> {
    SLOTS.iter().find(|slot| slot.name == name)
}

/// The values of a slot that may have several: between bars. `\|` is a bar, `\\` a backslash, any other backslash
/// itself. Empty values are none.
pub fn split(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(text);
    let items = std::iter::from_fn(move || {
        let text = rest.take()?;
        let bytes = text.as_bytes();
        let (mut at, mut escaped) = (0, false);
        while let Some(byte) = bytes.get(at) {
            match (byte, bytes.get(at + 1)) {
                (b'\\', Some(b'|' | b'\\')) => {
                    escaped = true;
                    at += 2;
                }
                (b'|', _) => {
                    rest = text.get(at + 1..);
                    break;
                }
                _ => at += 1,
            }
        }
        let item = text.get(..at).unwrap_or_default();
        Some(match escaped {
            true => Cow::Owned(unescape(item)),
            false => Cow::Borrowed(item),
        })
    });
    items.filter(|item| !item.is_empty())
}

/// A value as it stands between bars.
pub fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('|', r"\|")
}

/// A number with at most three digits behind its point, rounded half away from zero.
pub fn number(number: f64) -> String {
    let rounded = (number * 1000.0).round() / 1000.0;
    // (A zero has no sign.)
    (rounded + 0.0).to_string()
}

fn unescape(item: &str) -> String {
    let mut out = String::with_capacity(item.len());
    let mut chars = item.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = (c == '\\').then(|| chars.next_if(|&next| next == '|' || next == '\\'));
        out.push(escaped.flatten().unwrap_or(c));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        // The specification's own examples.
        for (number, text) in [
            (0.7832, "0.783"),
            (0.7835, "0.784"),
            (0.7836, "0.784"),
            (-0.7835, "-0.784"),
            (1.0, "1"),
            (-0.0, "0"),
        ] {
            assert_eq!(super::number(number), text);
        }
    }

    #[test]
    fn values_stand_between_bars() {
        let values = |text: &str| split(text).map(Cow::into_owned).collect::<Vec<_>>();
        assert_eq!(values("a"), ["a"]);
        assert_eq!(values("a|b||"), ["a", "b"]);
        assert_eq!(values(""), [""; 0]);
        // The specification's own examples.
        assert_eq!(values(r"Alice\|Bob|Charlie"), ["Alice|Bob", "Charlie"]);
        assert_eq!(
            values(r"Alice\\Bob|Charlie\\|David\\\|Eve\\"),
            [r"Alice\Bob", r"Charlie\", r"David\|Eve\"]
        );
        assert_eq!(values(r"a\b\"), [r"a\b\"]);
    }
}
