//! `prefix_normalize`: the canonical form of a prefix.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::written::trim_if;
use crate::function::{Call, Spec, flag, text};
use crate::text_column::TextColumn;

pub(super) const SPEC: Spec = Spec {
    name: "prefix_normalize",
    arguments: &[
        text("prefix", "A prefix in any spelling."),
        flag(
            "preferred",
            "As its owners write it: `NCBIGene`, not `ncbigene` (default: false).",
        ),
    ],
    required: 1,
    subject: 0,
    returns: || DataType::Utf8,
    doc: "The prefix as the Bioregistry has it: case, blanks and - _ . / do not count, synonyms are known. NULL if \
          it is not known. (The converter of curies knows upper and lower case only: not `Go`, nor `Entrez Gene`.)",
    example: ("prefix_normalize('Entrez Gene')", "ncbigene"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, preferred) = (call.registry()?, call.flag(1, false)?);
    let trims = !call.as_bioregistry();
    let prefixes = call.text(0)?;
    let mut normal = TextColumn::with_capacity(prefixes.len(), prefixes.bytes());
    for prefix in prefixes.iter() {
        let prefix = prefix.map(|prefix| trim_if(trims, prefix));
        let found = prefix.and_then(|prefix| registry.find(prefix));
        normal.push_option(found.map(|found| found.written(preferred)));
    }
    normal.finish_ref()
}
