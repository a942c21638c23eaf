//! `parse_identifier`: the best that the parsers make of a text.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::candidates::{Asked, Stated};
use super::parser::{Candidate, THRESHOLD, Verdict};
use super::written::content;
use crate::function::{Call, Spec, number, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "parse_identifier",
    arguments: &[
        text("value", "An identifier."),
        text(
            "type",
            "What it is: a prefix in any spelling, or the name of a parser's type (gene_symbol, curie, …). NULL if \
             that is not known.",
        ),
        number("threshold", "The least confidence, 0 to 1. Default: 0.7."),
    ],
    required: 2,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "The best that the parsers make of a text: the canonical form, how sure that is, which parser says so, and \
          what else it knows. A stated type wins: its parsers alone are asked, or the pattern of its prefix. \
          Without one every parser is, and its confidence is weighed by how much the text alone says: digits are \
          weak evidence for every namespace, and stay below the threshold. What is below it has no parsed value, \
          and the verdict `unmapped`, or why it is none. `SELECT * FROM system.parsers` lists the parsers; \
          `SET biotide.identifiers.parsers = 'parsers.yaml'` adds some.",
    example: (
        "parse_identifier('sp|P12345|AATM_RABIT', 'uniprot')['parsed']",
        "P12345",
    ),
    compute,
};

/// A candidate as SQL shows it.
pub(super) const COLUMNS: [Column; 7] = [
    ("raw", Holds::Text),
    ("parsed", Holds::Text),
    ("confidence", Holds::Real),
    ("parser", Holds::Text),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
    ("metadata", Holds::Pairs),
];

/// A candidate as a row.
pub(super) fn row<'a>(raw: &'a str, candidate: Candidate) -> [Value<'a>; 7] {
    let parsed = candidate.parsed;
    [
        raw.into(),
        parsed.value.into(),
        parsed.confidence.into(),
        candidate.parser.into(),
        parsed.verdict.name().into(),
        parsed.note.map(|note| note.into_owned()).into(),
        Value::Pairs(parsed.metadata),
    ]
}

/// What is less sure than was asked for.
fn unsure(mut candidate: Candidate, stated: bool) -> Candidate {
    let parsed = &mut candidate.parsed;
    if matches!(parsed.verdict, Verdict::Ok | Verdict::Repaired) {
        parsed.verdict = Verdict::Unmapped;
        parsed.note = Some(match stated {
            true => "less sure than the threshold".into(),
            false => "less sure than the threshold: state its type".into(),
        });
    }
    parsed.value = None;
    candidate
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, types) = (call.text(0)?, call.text(1)?);
    let thresholds = call.confidence(2, THRESHOLD)?;
    let asked = Asked::new(call)?;
    let mut stated = Stated::new(call, 1);
    let mut records = Records::new(&COLUMNS);
    let nothing = |raw: Option<&str>, verdict: Verdict, note: Option<&'static str>| {
        let raw = raw.map(str::to_owned).into();
        [
            raw,
            Value::Null,
            Value::Null,
            Value::Null,
            verdict.name().into(),
            note.into(),
            Value::Null,
        ]
    };
    for (row_number, value) in values.iter().enumerate() {
        let Some(value) = value.filter(|value| content(value).is_some()) else {
            records.push(nothing(value, Verdict::Null, None));
            continue;
        };
        let Some(kind) = stated.of(&asked, types.get(row_number))? else {
            records.push(nothing(
                Some(value),
                Verdict::Invalid,
                Some("there is no such type"),
            ));
            continue;
        };
        let threshold = thresholds.get(row_number);
        let mut candidates = asked.candidates(value, kind.as_ref(), 0.0)?.into_iter();
        match candidates.next() {
            Some(best) if best.parsed.confidence >= threshold => records.push(row(value, best)),
            Some(best) => records.push(row(value, unsure(best, kind.is_some()))),
            None => {
                let verdict = match kind {
                    Some(_) => (Verdict::Invalid, "not of this type"),
                    None => (Verdict::Unmapped, "no parser knows it"),
                };
                records.push(nothing(Some(value), verdict.0, Some(verdict.1)));
            }
        }
    }
    Ok(Arc::new(records.finish()?))
}
