//! `refseq_parse`: RefSeq accessions.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::verdict::{Judged, Verdict};
use super::written::{content, is_digits, without_prefix};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "refseq_parse",
    arguments: &[text("text", "An accession, with its version or without.")],
    required: 1,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "The parts of a RefSeq accession: two letters that say what it is, an underscore, digits, version \
          (ncbi.nlm.nih.gov/books/NBK21091, table 1).",
    example: ("refseq_parse('NM_000546.6')['version']", "6"),
    compute,
};

const COLUMNS: [Column; 6] = [
    ("accession", Holds::Text),
    ("version", Holds::Number),
    ("molecule", Holds::Text),
    ("predicted", Holds::Flag),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// What an accession's letters say: the molecule, and whether it was predicted.
fn kind(letters: &str) -> Option<(&'static str, bool)> {
    Some(match letters {
        "AC" | "NC" | "NG" | "NT" | "NW" | "NZ" => ("genomic", false),
        "NM" => ("mrna", false),
        "NR" => ("rna", false),
        "NP" | "AP" | "YP" | "WP" => ("protein", false),
        "XM" => ("mrna", true),
        "XR" => ("rna", true),
        "XP" | "ZP" => ("protein", true),
        _ => return None,
    })
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RefSeq {
    pub(super) accession: String,
    pub(super) version: Option<i64>,
    pub(super) kind: (&'static str, bool),
}

pub(super) fn parse(text: &str) -> Option<RefSeq> {
    let bare = without_prefix(text, "refseq");
    let (accession, version) = match bare.split_once('.') {
        Some((accession, version)) => (accession, Some(version)),
        None => (bare, None),
    };
    let version = match version {
        Some(version) => Some(is_digits(version).then(|| version.parse().ok())??),
        None => None,
    };
    let accession = accession
        .is_ascii()
        .then(|| accession.to_ascii_uppercase())?;
    let (letters, number) = accession.split_once('_')?;
    let kind = kind(letters)?;
    // Genomes of NZ have the accession of the sequence they were made of.
    let number = match letters {
        // (Of whole genomes, four to six letters before the number; two of complete ones.)
        "NZ" => {
            let digits = number.trim_start_matches(|c: char| c.is_ascii_uppercase());
            (2..=6)
                .contains(&(number.len() - digits.len()))
                .then_some(digits)?
        }
        _ => number,
    };
    is_digits(number).then_some(RefSeq {
        version,
        kind,
        accession: accession.clone(),
    })
}

/// Why a text is none.
const NONE: &str = "not RefSeq's letters, an underscore and digits";

/// The accession without version.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    match parse(text) {
        Some(parts) => Judged::of(
            parts.accession,
            written,
            "version, prefix or blanks removed, or upper case",
        ),
        None => Judged::invalid(NONE),
    }
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    use Value::Null;
    let mut records = Records::new(&COLUMNS);
    for text in call.text(0)?.iter() {
        let Some((written, text)) = text.and_then(|text| Some((text, content(text)?))) else {
            let verdict = Verdict::Null.name().into();
            records.push([Null, Null, Null, Null, verdict, Null]);
            continue;
        };
        records.push(match parse(text) {
            Some(parts) => {
                let same = text == written && text.starts_with(&parts.accession);
                let verdict = if same { Verdict::Ok } else { Verdict::Repaired };
                [
                    parts.accession.into(),
                    parts.version.into(),
                    parts.kind.0.into(),
                    parts.kind.1.into(),
                    verdict.name().into(),
                    (!same)
                        .then_some("prefix or blanks removed, or upper case")
                        .into(),
                ]
            }
            None => {
                let verdict = Verdict::Invalid.name().into();
                [Null, Null, Null, Null, verdict, NONE.into()]
            }
        });
    }
    Ok(Arc::new(records.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_say_what_it_is() {
        let parts = parse("NM_000546.6").unwrap();
        assert_eq!(
            (&*parts.accession, parts.version, parts.kind),
            ("NM_000546", Some(6), ("mrna", false))
        );
        assert!(parse("xp_123.1").unwrap().kind.1);
        assert!(parse("NZ_CP012345.1").is_some());
        for bad in [
            "NM000546", "NM_", "NM_12a", "NX_1", "NM_1.", "NM_1.x", "CP_ABC", "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
