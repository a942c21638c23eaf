//! `loinc_parse`: LOINC codes and their names of six parts.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::loinc_valid;
use super::verdict::Verdict;
use super::written::{after_prefix, content, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "loinc_parse",
    arguments: &[text(
        "text",
        "A code, a fully specified name, or a code and a name.",
    )],
    required: 1,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "The code and the parts of a fully specified LOINC name, `component:property:time:system:scale[:method]` \
          (LOINC users' guide, chapter 2). Confidence is 1 of a code with such a name, 0.9 of a name without a \
          code, 0.8 of a code alone or with other text (`name`), which may be a number of something else.",
    example: (
        "loinc_parse('2339-0 Glucose:MCnc:Pt:Bld:Qn')['system']",
        "Bld",
    ),
    compute,
};

const COLUMNS: [Column; 11] = [
    ("code", Holds::Text),
    ("name", Holds::Text),
    ("component", Holds::Text),
    ("property", Holds::Text),
    ("time", Holds::Text),
    ("system", Holds::Text),
    ("scale", Holds::Text),
    ("method", Holds::Text),
    ("confidence", Holds::Real),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// The scales that LOINC has.
const SCALES: [&str; 10] = [
    "Qn", "Ord", "OrdQn", "Nom", "Nar", "Multi", "Doc", "Set", "-", "*",
];

/// What a text says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Loinc<'a> {
    pub(super) code: Option<&'a str>,
    /// What stands behind the code, or instead of it.
    pub(super) name: Option<&'a str>,
    /// Component, property, time, system, scale, method.
    pub(super) parts: [Option<&'a str>; 6],
}

impl Loinc<'_> {
    fn is_full(&self) -> bool {
        self.parts[0].is_some()
    }

    pub(super) fn confidence(&self) -> f64 {
        match (self.code, self.is_full()) {
            (Some(_), true) => 1.0,
            (None, true) => 0.9,
            _ => 0.8,
        }
    }

    pub(super) fn verdict(&self, written: &str) -> Verdict {
        let plain = self.code.filter(|_| self.name.is_none()).or(self.name);
        match self.code.is_some() && self.name.is_some() || plain == Some(written) {
            true => Verdict::Ok,
            false => Verdict::Repaired,
        }
    }

    pub(super) fn note(&self, written: &str) -> Option<&'static str> {
        (self.verdict(written) == Verdict::Repaired).then_some("prefix or blanks removed")
    }
}

/// Whether this is a time of LOINC's: a point, a span such as 24H, or one of some words (users' guide, 2.4).
fn is_time(text: &str) -> bool {
    const WORDS: [&str; 14] = [
        "Pt",
        "XXX",
        "*",
        "-",
        "Study",
        "Stdy",
        "RptPeriod",
        "Enctr",
        "Episode",
        "Lifetime",
        "Gestation",
        "Procedure",
        "Perioperative",
        "Hx",
    ];
    let first = text.split(['^', ' ']).next().unwrap_or("");
    let unit = first.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    WORDS.contains(&first)
        || (unit.len() < first.len()
            && matches!(
                unit,
                "S" | "M" | "H" | "D" | "W" | "mo" | "Y" | "min" | "hr"
            ))
}

