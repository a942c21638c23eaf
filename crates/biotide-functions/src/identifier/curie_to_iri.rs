//! `curie_to_iri`: the IRI of a CURIE.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie;
use crate::function::{Call, Spec, text};
use crate::text_column::TextColumn;

pub(super) const SPEC: Spec = Spec {
    name: "curie_to_iri",
    arguments: &[text("curie", "A CURIE with a prefix in any spelling.")],
    required: 1,
    subject: 0,
    returns: || DataType::Utf8,
    doc: "The IRI of a CURIE. NULL if the prefix is not known or has no IRIs.",
    example: (
        "curie_to_iri('GO:0003993')",
        "http://purl.obolibrary.org/obo/GO_0003993",
    ),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, trims) = (call.registry()?, !call.as_bioregistry());
    let curies = call.text(0)?;
    let mut iris = TextColumn::with_capacity(curies.len(), 48 * curies.len());
    for curie in curies.iter() {
        let parts = curie.and_then(|curie| curie::parse(&registry, curie, ":", trims));
        let parts = parts.and_then(|(prefix, id)| Some((prefix.uri_prefix.as_deref()?, id)));
        match parts {
            Some((iri, id)) => iris.push_parts([iri, id]),
            None => iris.push_null(),
        }
    }
    iris.finish_ref()
}
