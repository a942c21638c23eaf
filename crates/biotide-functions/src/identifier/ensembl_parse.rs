//! `ensembl_parse`: stable identifiers of Ensembl.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::verdict::{Judged, Verdict};
use super::written::{content, is_digits, without_prefix};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "ensembl_parse",
    arguments: &[text(
        "text",
        "A stable identifier, with its version or without.",
    )],
    required: 1,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "The parts of an Ensembl identifier: ENS, species code (none for human), feature (G gene, T transcript, P \
          protein, E exon, R regulatory, FM family, GT gene tree), 11 digits (14 of a family or tree), version, and the _PAR_Y of GENCODE. \
          Only what has this shape loses a version: `AN4965.2` is another database's and stays whole. \
          (Bioregistry takes TP53 for an identifier of ensembl, whose pattern is loose; biobouncer refuses versions.)",
    example: ("ensembl_parse('ENSG00000002586.20_PAR_Y')['version']", "20"),
    compute,
};

const COLUMNS: [Column; 7] = [
    ("id", Holds::Text),
    ("version", Holds::Number),
    ("feature", Holds::Text),
    ("species", Holds::Text),
    ("par_y", Holds::Flag),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// The parts of an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ensembl {
    pub(super) id: String,
    pub(super) version: Option<i64>,
    pub(super) feature: &'static str,
    pub(super) species: String,
    pub(super) par_y: bool,
}

const FEATURES: [&str; 7] = ["GT", "FM", "G", "T", "P", "E", "R"];

pub(super) fn parse(text: &str) -> Option<Ensembl> {
    let text = without_prefix(text, "ensembl");
    let (text, par_y) = match text.strip_suffix("_PAR_Y") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (id, version) = match text.split_once('.') {
        Some((id, version)) => (id, Some(version)),
        None => (text, None),
    };
    let version = match version {
        Some(digits) if is_digits(digits) => Some(digits.parse().ok()?),
        Some(_) => return None,
        None => None,
    };
    let id = id.is_ascii().then(|| id.to_ascii_uppercase())?;
    let rest = id.strip_prefix("ENS")?;
    let (letters, digits) = rest.split_at(rest.find(|c: char| c.is_ascii_digit())?);
    // The pseudoautosomal genes of Y were ENSGR and ten digits before GENCODE 25.
    let old_par = letters == "GR" && digits.len() == 10;
    let (letters, digits) = match old_par {
        true => ("G", format!("0{digits}")),
        false => (letters, digits.to_owned()),
    };
    if !is_digits(&digits) {
        return None;
    }
    let feature = FEATURES.into_iter().find(|feature| {
        letters.strip_suffix(feature).is_some_and(|species| {
            let length = if matches!(*feature, "GT" | "FM") {
                14
            } else {
                11
            };
            species.len() <= 6
                && species.bytes().all(|byte| byte.is_ascii_uppercase())
                && digits.len() == length
        })
    })?;
    let species = letters.strip_suffix(feature)?.to_owned();
    Some(Ensembl {
        id: format!("ENS{letters}{digits}"),
        version,
        feature,
        species,
        par_y: par_y || old_par,
    })
}

/// Why a text is none.
const NONE: &str = "not ENS, a species, a feature and 11 digits";

/// The identifier without version.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    match parse(text) {
        Some(parts) => Judged::of(
            parts.id,
            written,
            "version or blanks removed, or upper case",
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
            records.push([Null, Null, Null, Null, Null, verdict, Null]);
            continue;
        };
        let row = match parse(text) {
            Some(parts) => {
                let same = text == written && text.starts_with(&parts.id);
                let verdict = if same { Verdict::Ok } else { Verdict::Repaired };
                [
                    parts.id.into(),
                    parts.version.into(),
                    parts.feature.into(),
                    parts.species.into(),
                    parts.par_y.into(),
                    verdict.name().into(),
                    (!same)
                        .then_some("blanks removed, upper case or current form")
                        .into(),
                ]
            }
            None => {
                let verdict = Verdict::Invalid.name().into();
                [Null, Null, Null, Null, Null, verdict, NONE.into()]
            }
        };
        records.push(row);
    }
    Ok(Arc::new(records.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let parts = parse("ENSG00000002586.20_PAR_Y").unwrap();
        assert_eq!(parts.id, "ENSG00000002586");
        assert_eq!(
            (parts.version, parts.feature, &*parts.species),
            (Some(20), "G", "")
        );
        assert!(parts.par_y);
        let mouse = parse("ENSMUST00000017290").unwrap();
        assert_eq!((mouse.feature, &*mouse.species), ("T", "MUS"));
        assert_eq!(parse("ENSGT00390000003602").unwrap().feature, "GT");
        assert_eq!(parse("ENSFM00500000270089").unwrap().feature, "FM");
        assert!(parse("ensembl:ENSG00000141510.1").is_some());
        let old = parse("ENSGR0000002586.1").unwrap();
        assert_eq!((&*old.id, old.par_y), ("ENSG00000002586", true));
        for other in [
            "AN4965.2",
            "SPAC1002.01",
            "Y47H9C.1",
            "ENSG0000000258",
            "ENSG000000025866",
            "ENSX00000002586",
            "ENSG00000002586.",
            "ENSG00000002586.x",
            "FBgn0000001",
            "",
            "ENS",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
