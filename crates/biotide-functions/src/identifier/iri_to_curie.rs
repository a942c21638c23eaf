//! `iri_to_curie`: the CURIE of an IRI.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie::standardize;
use super::written::trim_if;
use crate::function::{Call, Spec, flag, text};
use crate::text_column::TextColumn;

pub(super) const SPEC: Spec = Spec {
    name: "iri_to_curie",
    arguments: &[
        text(
            "iri",
            "An IRI of an entity: `http://purl.obolibrary.org/obo/GO_0003993`.",
        ),
        flag(
            "preferred",
            "Write the prefix as its owners do (default: false).",
        ),
    ],
    required: 1,
    subject: 0,
    returns: || DataType::Utf8,
    doc: "The CURIE of an IRI, by the longest of the 21,330 IRI prefixes that are known. NULL if none is. \
          (The converter of curies keeps blanks around the IRI and redundant prefixes after it.)",
    example: (
        "iri_to_curie('http://purl.obolibrary.org/obo/GO_0003993')",
        "go:0003993",
    ),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, trims) = (call.registry()?, !call.as_bioregistry());
    let preferred = call.flag(1, false)?;
    let iris = call.text(0)?;
    let mut curies = TextColumn::with_capacity(iris.len(), 16 * iris.len());
    for iri in iris.iter() {
        let iri = iri.map(|iri| trim_if(trims, iri));
        let Some((prefix, id)) = iri.and_then(|iri| registry.find_iri(iri)) else {
            curies.push_null();
            continue;
        };
        let id = if trims {
            standardize(prefix, id, true)
        } else {
            id
        };
        let name = prefix.written(preferred);
        curies.push_parts([name, ":", id]);
    }
    curies.finish_ref()
}
