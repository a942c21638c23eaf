//! `curie_normalize`: the canonical form of a CURIE.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie;
use super::push_parts::PushParts;
use super::registry::Prefix;
use super::written::trim_if;
use crate::function::{Call, Spec, flag, text};

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
    let mut normal = StringBuilder::with_capacity(curies.len(), curies.bytes() + curies.len());
    // Neighbours mostly have the same prefix.
    let mut last: Option<(&str, Option<&Prefix>)> = None;
    for curie in curies.iter() {
        let parts = curie.and_then(|curie| curie::split(trim_if(trims, curie), ":"));
        let Some((spelling, id)) = parts else {
            normal.append_null();
            continue;
        };
        let prefix = match last {
            Some((same, prefix)) if same == spelling => prefix,
            _ => registry.find(trim_if(trims, spelling)),
        };
        last = Some((spelling, prefix));
        let Some(prefix) = prefix else {
            normal.append_null();
            continue;
        };
        let id = curie::standardize(prefix, trim_if(trims, id), trims);
        if strict && !prefix.accepts(id, !trims) {
            normal.append_null();
            continue;
        }
        let name = prefix.written(preferred);
        normal.push_parts([name, ":", id]);
    }
    Ok(Arc::new(normal.finish()))
}
