//! Names and words from before SSSOM 1.0.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use biotide_common::yaml::Node;
use biotide_text::delimited::{Column, Layout};

use super::columns::place;
use super::metadata::Metadata;
use crate::formats::reader::Make;

/// Slots that have another name since SSSOM 1.0.
pub(super) const RENAMED: [(&str, &str); 3] = [
    (MATCH_TYPE, JUSTIFICATION),
    ("semantic_similarity_score", "similarity_score"),
    ("semantic_similarity_measure", "similarity_measure"),
];

const MATCH_TYPE: &str = "match_type";
const JUSTIFICATION: &str = "mapping_justification";

/// What `match_type` said before SSSOM 0.9.1, with the justification that it is now.
pub(super) const MATCH_TYPES: [(&str, &str); 6] = [
    ("Lexical", "semapv:LexicalMatching"),
    ("Logical", "semapv:LogicalMatching"),
    ("HumanCurated", "semapv:ManualMappingCuration"),
    ("Complex", "semapv:CompositeMatching"),
    ("Unspecified", "semapv:UnspecifiedMatching"),
    (
        "SemanticSimilarity",
        "semapv:SemanticSimilarityThresholdMatching",
    ),
];

/// What `match_term_type` said before SSSOM 0.9.1, with the type that subject and object have now.
pub(super) const MATCH_TERM_TYPES: [(&str, &str); 6] = [
    ("ConceptMatch", "skos concept"),
    ("ClassMatch", "owl class"),
    ("ObjectPropertyMatch", "owl object property"),
    ("IndividualMatch", "owl named individual"),
    ("DataPropertyMatch", "owl data property"),
    (OLD_LITERAL, LITERAL),
];

/// The type of what has no identifier, but a label only.
pub(super) const LITERAL: &str = "rdfs literal";

/// The word of `match_term_type` for it.
pub(super) const OLD_LITERAL: &str = "TermMatch";

/// The slot that became two.
pub(super) const TERM_TYPE: &str = "match_term_type";

/// Those that it became.
pub(super) const TYPES: [&str; 2] = ["subject_type", "object_type"];

/// Which columns of a file had other names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Old {
    /// `match_type`, which is its `mapping_justification`.
    pub(super) justification: Option<usize>,
    /// `match_term_type`, which is each of [`TYPES`] that the set has not; none where it has both.
    pub(super) types: Option<usize>,
}

impl Old {
    /// Of a file with this header, in whose layout these columns get their names of now. Each file is looked at by
    /// itself: what it says must not depend on the others of its table, of which only the types of columns are taken.
    pub(super) fn of(
        header: &[String],
        layout: &mut Layout,
        table: &Layout,
        metadata: &Metadata,
    ) -> Self {
        for (old, now) in RENAMED {
            rename(layout, old, now, table);
        }
        let lacks = |slot: &&&str| metadata.slot(slot).is_none() && place(layout, slot).is_none();
        if let Some(slot) = TYPES.iter().find(lacks) {
            rename(layout, TERM_TYPE, slot, table);
        }
        let renamed = |old: &str, now: &[&str]| {
            let place = header.iter().position(|name| name == old)?;
            let column = layout.columns.get(place)?;
            now.iter().any(|now| *now == column.name).then_some(place)
        };
        Self {
            justification: renamed(MATCH_TYPE, &[JUSTIFICATION]),
            types: renamed(TERM_TYPE, &TYPES),
        }
    }
}

/// Gives a column the name that its slot has now, unless the file has a column of that name.
fn rename(layout: &mut Layout, old: &str, now: &str, table: &Layout) {
    let (Some(at), None) = (place(layout, old), place(layout, now)) else {
        return;
    };
    let column = &mut layout.columns[at];
    *column = match place(table, now) {
        Some(known) => table.columns[known].clone(),
        None => Column::new(now, column.ty),
    };
}

/// Whether this is a name that no slot has any more.
pub(super) fn is_former(name: &str) -> bool {
    name == TERM_TYPE || RENAMED.iter().any(|(old, _)| *old == name)
}

/// Puts words in the place of others.
#[derive(Debug)]
pub(super) struct Reworded(pub(super) &'static [(&'static str, &'static str)]);

impl Make for Reworded {
    fn make(&self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let texts = cast(column, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let now: StringArray = texts
            .iter()
            .map(|text| {
                let text = text?;
                let known = self.0.iter().find(|(word, _)| *word == text);
                Some(known.map_or(text, |(_, now)| *now))
            })
            .collect();
        cast(&now, column.data_type())
    }
}

/// Says of all mappings of a set in the slots of now what it says in `match_term_type`.
pub(super) fn rename_types(slots: &mut Vec<(String, Node)>) -> Result<(), String> {
    let Some(at) = slots.iter().position(|(name, _)| name == TERM_TYPE) else {
        return Ok(());
    };
    let (_, said) = slots.remove(at);
    for slot in TYPES {
        if slots.iter().any(|(name, _)| name == slot) {
            continue;
        }
        let said = said.text().unwrap_or_default();
        let known = MATCH_TERM_TYPES.iter().find(|(word, _)| *word == said);
        let Some((_, now)) = known else {
            let words = MATCH_TERM_TYPES.map(|(word, _)| word).join(", ");
            return Err(format!("{TERM_TYPE} is not one of {words}, but '{said}'"));
        };
        slots.push((slot.to_owned(), Node::Scalar((*now).to_owned())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_mappings_are_of_is_said_in_two_slots() {
        let scalar = |text: &str| Node::Scalar(text.to_owned());
        let slot = |name: &str, text: &str| (name.to_owned(), scalar(text));
        let mut slots = vec![slot(TERM_TYPE, "ClassMatch"), slot("object_type", "other")];
        rename_types(&mut slots).unwrap();
        let expected = [
            slot("object_type", "other"),
            slot("subject_type", "owl class"),
        ];
        assert_eq!(slots, expected);
        let mut unknown = vec![slot(TERM_TYPE, "Guessed")];
        let error = rename_types(&mut unknown).unwrap_err();
        assert!(error.ends_with("TermMatch, but 'Guessed'"), "{error}");
    }
}
