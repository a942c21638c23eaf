//! `id_standardize`: a local identifier without redundant prefixes.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::curie::standardize;
use super::written::trim_if;
use crate::function::{Call, Spec, text};
use crate::text_column::TextColumn;

pub(super) const SPEC: Spec = Spec {
    name: "id_standardize",
    arguments: &[
        text("prefix", "A prefix in any spelling."),
        text(
            "id",
            "A local identifier, with a redundant prefix or without.",
        ),
    ],
    required: 2,
    subject: 1,
    returns: || DataType::Utf8,
    doc: "The local identifier without blanks and redundant prefixes. NULL if the prefix is not known. \
          (Bioregistry cuts one redundant prefix only, `GO:GO:0000001` of go keeps one, and keeps blanks: \
          `identifiers.mode` brings that back.)",
    example: ("id_standardize('chebi', 'CHEBI:15377')", "15377"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, trims) = (call.registry()?, !call.as_bioregistry());
    let (prefixes, ids) = (call.text(0)?, call.text(1)?);
    let mut standard = TextColumn::with_capacity(ids.len(), ids.bytes());
    for (spelling, id) in prefixes.iter().zip(ids.iter()) {
        let prefix = spelling.and_then(|spelling| registry.find(spelling));
        let id = prefix
            .zip(id)
            .map(|(prefix, id)| standardize(prefix, trim_if(trims, id), trims));
        standard.push_option(id);
    }
    standard.finish_ref()
}
