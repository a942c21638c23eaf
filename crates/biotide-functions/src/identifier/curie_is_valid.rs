//! `curie_is_valid`: whether a CURIE is in canonical form, and its identifier matches.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie;
use super::level::{self, Judge};
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "curie_is_valid",
    arguments: &[text("curie", "A CURIE."), text("level", level::DOC)],
    required: 1,
    subject: 0,
    returns: || DataType::Boolean,
    doc: "Whether a CURIE is in canonical form: its prefix as the Bioregistry writes it, and an identifier that \
          matches the prefix's pattern as a whole, if there is one, and is not empty. Digits and letters are \
          ASCII's; bioregistry's function takes those of all scripts, and the empty identifier where there is no \
          pattern.",
    example: ("curie_is_valid('go:0003993')", "true"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, judge) = (call.registry()?, Judge::new(call, 1)?);
    let valid = call.text(0)?.iter().enumerate().map(|(row, curie)| {
        let Some(curie) = curie else {
            return Ok(None);
        };
        let parts = curie::split(curie, ":");
        let known = parts.and_then(|(spelling, id)| {
            let prefix = registry.find(spelling)?;
            (prefix.prefix == spelling).then_some((prefix, id))
        });
        known.map_or(Ok(Some(false)), |(prefix, id)| {
            judge.accepts(row, prefix, id).map(Some)
        })
    });
    Ok(Arc::new(valid.collect::<Result<BooleanArray>>()?))
}
