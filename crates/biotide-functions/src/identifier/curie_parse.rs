//! `curie_parse`: the parts of a CURIE.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullBufferBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion_common::Result;

use super::curie;
use crate::function::{Call, Spec, text};
use crate::text_column::TextColumn;

pub(super) const SPEC: Spec = Spec {
    name: "curie_parse",
    arguments: &[
        text("curie", "A CURIE: prefix, colon, identifier."),
        text(
            "separator",
            "What stands between the two, if it is not a colon.",
        ),
    ],
    required: 1,
    subject: 0,
    returns: || DataType::Struct(fields()),
    doc: "The prefix and the identifier of a CURIE, both in canonical form, as a struct. NULL if there is no \
          separator or the prefix is not known. (Bioregistry's function gives a pair of nothing for the one and \
          nothing for the other.)",
    example: ("curie_parse('GO:0003993')", "{prefix: go, id: 0003993}"),
    compute,
};

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("prefix", DataType::Utf8, true),
        Field::new("id", DataType::Utf8, true),
    ])
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, trims) = (call.registry()?, !call.as_bioregistry());
    let (curies, separators) = (call.text(0)?, call.optional_text(1)?);
    let mut prefixes = TextColumn::default();
    let mut ids = TextColumn::default();
    let mut known = NullBufferBuilder::new(curies.len());
    for (row, curie) in curies.iter().enumerate() {
        let separator = separators.map_or(Some(":"), |separators| separators.get(row));
        let parts = curie.zip(separator);
        let parts =
            parts.and_then(|(curie, separator)| curie::parse(&registry, curie, separator, trims));
        prefixes.push_option(parts.map(|(prefix, _)| prefix.prefix.as_str()));
        ids.push_option(parts.map(|(_, id)| id));
        known.append(parts.is_some());
    }
    let columns: Vec<ArrayRef> = vec![prefixes.finish_ref()?, ids.finish_ref()?];
    Ok(Arc::new(StructArray::try_new(
        fields(),
        columns,
        known.finish(),
    )?))
}
