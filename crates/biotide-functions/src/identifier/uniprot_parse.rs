//! `uniprot_parse`: UniProt accessions in all their forms.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::verdict::{Judged, Verdict};
use super::written::{after_prefix, content, is_digits, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "uniprot_parse",
    arguments: &[text(
        "text",
        "An accession, with isoform, chain or version, or a FASTA identifier.",
    )],
    required: 1,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "The parts of a UniProt identifier: `P12345`, `P12345-2` (isoform), `P12345-PRO_0000016681` (chain), \
          `P12345.3` (sequence version), `sp|P12345|AATM_RABIT` (FASTA), with the CON__ and REV__ that MaxQuant \
          puts before contaminants and decoys. Accessions are as UniProt defines them \
          (uniprot.org/help/accession_numbers), ASCII only, in upper case after repair. \
          (Bioregistry's uniprot.isoform takes A2BC19 and refuses A2BC19-1 and A0A022YWF9-2, as its pattern is not \
          anchored; here all three are read.)",
    example: ("uniprot_parse('P12345-2')['isoform']", "2"),
    compute,
};

const COLUMNS: [Column; 10] = [
    ("accession", Holds::Text),
    ("isoform", Holds::Number),
    ("chain", Holds::Text),
    ("version", Holds::Number),
    ("name", Holds::Text),
    ("db", Holds::Text),
    ("contaminant", Holds::Flag),
    ("decoy", Holds::Flag),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// The parts of an identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Uniprot<'a> {
    pub(super) accession: Cow<'a, str>,
    pub(super) isoform: Option<i64>,
    pub(super) chain: Option<&'a str>,
    pub(super) version: Option<i64>,
    pub(super) name: Option<&'a str>,
    pub(super) db: Option<&'a str>,
    pub(super) contaminant: bool,
    decoy: bool,
    repaired: Option<&'static str>,
}

/// Whether these bytes are an accession:
/// `[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2}`.
#[inline]
pub(crate) fn is_accession(text: &[u8]) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase();
    let digit = |byte: u8| byte.is_ascii_digit();
    let either = |byte: u8| upper(byte) | digit(byte);
    match *text {
        [a, b, c, d, e, f] => {
            let named = upper(a) & digit(b) & either(c) & either(d) & either(e) & digit(f);
            named & (matches!(a, b'O' | b'P' | b'Q') | upper(c))
        }
        [a, b, c, d, e, f, g, h, i, j] => {
            let first = upper(a) & !matches!(a, b'O' | b'P' | b'Q') & digit(b);
            let second = upper(c) & either(d) & either(e) & digit(f);
            first & second & upper(g) & either(h) & either(i) & digit(j)
        }
        _ => false,
    }
}

/// The parts of an identifier; an error is what is wrong.
pub(super) fn parse(written: &str) -> Result<Uniprot<'_>, &'static str> {
    let mut text = trim(written);
    text = text.strip_prefix('>').unwrap_or(text);
    let mut parts = Uniprot {
        repaired: (text.len() != written.len()).then_some("blanks removed"),
        ..Uniprot::default()
    };
    loop {
        if let Some(rest) = text.strip_prefix("CON__") {
            (text, parts.contaminant) = (rest, true);
        } else if let Some(rest) = text.strip_prefix("REV__") {
            (text, parts.decoy) = (rest, true);
        } else {
            break;
        }
    }
    let mut fields = text.splitn(3, '|');
    if let (Some(db @ ("sp" | "tr")), Some(accession)) = (fields.next(), fields.next()) {
        parts.db = Some(db);
        let rest = fields.next();
        if rest.is_some_and(|rest| rest.contains("sp|") || rest.contains("tr|")) {
            return Err("several FASTA identifiers");
        }
        parts.name = rest.and_then(|name| name.split_ascii_whitespace().next());
        let is_name = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let is_name = |name: &str| is_name(name) && !is_accession(name.as_bytes());
        if !parts.name.is_none_or(is_name) {
            return Err("after the second bar is no entry name");
        }
        text = accession;
    }
    let prefixes = ["uniprot", "uniprotkb", "up", "swissprot"];
    if let Some(rest) = after_prefix(text, &prefixes, &[':']) {
        (text, parts.repaired) = (rest, Some("prefix removed"));
    }
    let end = text.find(['-', '.', ':']).unwrap_or(text.len());
    let (accession, rest) = text.split_at(end);
    parts.accession = Cow::Borrowed(accession);
    if !is_accession(accession.as_bytes()) {
        const NONE: &str = "not an accession: 6 or 10 letters and digits by UniProt's rule";
        if !matches!(accession.len(), 6 | 10) {
            return Err(NONE);
        }
        let upper = accession.to_ascii_uppercase();
        if !is_accession(upper.as_bytes()) {
            return Err(NONE);
        }
        parts.repaired = Some("upper case");
        parts.accession = Cow::Owned(upper);
    }
    let number = |digits: &str| -> Option<i64> {
        let digits = is_digits(digits).then_some(digits)?;
        digits.parse().ok().filter(|&n| n > 0)
    };
    if let Some(version) = rest.strip_prefix('.') {
        parts.version = Some(number(version).ok_or("after the point is no version")?);
    } else if let Some(more) = rest.strip_prefix(['-', ':']) {
        let chain = more
            .strip_prefix("PRO_")
            .filter(|digits| digits.len() == 10 && is_digits(digits));
        match chain {
            Some(_) => parts.chain = Some(more),
            None if rest.starts_with('-') => {
                parts.isoform = Some(number(more).ok_or("after the dash is no isoform")?);
            }
            None => return Err("after the colon is no chain"),
        }
    }
    Ok(parts)
}

