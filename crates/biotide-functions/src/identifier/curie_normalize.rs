//! `curie_normalize`: the canonical form of a CURIE.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie;
use super::registry::Known;
use super::written::trim_if;
use crate::function::{Call, Spec, flag, text};
use crate::text_column::TextColumn;

pub(super) const SPEC: Spec = Spec {
    name: "curie_normalize",
    arguments: &[
        text("curie", "A CURIE: prefix, colon, identifier."),
        flag(
            "preferred",
            "Write the prefix as its owners do: `CHEBI`, not `chebi` (default: false).",
        ),
        flag(
            "strict",
            "NULL where the identifier does not match its pattern (default: false).",
        ),
    ],
    required: 1,
    subject: 0,
    returns: || DataType::Utf8,
    doc: "The canonical form of a CURIE: its prefix as the Bioregistry has it, its identifier without blanks and \
          redundant prefixes. NULL if there is no colon or the prefix is not known. Bioregistry's function keeps \
          blanks around the identifier, and cuts one redundant prefix only.",
    example: ("curie_normalize('CHEBI:CHEBI:15377')", "chebi:15377"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, trims) = (call.registry()?, !call.as_bioregistry());
    let (preferred, strict) = (call.flag(1, false)?, call.flag(2, false)?);
    let curies = call.text(0)?;
    let mut normal = TextColumn::with_capacity(curies.len(), curies.bytes() + curies.len());
    let mut known = Known::new(&registry, trims);
    for curie in curies.iter() {
        let parts = curie.and_then(|curie| curie::split(trim_if(trims, curie), ":"));
        let Some((spelling, id)) = parts else {
            normal.push_null();
            continue;
        };
        let Some(prefix) = known.find(spelling) else {
            normal.push_null();
            continue;
        };
        let id = curie::standardize(prefix, trim_if(trims, id), trims);
        if strict && !prefix.accepts(id, !trims) {
            normal.push_null();
            continue;
        }
        let name = prefix.written(preferred);
        normal.push_parts([name, ":", id]);
    }
    normal.finish_ref()
}
