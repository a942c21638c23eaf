//! `iri_standardize`: the canonical form of an IRI.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie::standardize;
use super::written::trim_if;
use crate::function::{Call, Spec, text};
use crate::text_column::TextColumn;

pub(super) const SPEC: Spec = Spec {
    name: "iri_standardize",
    arguments: &[text(
        "iri",
        "An IRI of an entity, in any form that is known.",
    )],
    required: 1,
    subject: 0,
    returns: || DataType::Utf8,
    doc: "The IRI in the form that the Bioregistry prefers. NULL if it is of no known prefix.",
    example: (
        "iri_standardize('https://identifiers.org/CHEBI:15377')",
        "http://purl.obolibrary.org/obo/CHEBI_15377",
    ),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, trims) = (call.registry()?, !call.as_bioregistry());
    let iris = call.text(0)?;
    let mut standard = TextColumn::with_capacity(iris.len(), iris.bytes());
    for iri in iris.iter() {
        let iri = iri.map(|iri| trim_if(trims, iri));
        let found = iri.and_then(|iri| registry.find_iri(iri));
        let found =
            found.and_then(|(prefix, id)| Some((prefix, prefix.uri_prefix.as_deref()?, id)));
        match found {
            Some((prefix, iri, id)) => {
                let id = if trims {
                    standardize(prefix, id, true)
                } else {
                    id
                };
                standard.push_parts([iri, id]);
            }
            None => standard.push_null(),
        }
    }
    standard.finish_ref()
}
