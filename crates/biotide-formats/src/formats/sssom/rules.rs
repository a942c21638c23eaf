//! What the rows of a file are held against, by the slots of its columns.

use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::nearest::nearest;
use biotide_common::sssom::{self, Kind};
use biotide_common::yaml::Node;
use biotide_text::delimited::{Bounds, Identifiers, Layout, Required, Rules, When, Words};

use super::columns::words;
use super::enumerations;
use super::metadata::Metadata;
use super::old::{LITERAL, MATCH_TERM_TYPES, MATCH_TYPES, OLD_LITERAL, Old};

/// The rules for files with these columns; an error if they lack one that every set must have.
pub(super) fn of_file(
    file: &str,
    layout: &Layout,
    metadata: &Metadata,
    old: Old,
) -> Result<Rules, BiotideError> {
    let place = |name: &str| layout.columns.iter().position(|column| column.name == name);
    let mut rules = Rules::default();
    let prefixes = metadata.known_prefixes().map(Arc::new);
    let iris = metadata.iris();
    let iris = iris.starts().map(|iri| iri.as_bytes().to_vec()).collect();
    let iris = Arc::new(iris);
    for (column, spec) in layout.columns.iter().enumerate() {
        let Some(slot) = sssom::by_name(&spec.name) else {
            continue;
        };
        match (slot.kind, &prefixes) {
            (Kind::Entity, Some(prefixes)) => rules.identifiers.push(Identifiers {
                column,
                several: slot.several,
                strict: slot.is_core(),
                prefixes: Arc::clone(prefixes),
                iris: Arc::clone(&iris),
                words: if old.justification == Some(column) {
                    &MATCH_TYPES
                } else {
                    words(slot)
                },
            }),
            (Kind::Number(low, high), _) => rules.bounds.push(Bounds { column, low, high }),
            _ => {}
        }
        let enumerated: &'static [_] = match old.types == Some(column) {
            true => &MATCH_TERM_TYPES,
            false => enumerations::words(slot),
        };
        if !enumerated.is_empty() {
            rules.words.push(Words {
                column,
                words: enumerated,
            });
        }
    }
    let lacks = |name: &str| {
        let names = layout.columns.iter().map(|column| column.name.as_str());
        lacking(file, name, names)
    };
    for name in ["predicate_id", "mapping_justification"] {
        rules.required.push(Required {
            column: Some(place(name).ok_or_else(|| lacks(name))?),
            when: None,
        });
    }
    for side in ["subject", "object"] {
        let [id, label, kind] = ["id", "label", "type"].map(|slot| format!("{side}_{slot}"));
        let of_set = metadata.slot(&kind);
        let given = matches!(of_set, Some(Node::Scalar(kind)) if kind == LITERAL);
        let (column, literal) = match (place(&kind), old.types) {
            (Some(column), types) if types != Some(column) => (Some(column), LITERAL),
            (None, _) if of_set.is_some() => (None, LITERAL),
            (_, types) => (types, OLD_LITERAL),
        };
        let when = |column, is| When {
            column,
            value: literal,
            is,
        };
        match column {
            // A literal has a label in place of an identifier.
            Some(column) => rules.required.extend([
                Required {
                    column: place(&id),
                    when: Some(when(column, false)),
                },
                Required {
                    column: place(&label),
                    when: Some(when(column, true)),
                },
            ]),
            None => {
                let name = if given { label } else { id };
                rules.required.push(Required {
                    column: Some(place(&name).ok_or_else(|| lacks(&name))?),
                    when: None,
                });
            }
        }
    }
    Ok(rules)
}

/// Says which column is lacking, and which may be meant for it: none that is what its own name says.
fn lacking<'a>(file: &str, name: &str, names: impl Iterator<Item = &'a str>) -> BiotideError {
    let others = names.filter(|other| sssom::by_name(other).is_none());
    let hint = match nearest(name, others) {
        Some(near) => format!(
            "; the nearest that it has is {near} (column_aliases => '{near}={name}', if that is it)"
        ),
        None => String::new(),
    };
    let problem = format!(
        "it has no column {name}, which every set of mappings must have{hint}; read_tsv('…', comment => '#') \
         reads any table"
    );
    BiotideError::file(file, problem)
}
