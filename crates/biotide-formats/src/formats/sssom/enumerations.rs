//! Slots whose values are one of a few words.

use biotide_common::sssom::{self, Slot};
use biotide_common::yaml::Node;

use super::old::LITERAL;

/// The word that denies a mapping, and what mappings are denied by in any table (`CREATE MAPPING`).
const MODIFIERS: [(&str, &str); 15] = [
    (NOT, NOT),
    ("not", NOT),
    ("NOT", NOT),
    ("true", NOT),
    ("True", NOT),
    ("TRUE", NOT),
    ("t", NOT),
    ("T", NOT),
    ("yes", NOT),
    ("Yes", NOT),
    ("YES", NOT),
    ("y", NOT),
    ("Y", NOT),
    ("1", NOT),
    ("1.0", NOT),
];

const NOT: &str = "Not";

const CARDINALITIES: [(&str, &str); 7] = [
    ("1:1", "1:1"),
    ("1:n", "1:n"),
    ("n:1", "n:1"),
    ("n:n", "n:n"),
    ("1:0", "1:0"),
    ("0:1", "0:1"),
    ("0:0", "0:0"),
];

/// The types of entities, and the terms that they mean, which the schema has in its examples. (Not `rdfs:Literal`: that a
/// row may lack an identifier is known by the word.)
const ENTITY_TYPES: [(&str, &str); 23] = [
    ("owl class", "owl class"),
    ("owl object property", "owl object property"),
    ("owl data property", "owl data property"),
    ("owl annotation property", "owl annotation property"),
    ("owl named individual", "owl named individual"),
    ("skos concept", "skos concept"),
    ("rdfs resource", "rdfs resource"),
    ("rdfs class", "rdfs class"),
    (LITERAL, LITERAL),
    ("rdfs datatype", "rdfs datatype"),
    ("rdf property", "rdf property"),
    ("composed entity expression", "composed entity expression"),
    ("owl:Class", "owl class"),
    ("owl:ObjectProperty", "owl object property"),
    ("owl:DataProperty", "owl data property"),
    ("owl:AnnotationProperty", "owl annotation property"),
    ("owl:NamedIndividual", "owl named individual"),
    ("skos:Concept", "skos concept"),
    ("rdfs:Resource", "rdfs resource"),
    ("rdfs:Class", "rdfs class"),
    ("rdfs:Datatype", "rdfs datatype"),
    ("rdf:Property", "rdf property"),
    (
        "sssom:ComposedEntityExpression",
        "composed entity expression",
    ),
];

/// The words that a slot may have, each with the standard's word for it; none where any text is good.
pub(crate) fn words(slot: &Slot) -> &'static [(&'static str, &'static str)] {
    match slot.name {
        "predicate_modifier" => &MODIFIERS,
        "mapping_cardinality" => &CARDINALITIES,
        "subject_type" | "predicate_type" | "object_type" => &ENTITY_TYPES,
        _ => &[],
    }
}

/// Those of the standard.
pub(crate) fn standard(slot: &Slot) -> impl Iterator<Item = &'static str> {
    let words = words(slot).iter();
    words
        .filter(|(word, now)| word == now)
        .map(|(word, _)| *word)
}

/// Says of all mappings of a set by the standard's words what it says by others.
pub(super) fn standardize(slots: &mut [(String, Node)]) -> Result<(), String> {
    for (name, node) in slots {
        let said = node.text().unwrap_or_default();
        let Some(slot) = sssom::by_name(name).filter(|slot| slot.propagates) else {
            continue;
        };
        let known = words(slot);
        if known.is_empty() || said.is_empty() {
            continue;
        }
        let Some((_, now)) = known.iter().find(|(word, _)| *word == said) else {
            let words: Vec<&str> = standard(slot).collect();
            let words = words.join(", ");
            return Err(format!("{name} is not one of {words}, but '{said}'"));
        };
        *node = Node::Scalar((*now).to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_stands_for_one_of_the_standard() {
        for (name, words_of_it) in [
            ("predicate_modifier", 1),
            ("mapping_cardinality", 7),
            ("subject_type", 12),
            ("object_type", 12),
            ("predicate_type", 12),
            ("subject_category", 0),
        ] {
            let slot = sssom::by_name(name).unwrap();
            let standard: Vec<&str> = standard(slot).collect();
            assert_eq!(standard.len(), words_of_it, "{name}");
            for (word, now) in words(slot) {
                assert!(standard.contains(now), "{name}: {word}");
            }
        }
    }

    #[test]
    fn what_all_mappings_have_is_one_of_the_words() {
        let slot = |name: &str, text: &str| (name.to_owned(), Node::Scalar(text.to_owned()));
        let mut slots = vec![
            slot("subject_type", "owl:Class"),
            slot("object_type", "skos concept"),
            slot("comment", "owl:Class"),
        ];
        standardize(&mut slots).unwrap();
        let expected = [
            slot("subject_type", "owl class"),
            slot("object_type", "skos concept"),
            slot("comment", "owl:Class"),
        ];
        assert_eq!(slots, expected);
        let error = standardize(&mut [slot("predicate_type", "zz")]).unwrap_err();
        assert!(
            error.starts_with("predicate_type is not one of owl class, ")
                && error.ends_with(", composed entity expression, but 'zz'"),
            "{error}"
        );
    }
}