/// An accession with its isoform or chain.
pub(super) fn judge(written: &str) -> Judged<'_> {
    if is_accession(written.as_bytes()) {
        return Judged::of(written, written, "");
    }
    if content(written).is_none() {
        return Judged::NULL;
    }
    match parse(written) {
        Err(why) => Judged::invalid(why),
        Ok(parts) if parts.decoy => Judged::invalid("a decoy (REV__), no protein"),
        // More than one FASTA identifier.
        Ok(parts) if parts.db.is_some() && written.matches('|').count() > 2 => {
            Judged::invalid("several FASTA identifiers")
        }
        Ok(parts) => {
            let accession = parts.accession;
            let id = match (parts.isoform, parts.chain) {
                (Some(isoform), _) => Cow::Owned(format!("{accession}-{isoform}")),
                (_, Some(chain)) => Cow::Owned(format!("{accession}-{chain}")),
                _ => accession,
            };
            Judged::of(
                id,
                written,
                parts.repaired.unwrap_or("taken from its surroundings"),
            )
        }
    }
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let mut records = Records::new(&COLUMNS);
    let nothing = |verdict: Verdict, note: Option<&'static str>| {
        use crate::record::Value::Null;
        let verdict = verdict.name().into();
        [
            Null,
            Null,
            Null,
            Null,
            Null,
            Null,
            Null,
            Null,
            verdict,
            note.into(),
        ]
    };
    for text in call.text(0)?.iter() {
        let Some(text) = text.filter(|text| content(text).is_some()) else {
            records.push(nothing(Verdict::Null, None));
            continue;
        };
        match parse(text) {
            Err(why) => records.push(nothing(Verdict::Invalid, Some(why))),
            Ok(parts) => {
                let verdict = match parts.repaired {
                    Some(_) => Verdict::Repaired,
                    None => Verdict::Ok,
                };
                records.push([
                    parts.accession.into(),
                    parts.isoform.into(),
                    parts.chain.into(),
                    parts.version.into(),
                    parts.name.into(),
                    parts.db.into(),
                    parts.contaminant.into(),
                    parts.decoy.into(),
                    verdict.name().into(),
                    parts.repaired.into(),
                ]);
            }
        }
    }
    Ok(Arc::new(records.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn accessions_are_those_of_the_published_pattern() {
        let pattern =
            r"\A(?:[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2})\z";
        let pattern = Regex::new(pattern).unwrap();
        let alphabet = *b"AOPQRZ019az-_.";
        let mut state = 1u64;
        for length in [0, 5, 6, 6, 6, 6, 7, 10, 10, 10, 10, 11] {
            for _ in 0..200_000 {
                let text: String = (0..length)
                    .map(|i| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        // Mostly what fits, so that both answers come up.
                        let fits = if matches!(i, 1 | 5 | 9) {
                            b"0123456789"
                        } else {
                            b"ABOPQRZ079"
                        };
                        let n = (state >> 33) as usize;
                        let odd = n.is_multiple_of(17);
                        char::from(if odd {
                            alphabet[n / 17 % 14]
                        } else {
                            fits[n / 17 % 10]
                        })
                    })
                    .collect();
                assert_eq!(
                    is_accession(text.as_bytes()),
                    pattern.is_match(&text),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let parts = parse("sp|P12345|AATM_RABIT").unwrap();
        assert_eq!(
            (&*parts.accession, parts.name, parts.db),
            ("P12345", Some("AATM_RABIT"), Some("sp"))
        );
        assert_eq!(parse("P12345-2").unwrap().isoform, Some(2));
        assert_eq!(
            parse("P12345-PRO_0000016681").unwrap().chain,
            Some("PRO_0000016681")
        );
        assert_eq!(
            parse("P12345:PRO_0000016681").unwrap().chain,
            Some("PRO_0000016681")
        );
        assert_eq!(parse("P12345.3").unwrap().version, Some(3));
        let decoy = parse("REV__CON__P12345").unwrap();
        assert!(decoy.decoy && decoy.contaminant);
        assert_eq!(parse("UniProtKB:P12345").unwrap().accession, "P12345");
        for bad in [
            "P1234", "P12345-", "P12345-0", "P12345.x", "P12345:2", "TP53", "", "Ｐ12345",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn verdicts_tell_the_rule() {
        assert_eq!(judge("P12345").verdict, Verdict::Ok);
        assert_eq!(judge(" p12345\u{a0}").note, Some("upper case"));
        assert_eq!(judge("A0A022YWF9-2").id.as_deref(), Some("A0A022YWF9-2"));
        assert_eq!(judge("N/A"), Judged::NULL);
        assert!(!judge("NTproBNP").is_valid());
    }
}
