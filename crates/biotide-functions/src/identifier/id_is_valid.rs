//! `id_is_valid`: whether a local identifier is one of a prefix.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion_common::Result;

use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "id_is_valid",
    arguments: &[
        text("prefix", "A prefix in any spelling."),
        text("id", "A local identifier: without the prefix."),
    ],
    required: 2,
    returns: || DataType::Boolean,
    doc: "Whether a local identifier matches its prefix's pattern as a whole, and is not empty; true for any other \
          where the prefix has no pattern (1185 have none). NULL if the prefix is not known. A pattern says \
          little: `TP53` is an identifier of 188 prefixes.",
    example: ("id_is_valid('uniprot', 'P12345')", "true"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, exact) = (call.registry()?, call.as_bioregistry());
    let (prefixes, ids) = (call.text(0)?, call.text(1)?);
    let rows = prefixes.iter().zip(ids.iter());
    let mut last = None;
    let valid = rows.map(|(spelling, id)| {
        let (spelling, id) = spelling.zip(id)?;
        let prefix = match last {
            Some((same, prefix)) if same == spelling => prefix,
            _ => registry.find(spelling),
        };
        last = Some((spelling, prefix));
        Some(prefix?.accepts(id, exact))
    });
    Ok(Arc::new(valid.collect::<BooleanArray>()))
}
