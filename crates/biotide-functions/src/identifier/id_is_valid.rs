//! `id_is_valid`: whether a local identifier is one of a prefix.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::level::{self, Judge};
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "id_is_valid",
    arguments: &[
        text("prefix", "A prefix in any spelling."),
        text("id", "A local identifier: without the prefix."),
        text("level", level::DOC),
    ],
    required: 2,
    subject: 1,
    returns: || DataType::Boolean,
    doc: "Whether a local identifier matches its prefix's pattern as a whole, and is not empty; true for any other \
          where the prefix has no pattern (1185 have none). NULL if the prefix is not known. A pattern says \
          little: `TP53` is an identifier of 188 prefixes.",
    example: ("id_is_valid('uniprot', 'P12345')", "true"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, judge) = (call.registry()?, Judge::new(call, 2)?);
    let (prefixes, ids) = (call.text(0)?, call.text(1)?);
    if let Some(Some(spelling)) = prefixes.constant()
        && let Some(prefix) = registry.find(spelling)
        && let Some(matches) = judge.matcher(prefix)
    {
        return Ok(Arc::new(ids.test(|id| matches(id.as_bytes()))));
    }
    let rows = prefixes.iter().zip(ids.iter()).enumerate();
    let mut last = None;
    let valid = rows.map(|(row, (spelling, id))| {
        let Some((spelling, id)) = spelling.zip(id) else {
            return Ok(None);
        };
        let prefix = match last {
            Some((same, prefix)) if same == spelling => prefix,
            _ => registry.find(spelling),
        };
        last = Some((spelling, prefix));
        prefix
            .map(|prefix| judge.accepts(row, prefix, id))
            .transpose()
    });
    Ok(Arc::new(valid.collect::<Result<BooleanArray>>()?))
}
