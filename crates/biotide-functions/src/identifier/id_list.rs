//! `id_list`: the identifiers of a cell, as texts.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err};

use super::id_split::{Namespaces, split};
use super::verdict::Verdict;
use super::written::trim;
use crate::function::{Call, Spec, text};

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
    let mut lists = ListBuilder::new(StringBuilder::new());
    for (row, cell) in cells.iter().enumerate() {
        let Some((cell, name)) = cell.zip(names.get(row)) else {
            lists.append_null();
            continue;
        };
        let Some(namespace) = namespaces.find(name)? else {
            lists.append_null();
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
        for part in split(cell, namespace, "") {
            match wanted {
                Some(verdict) if part.judged.verdict == verdict => {
                    lists.values().append_value(part.raw)
                }
                None if part.judged.is_valid() => {
                    lists.values().append_option(part.judged.id.as_deref())
                }
                _ => {}
            }
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}
