//! `parse_identifiers`: all that the parsers make of a text.

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::candidates::{Asked, Stated};
use super::on_invalid::failed;
use super::parse_identifier::{COLUMNS, row};
use super::parser::THRESHOLD;
use super::written::content;
use crate::function::{Call, Spec, number, text};
use crate::record::{Lists, list_type};

pub(super) const SPEC: Spec = Spec {
    name: "parse_identifiers",
    arguments: &[
        text("value", "An identifier."),
        text(
            "type",
            "What it is, as for parse_identifier; NULL if that is not known.",
        ),
        number("threshold", "The least confidence, 0 to 1. Default: 0.7."),
    ],
    required: 1,
    subject: 0,
    returns: || list_type(&COLUMNS),
    doc: "All candidates of [parse_identifier](#parse_identifier) that are as sure as the threshold, the best \
          first; of those as sure the parser of the higher priority.",
    example: (
        "parse_identifiers('7157', NULL, 0.1)[1]['confidence']",
        "0.2",
    ),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, types) = (call.text(0)?, call.optional_text(1)?);
    let thresholds = call.confidence(2, THRESHOLD)?;
    let asked = Asked::new(call)?;
    let mut stated = Stated::new(call, 1);
    let mut lists = Lists::new(&COLUMNS);
    for (row_number, value) in values.iter().enumerate() {
        let Some(value) = value else {
            lists.push_null();
            continue;
        };
        let name = types.and_then(|types| types.get(row_number));
        let candidates = match stated.of(&asked, name)? {
            Some(kind) => asked.candidates(value, kind.as_ref(), thresholds.get(row_number))?,
            None => Vec::new(),
        };
        if candidates.is_empty() && call.fails() && content(value).is_some() {
            return Err(failed(
                SPEC.name,
                value,
                "is nothing that a parser knows so surely",
            ));
        }
        lists.push(
            candidates
                .into_iter()
                .map(|candidate| row(value, candidate)),
        );
    }
    lists.finish()
}
