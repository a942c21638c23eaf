//! `curie_is_valid`: whether a CURIE is in canonical form, and its identifier matches.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie;
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "curie_is_valid",
    arguments: &[text("curie", "A CURIE.")],
    required: 1,
    returns: || DataType::Boolean,
    doc: "Whether a CURIE is in canonical form: its prefix as the Bioregistry writes it, and an identifier that \
          matches the prefix's pattern as a whole, if there is one, and is not empty. Digits and letters are \
          ASCII's; bioregistry's function takes those of all scripts, and the empty identifier where there is no \
          pattern.",
    example: ("curie_is_valid('go:0003993')", "true"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, exact) = (call.registry()?, call.as_bioregistry());
    call.test(|curie| {
        let Some((spelling, id)) = curie::split(curie, ":") else {
            return false;
        };
        let prefix = registry.find(spelling);
        prefix.is_some_and(|prefix| prefix.prefix == spelling && prefix.accepts(id, exact))
    })
}
