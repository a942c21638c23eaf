//! What is true of any text. Shared with the fuzz target by path.

use std::sync::Arc;

use arrow::array::AsArray;

use crate::encodings::arguments;
use crate::harness::{call_with, constant, functions, one, options, texts};

/// Functions whose answer is a text or a judgement in canonical form: asked about it, they give it back.
const CANONICAL: [(&str, Option<&str>); 9] = [
    ("curie_normalize", None),
    ("iri_standardize", None),
    ("prefix_normalize", None),
    ("id_standardize", None),
    ("hmdb_normalize", Some("id")),
    ("dbsnp_normalize", Some("id")),
    ("chembl_normalize", Some("id")),
    ("pubchem_normalize", Some("id")),
    ("id_resolve", Some("id")),
];

/// Namespaces with parsers of their own, and some that are known by their pattern.
const NAMESPACES: [&str; 16] = [
    "uniprot",
    "hgnc.symbol",
    "ensembl",
    "refseq",
    "hmdb",
    "kegg",
    "dbsnp",
    "pubchem.compound",
    "chembl",
    "cas",
    "inchikey",
    "loinc",
    "snomedct",
    "orcid",
    "chebi",
    "go",
];

/// No function panics or fails; what is canonical stays so; parts put together again are the whole.
pub(crate) fn identifiers_any(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let column = || texts(&[Some(&text)]);
    for mode in ["strict", "bioregistry"] {
        let options = options(&[("identifiers_mode", mode)]);
        for function in functions() {
            let name = function.name();
            call_with(name, &arguments(name, column()), 1, &options);
        }
    }
    for (name, field) in CANONICAL {
        let answer = |text: &str| one(name, &arguments(name, texts(&[Some(text)])), field);
        if let Some(canonical) = answer(&text) {
            let again = answer(&canonical);
            // (What is left of a prefix may be the word for nothing: NA:NA.)
            let is_nothing = matches!(
                canonical.to_ascii_lowercase().as_str(),
                "" | "-" | "--" | "na" | "n/a" | "nan" | "null" | "none" | "." | "?"
            );
            assert!(
                again.as_ref() == Some(&canonical) || is_nothing,
                "{name}: {text:?} → {canonical:?} → {again:?}"
            );
        }
    }
    // A CURIE's parts, and an IRI there and back.
    let curie = one("curie_normalize", &[column()], None);
    let prefix = one("curie_parse", &[column()], Some("prefix"));
    let id = one("curie_parse", &[column()], Some("id"));
    let joined = prefix.zip(id).map(|(prefix, id)| format!("{prefix}:{id}"));
    assert_eq!(curie, joined, "{text:?}");
    // (`obo/::GO_1` is obo's at first, and `obo/GO_1` go's: after that it stays.)
    let there_and_back = |curie: String| {
        let iri = one("curie_to_iri", &[constant(&curie)], None)?;
        one("iri_to_curie", &[constant(&iri)], None)
    };
    if let Some(second) = one("iri_to_curie", &[column()], None).and_then(there_and_back) {
        assert_eq!(there_and_back(second.clone()), Some(second), "{text:?}");
    }
    // Each part of a cell that can be used is one by itself, and is canonical.
    for namespace in NAMESPACES {
        let list = call_with(
            "id_list",
            &[column(), constant(namespace)],
            1,
            &options(&[]),
        );
        let parts = list.as_list::<i32>().value(0);
        for part in parts.as_string::<i32>().iter().flatten() {
            let again = call_with(
                "id_split",
                &[constant(part), constant(namespace)],
                1,
                &options(&[]),
            );
            let again = again.as_list::<i32>().value(0);
            let again = again.as_struct();
            let ids = Arc::clone(again.column_by_name("id").unwrap());
            let ids: Vec<_> = ids.as_string::<i32>().iter().flatten().collect();
            assert_eq!(ids, [part], "{namespace}: {text:?}");
            let verdicts = again.column_by_name("verdict").unwrap();
            assert_eq!(
                verdicts.as_string::<i32>().value(0),
                "ok",
                "{namespace}: {text:?}, {part:?}"
            );
        }
    }
    // Confidence is a share, and of what is below the threshold there is no value.
    for kind in ["uniprot", "cas", "loinc", "hgnc.symbol", "curie", "kegg"] {
        let args = [column(), constant(kind)];
        let confidence = one("parse_identifier", &args, Some("confidence"));
        let confidence: Option<f64> = confidence.map(|number| number.parse().unwrap());
        assert!(
            confidence.is_none_or(|share| (0.0..=1.0).contains(&share)),
            "{text:?}"
        );
        if confidence.is_none_or(|share| share < 0.7) {
            assert_eq!(
                one("parse_identifier", &args, Some("parsed")),
                None,
                "{text:?}"
            );
        }
    }
}
