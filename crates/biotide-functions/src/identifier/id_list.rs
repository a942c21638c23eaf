//! `id_list`: the identifiers of a cell, as texts.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err};

use super::cutter::Cutter;
use super::id_split::{Namespaces, plain, split};
use super::on_invalid::failed;
use super::parts::Parts;
use super::verdict::Verdict;
use super::written::trim;
use crate::function::{Call, Spec, text};
use crate::record::ListEnds;
use crate::text_column::TextColumn;

pub(super) const SPEC: Spec = Spec {
    name: "id_list",
    arguments: &[
        text(
            "cell",
            "Identifiers, joined in any of the ways that files have.",
        ),
        text("namespace", "What they are: a prefix in any spelling."),
        text(
            "verdict",
            "Leaves the parts of this verdict, as they were written (`invalid`, `unmapped`, …).",
        ),
    ],
    required: 2,
    subject: 0,
    returns: || DataType::new_list(DataType::Utf8, true),
    doc: "The identifiers of a cell that can be used, each in canonical form and once: [id_split](#id_split) without \
          what it says of them. With a verdict, the parts that have it, as they were written.",
    example: ("id_list('Q14213_Q8NEV9', 'uniprot')", "[Q14213, Q8NEV9]"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (cells, names) = (call.text(0)?, call.text(1)?);
    let verdicts = call.optional_text(2)?;
    let mut namespaces = Namespaces::new(call)?;
    let mut lists = ListEnds::with_capacity(cells.len());
    let mut ids = TextColumn::with_capacity(cells.len(), cells.bytes());
    let (mut parts, mut pieces) = (Parts::default(), Vec::new());
    let cutter = Cutter::new("");
    for (row, cell) in cells.iter().enumerate() {
        let Some((cell, name)) = cell.zip(names.get(row)) else {
            lists.push_null();
            continue;
        };
        let Some(found) = namespaces.find(name)? else {
            lists.push_null();
            continue;
        };
        let wanted = match verdicts.and_then(|verdicts| verdicts.get(row)) {
            Some(name) => match Verdict::of(trim(name)) {
                Some(verdict) => Some(verdict),
                None => {
                    return exec_err!(
                        "id_list: \"{name}\" is no verdict: there are {}",
                        Verdict::NAMES
                    );
                }
            },
            None => None,
        };
        if wanted.is_none()
            && let Some(matches) = found.canonical
            && plain(cell, matches, &cutter, &mut pieces)
        {
            pieces.iter().for_each(|id| ids.push(id));
            lists.push(ids.len());
            continue;
        }
        split(cell, &found.namespace, &cutter, &mut parts);
        for part in parts.list() {
            match wanted {
                Some(verdict) if part.judged.verdict == verdict => ids.push(part.raw),
                None if part.judged.verdict == Verdict::Invalid && call.fails() => {
                    let why = part.judged.note.unwrap_or("is invalid");
                    return Err(failed(SPEC.name, part.raw, why));
                }
                None if part.judged.is_valid() => ids.push_option(part.judged.id.as_deref()),
                _ => {}
            }
        }
        lists.push(ids.len());
    }
    lists.finish_items(DataType::Utf8, ids.finish_ref()?)
}
