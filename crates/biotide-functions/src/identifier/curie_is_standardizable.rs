//! `curie_is_standardizable`: whether a CURIE has a canonical form that is valid.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie;
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "curie_is_standardizable",
    arguments: &[text("curie", "A CURIE.")],
    required: 1,
    subject: 0,
    returns: || DataType::Boolean,
    doc: "Whether a CURIE is valid once it is in canonical form: see `curie_normalize`, `curie_is_valid`.",
    example: ("curie_is_standardizable('GO:GO:0003993')", "true"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, exact) = (call.registry()?, call.as_bioregistry());
    call.test(|curie| {
        let parts = curie::parse(&registry, curie, ":", !exact);
        parts.is_some_and(|(prefix, id)| prefix.accepts(id, exact))
    })
}
