//! `kegg_parse`: entries of KEGG.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::Result;

use super::registry;
use super::verdict::{Judged, Verdict};
use super::written::{content, is_digits, is_number, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "kegg_parse",
    arguments: &[text(
        "text",
        "An entry: `C00031`, `cpd:C00031`, `hsa:7157`, `path:hsa04115`.",
    )],
    required: 1,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "What an entry of KEGG is: its namespace in the Bioregistry, its identifier, the organism of a gene or \
          pathway, and the NCBI Gene of a human gene, which KEGG numbers alike (kegg.jp/kegg/kegg3.html).",
    example: ("kegg_parse('hsa:7157')['ncbigene']", "7157"),
    compute,
};

const COLUMNS: [Column; 6] = [
    ("namespace", Holds::Text),
    ("id", Holds::Text),
    ("organism", Holds::Text),
    ("ncbigene", Holds::Text),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// The letter of an entry, its database's name in front of a colon, and its namespace.
const DATABASES: [(char, &str, &str); 8] = [
    ('C', "cpd", "kegg.compound"),
    ('D', "dr", "kegg.drug"),
    ('G', "gl", "kegg.glycan"),
    ('R', "rn", "kegg.reaction"),
    ('H', "ds", "kegg.disease"),
    ('K', "ko", "kegg.orthology"),
    ('M', "md", "kegg.module"),
    ('T', "gn", "kegg.genome"),
];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kegg {
    pub(super) namespace: &'static str,
    pub(super) id: String,
    pub(super) organism: Option<String>,
    pub(super) ncbigene: Option<String>,
}

pub(super) fn parse(text: &str) -> Option<Kegg> {
    let text = match text.split_once(':') {
        Some((prefix, rest))
            if prefix.eq_ignore_ascii_case("kegg")
                || prefix.to_ascii_lowercase().starts_with("kegg.") =>
        {
            trim(rest)
        }
        _ => text,
    };
    let (database, entry) = match text.split_once(':') {
        Some((database, entry)) => (Some(database.to_ascii_lowercase()), trim(entry)),
        None => (None, text),
    };
    let named = |database: &str| DATABASES.iter().any(|&(_, name, _)| name == database);
    let plain = |namespace, id: String| Kegg {
        namespace,
        id,
        organism: None,
        ncbigene: None,
    };
    // A letter and five digits.
    if database.as_deref().is_none_or(named) {
        let upper = entry.to_ascii_uppercase();
        let letter = upper.chars().next()?;
        let of_letter = DATABASES.iter().find(|&&(l, name, _)| {
            l == letter && database.as_deref().is_none_or(|database| database == name)
        });
        if let Some(&(_, _, namespace)) = of_letter
            && is_five_digits(&upper[1..])
        {
            return Some(plain(namespace, upper));
        }
    }
    match database.as_deref() {
        Some("path") | None => pathway(entry),
        Some(organism) if is_organism(organism) && !named(organism) => {
            // (Codes of organisms are in small letters, and entries have no commas, colons or bars.)
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-()".contains(&byte);
            let written = text.starts_with(organism) && entry.bytes().all(is_plain);
            if !written || is_of_others(organism, entry) {
                return None;
            }
            let human = organism == "hsa" && is_number(entry);
            (!entry.is_empty()).then(|| Kegg {
                namespace: "kegg.genes",
                id: format!("{organism}:{entry}"),
                organism: Some(organism.to_owned()),
                ncbigene: human.then(|| entry.to_owned()),
            })
        }
        Some(_) => None,
    }
}

/// Whether this is a CURIE of another namespace, or an IRI.
fn is_of_others(prefix: &str, entry: &str) -> bool {
    let known = registry::current(None).ok();
    known.is_some_and(|registry| {
        let prefix = registry.find(prefix);
        prefix.is_some_and(|prefix| {
            !prefix.prefix.starts_with("kegg")
                && prefix.pattern.is_some()
                && prefix.is_valid(entry, false)
        })
    })
}

/// `map`, `ko`, `rn`, `ec` or an organism, and five digits; in small letters, as other databases have capitals.
fn pathway(entry: &str) -> Option<Kegg> {
    let at = entry.len().checked_sub(5)?;
    let (of, digits) = (entry.get(..at)?, entry.get(at..)?);
    let general = matches!(of, "map" | "ko" | "rn" | "ec");
    let known = is_five_digits(digits) && (general || is_organism(of));
    known.then(|| Kegg {
        namespace: "kegg.pathway",
        organism: (!general).then(|| of.to_owned()),
        id: entry.to_owned(),
        ncbigene: None,
    })
}

fn is_five_digits(text: &str) -> bool {
    text.len() == 5 && is_digits(text)
}

/// Three or four letters; viruses and addenda have two.
fn is_organism(text: &str) -> bool {
    let letters = matches!(text.len(), 3 | 4) && text.bytes().all(|byte| byte.is_ascii_lowercase());
    letters || matches!(text, "vg" | "ag")
}

/// The entry in canonical form.
pub(super) fn judge(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    judged(parse(text).as_ref(), written)
}

fn judged(parts: Option<&Kegg>, written: &str) -> Judged<'static> {
    match parts {
        Some(parts) => Judged::of(
            parts.id.clone(),
            written,
            "blanks or prefix removed, or case",
        ),
        None => Judged::invalid("no entry of KEGG"),
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
        let parts = parse(text);
        let judged = judged(parts.as_ref(), written);
        let (verdict, note) = (judged.verdict.name().into(), judged.note.into());
        records.push(match parts {
            Some(parts) => [
                parts.namespace.into(),
                parts.id.into(),
                parts.organism.into(),
                parts.ncbigene.into(),
                verdict,
                note,
            ],
            None => [Null, Null, Null, Null, verdict, note],
        });
    }
    Ok(Arc::new(records.finish()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_apart() {
        for (text, namespace, id) in [
            ("C00031", "kegg.compound", "C00031"),
            ("cpd:C00031", "kegg.compound", "C00031"),
            ("kegg:c00031", "kegg.compound", "C00031"),
            ("ko:K00001", "kegg.orthology", "K00001"),
            ("hsa:7157", "kegg.genes", "hsa:7157"),
            ("eco:b0002", "kegg.genes", "eco:b0002"),
            ("path:hsa04115", "kegg.pathway", "hsa04115"),
            ("map00010", "kegg.pathway", "map00010"),
            ("ko00010", "kegg.pathway", "ko00010"),
        ] {
            let parts = parse(text).unwrap();
            assert_eq!((parts.namespace, &*parts.id), (namespace, id), "{text}");
        }
        assert_eq!(parse("hsa:7157").unwrap().ncbigene.as_deref(), Some("7157"));
        for bad in [
            "cpd:D00031",
            "C0031",
            "C000311",
            "X00001",
            "homo:",
            "12345",
            "é1234",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