/// The parts of a text; an error is what is wrong.
pub(super) fn parse(text: &str) -> Result<Loinc<'_>, &'static str> {
    let text = trim(text);
    let text = text.strip_prefix("http://loinc.org/").unwrap_or(text);
    let text = text.strip_prefix("https://loinc.org/").unwrap_or(text);
    let text = after_prefix(text, &["loinc"], &[':', ' ']).unwrap_or(text);
    let end = text
        .find(|c: char| c.is_whitespace() || matches!(c, '|' | ':' | ',' | ';'))
        .unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    let (code, name) = match loinc_valid::is_valid(first) {
        true => {
            let is_between =
                |c: char| c.is_whitespace() || matches!(c, '|' | ':' | ',' | ';' | '-');
            (Some(first), trim(rest.trim_start_matches(is_between)))
        }
        false => (None, text),
    };
    let mut loinc = Loinc {
        code,
        name: Some(name).filter(|name| !name.is_empty()),
        ..Loinc::default()
    };
    let is_code = |word: &str| loinc_valid::is_valid(word);
    if code.is_some() && name.split([' ', ';', ',', '|']).next().is_some_and(is_code) {
        return Err("several codes: split them first");
    }
    // The component may have colons of its own, the others have none. The scale stands last, or before the method.
    let fields: Vec<&str> = name.split(':').map(trim).collect();
    let is_at = |&at: &usize| {
        at >= 4
            && fields.get(at).is_some_and(|field| SCALES.contains(field))
            && is_time(fields[at - 2])
            && !fields[at - 1].is_empty()
            && !fields[at - 3].is_empty()
    };
    let (last, before) = (fields.len().wrapping_sub(1), fields.len().wrapping_sub(2));
    if let Some(at) = [before, last].into_iter().find(is_at) {
        let length: usize = name
            .split(':')
            .take(at - 3)
            .map(|field| field.len() + 1)
            .sum();
        loinc.parts = [
            Some(trim(&name[..length - 1])),
            Some(fields[at - 3]),
            Some(fields[at - 2]),
            Some(fields[at - 1]),
            Some(fields[at]),
            fields.get(at + 1).copied(),
        ]
        .map(|part| part.filter(|part| !part.is_empty()));
    }
    match (loinc.code, loinc.is_full()) {
        (None, false) => Err("neither a code with its check digit nor a name of five parts or six"),
        _ => Ok(loinc),
    }
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let mut records = Records::new(&COLUMNS);
    let nothing = |verdict: Verdict, note: Option<&'static str>| {
        let mut row = [const { Value::Null }; 11];
        row[9] = verdict.name().into();
        row[10] = note.into();
        row
    };
    for text in call.text(0)?.iter() {
        let Some(text) = text.filter(|text| content(text).is_some()) else {
            records.push(nothing(Verdict::Null, None));
            continue;
        };
        records.push(match parse(text) {
            Err(why) => nothing(Verdict::Invalid, Some(why)),
            Ok(loinc) => {
                let [component, property, time, system, scale, method] = loinc.parts;
                [
                    loinc.code.into(),
                    loinc.name.into(),
                    component.into(),
                    property.into(),
                    time.into(),
                    system.into(),
                    scale.into(),
                    method.into(),
                    loinc.confidence().into(),
                    loinc.verdict(text).name().into(),
                    loinc.note(text).into(),
                ]
            }
        });
    }
    Ok(Arc::new(records.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_colons() {
        let full = parse("2339-0 Glucose:MCnc:Pt:Bld:Qn:Test strip").unwrap();
        assert_eq!(full.code, Some("2339-0"));
        let parts = ["Glucose", "MCnc", "Pt", "Bld", "Qn", "Test strip"].map(Some);
        assert_eq!((full.parts, full.confidence()), (parts, 1.0));
        let five = parse("LOINC:2339-0|Glucose:MCnc:Pt:Bld:Qn:").unwrap();
        assert_eq!(
            five.parts,
            ["Glucose", "MCnc", "Pt", "Bld", "Qn", ""]
                .map(|part| Some(part).filter(|part| !part.is_empty()))
        );
        let bare = parse(" 2339-0 ").unwrap();
        assert_eq!(
            (bare.code, bare.name, bare.confidence()),
            (Some("2339-0"), None, 0.8)
        );
        let name = parse("A:B ratio:SRto:Pt:Bld:Qn").unwrap();
        assert_eq!((name.code, name.parts[0]), (None, Some("A:B ratio")));
        assert_eq!(name.confidence(), 0.9);
        let long = parse("2339-0 - Glucose [Mass/volume] in Blood").unwrap();
        assert_eq!(long.name, Some("Glucose [Mass/volume] in Blood"));
        assert_eq!(long.confidence(), 0.8);
        for bad in [
            "2339-1",
            "Glucose",
            "a:b:c",
            ":::::",
            "a:b:c:d:e",
            "é",
            ":Qn",
            "Qn",
            "chr1:12345:A:G:*",
            "x::::*",
            "2339-0;718-7",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse("http://loinc.org/2339-0").is_ok());
    }
}
