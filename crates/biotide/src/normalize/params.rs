//! What a step can be given.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a step can be given.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Params {
    pub(super) pattern: Option<String>,
    pub(super) replacement: Option<String>,
    pub(super) separator: Option<String>,
    pub(super) characters: Option<String>,
    pub(super) group: Option<String>,
    pub(super) mapping: Option<BTreeMap<String, Option<String>>>,
    pub(super) strict: Option<bool>,
    pub(super) default: Option<String>,
    pub(super) fields: Option<Vec<String>>,
    pub(super) target_type: Option<String>,
    pub(super) template: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) values: Option<Vec<String>>,
    /// (Texts, as a number that YAML reads loses digits.)
    pub(super) min: Option<String>,
    pub(super) max: Option<String>,
    pub(super) min_length: Option<i64>,
    pub(super) max_length: Option<i64>,
    pub(super) decimal_places: Option<u32>,
    pub(super) expression: Option<String>,
}

impl Params {
    /// The name of one that is left.
    pub(super) fn left(&self) -> Option<&'static str> {
        [
            (self.pattern.is_some(), "pattern"),
            (self.replacement.is_some(), "replacement"),
            (self.separator.is_some(), "separator"),
            (self.characters.is_some(), "characters"),
            (self.group.is_some(), "group"),
            (self.mapping.is_some(), "mapping"),
            (self.strict.is_some(), "strict"),
            (self.fields.is_some(), "fields"),
            (self.target_type.is_some(), "target_type"),
            (self.template.is_some(), "template"),
            (self.namespace.is_some(), "namespace"),
            (self.values.is_some(), "values"),
            (self.min.is_some(), "min"),
            (self.max.is_some(), "max"),
            (self.min_length.is_some(), "min_length"),
            (self.max_length.is_some(), "max_length"),
            (self.decimal_places.is_some(), "decimal_places"),
            (self.expression.is_some(), "expression"),
        ]
        .into_iter()
        .find_map(|(is_left, name)| is_left.then_some(name))
    }
}
