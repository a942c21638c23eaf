//! The parsers that are built in: the functions' own, with what else they know as metadata.

use std::borrow::Cow;

use datafusion_common::Result;

use super::Parsed;
use super::parsers::Lookup;
use crate::identifier::tables::{Context, Level};
use crate::identifier::verdict::{Judged, Verdict};
use crate::identifier::written::{content, is_digits};
use crate::identifier::{
    cas_parse, curie, ensembl_parse, kegg_parse, loinc_parse, refseq_parse, uniprot_parse,
};

type Parse = fn(&str, &Lookup<'_>) -> Result<Option<Parsed>>;
type Evidence = fn(&str, &Parsed) -> f64;

/// A parser that is built in.
#[derive(Debug)]
pub(super) struct BuiltIn {
    pub(super) name: &'static str,
    pub(super) priority: i32,
    pub(super) types: &'static [&'static str],
    pub(super) parse: Parse,
    /// How much the text alone says.
    pub(super) evidence: Evidence,
}

const fn parser(
    name: &'static str,
    priority: i32,
    types: &'static [&'static str],
    parse: Parse,
    evidence: Evidence,
) -> BuiltIn {
    BuiltIn {
        name,
        priority,
        types,
        parse,
        evidence,
    }
}

/// Those of the highest priority first. What a text alone says of itself is a judgement: letters that only one
/// database writes say much; a shape of few characters less; digits next to nothing, as a dozen databases number
/// their entries.
pub(super) const ALL: [BuiltIn; 18] = [
    parser("inchikey", 90, &["inchikey"], inchikey, |_, _| 1.0),
    parser("ensembl", 85, &["ensembl"], ensembl, |_, _| 0.98),
    parser(
        "hmdb",
        85,
        &["hmdb"],
        |text, to| by("hmdb", text, to),
        |_, _| 0.98,
    ),
    parser(
        "uniprot",
        80,
        &["uniprot", "uniprot.isoform", "uniprot.chain"],
        uniprot,
        |text, _| {
            // Ten characters, an isoform or FASTA's bars are not come by by chance.
            if text.len() == 6 { 0.9 } else { 0.97 }
        },
    ),
    parser("refseq", 80, &["refseq"], refseq, |_, _| 0.97),
    parser(
        "chebi",
        75,
        &["chebi"],
        |text, to| by("chebi", text, to),
        lettered,
    ),
    parser(
        "chembl",
        75,
        &["chembl", "chembl.compound", "chembl.target"],
        |text, to| by("chembl", text, to),
        |_, _| 0.97,
    ),
    parser(
        "dbsnp",
        75,
        &["dbsnp"],
        |text, to| by("dbsnp", text, to),
        |_, _| 0.95,
    ),
    parser(
        "kegg",
        70,
        &[
            "kegg",
            "kegg.compound",
            "kegg.drug",
            "kegg.genes",
            "kegg.pathway",
            "kegg.orthology",
        ],
        kegg,
        kegg_evidence,
    ),
    parser("cas", 70, &["cas"], cas, |_, _| 0.9),
    parser("hgnc", 70, &["hgnc"], hgnc, lettered),
    parser("loinc", 65, &["loinc"], loinc, |text, _| {
        // (1-8 is a code, and many other things.)
        if text.len() < 5 { 0.6 } else { 0.9 }
    }),
    parser(
        "hgnc.symbol",
        60,
        &["hgnc.symbol", "gene_symbol", "symbol", "gene"],
        symbol,
        |_, _| 0.85,
    ),
    parser(
        "orcid",
        60,
        &["orcid"],
        |text, to| by("orcid", text, to),
        |_, _| 0.95,
    ),
    parser(
        "ncbigene",
        50,
        &["ncbigene", "entrez"],
        |text, to| by("ncbigene", text, to),
        lettered,
    ),
    parser(
        "pubchem.compound",
        50,
        &["pubchem.compound"],
        |text, to| by("pubchem.compound", text, to),
        lettered,
    ),
    // (Its check digit says something.)
    parser(
        "snomedct",
        50,
        &["snomedct"],
        |text, to| by("snomedct", text, to),
        |_, _| 0.3,
    ),
    parser(
        "curie",
        40,
        &["curie", "xref", "iri", "uri"],
        xref,
        |_, parsed| {
            if parsed.verdict == Verdict::Unmapped {
                0.5
            } else {
                0.95
            }
        },
    ),
];

/// A letter and five digits, or an organism that everybody works with; any other word may be in front of a colon.
fn kegg_evidence(_: &str, parsed: &Parsed) -> f64 {
    const COMMON: [&str; 14] = [
        "hsa", "mmu", "rno", "eco", "sce", "dme", "cel", "ath", "dre", "bta", "ssc", "gga", "bsu",
        "spo",
    ];
    let organism = parsed.metadata.iter().find(|(name, _)| name == "organism");
    match organism {
        Some((_, organism)) if COMMON.contains(&organism.as_str()) => 0.85,
        Some(_) => 0.5,
        None => 0.75,
    }
}

/// Digits may be anybody's; with letters before them they are known by these.
fn lettered(text: &str, _: &Parsed) -> f64 {
    match is_digits(text.strip_suffix(".0").unwrap_or(text)) {
        true => 0.2,
        false => 0.95,
    }
}

fn judged(name: &str, text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    let namespace = tables.namespace(name)?;
    Ok(namespace.and_then(|namespace| of(&namespace.judge(text))))
}

/// What was judged, if it can be used.
fn of(judged: &Judged<'_>) -> Option<Parsed> {
    let value = judged.id.as_ref().filter(|_| judged.is_valid())?;
    Some(Parsed {
        value: Some(value.to_string()),
        confidence: judged.confidence(),
        verdict: judged.verdict,
        note: judged.note.map(Cow::Borrowed),
        metadata: Vec::new(),
    })
}

fn by(name: &str, text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    judged(name, text, tables)
}

fn with_some(
    mut parsed: Parsed,
    metadata: impl IntoIterator<Item = (&'static str, Option<String>)>,
) -> Parsed {
    let known = metadata
        .into_iter()
        .filter_map(|(name, value)| Some((Cow::Borrowed(name), value?)));
    parsed.metadata.extend(known);
    parsed
}

fn inchikey(text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    Ok(judged("inchikey", text, tables)?.map(|parsed| {
        let key = parsed.value.clone().unwrap_or_default();
        let part = |range: std::ops::Range<usize>| key.get(range).map(str::to_owned);
        with_some(
            parsed,
            [("skeleton", part(0..14)), ("protonation", part(26..27))],
        )
    }))
}

fn ensembl(text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    Ok(
        judged("ensembl", text, tables)?.map(|parsed| match ensembl_parse::parse(text) {
            Some(parts) => with_some(
                parsed,
                [
                    ("feature", Some(parts.feature.to_owned())),
                    (
                        "species",
                        Some(parts.species).filter(|species| !species.is_empty()),
                    ),
                    ("version", parts.version.map(|version| version.to_string())),
                    ("par_y", parts.par_y.then(|| "true".to_owned())),
                ],
            ),
            None => parsed,
        }),
    )
}

fn uniprot(text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    Ok(
        judged("uniprot", text, tables)?.map(|parsed| match uniprot_parse::parse(text) {
            Ok(parts) => with_some(
                parsed,
                [
                    ("accession", Some(parts.accession.to_string())),
                    ("isoform", parts.isoform.map(|isoform| isoform.to_string())),
                    ("chain", parts.chain.map(str::to_owned)),
                    ("version", parts.version.map(|version| version.to_string())),
                    ("name", parts.name.map(str::to_owned)),
                    ("db", parts.db.map(str::to_owned)),
                    ("contaminant", parts.contaminant.then(|| "true".to_owned())),
                ],
            ),
            Err(_) => parsed,
        }),
    )
}

fn refseq(text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    Ok(
        judged("refseq", text, tables)?.map(|parsed| match refseq_parse::parse(text) {
            Some(parts) => with_some(
                parsed,
                [
                    ("molecule", Some(parts.kind.0.to_owned())),
                    ("version", parts.version.map(|version| version.to_string())),
                ],
            ),
            None => parsed,
        }),
    )
}

fn kegg(text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    Ok(
        judged("kegg", text, tables)?.map(|parsed| match kegg_parse::parse(text) {
            Some(parts) => with_some(
                parsed,
                [
                    ("namespace", Some(parts.namespace.to_owned())),
                    ("organism", parts.organism),
                    ("ncbigene", parts.ncbigene),
                ],
            ),
            None => parsed,
        }),
    )
}

fn cas(text: &str, _: &Lookup<'_>) -> Result<Option<Parsed>> {
    let found = cas_parse::parse(text);
    if found.found() == 0 {
        return Ok(None);
    }
    let (verdict, note) = found.verdict(text);
    let metadata = [
        ("found", Some(found.found().to_string())),
        ("valid", Some(found.numbers.len().to_string())),
        (
            "rejected",
            Some(found.rejected.join(";")).filter(|rejected| !rejected.is_empty()),
        ),
    ];
    let parsed = Parsed {
        value: Some(found.numbers.join(";")).filter(|numbers| !numbers.is_empty()),
        confidence: found.confidence(),
        verdict,
        note: note.map(Cow::Borrowed),
        metadata: Vec::new(),
    };
    Ok(Some(with_some(parsed, metadata)))
}

fn loinc(text: &str, _: &Lookup<'_>) -> Result<Option<Parsed>> {
    let Ok(parts) = loinc_parse::parse(text) else {
        return Ok(None);
    };
    let name = |part: Option<&str>| part.map(str::to_owned);
    let parsed = Parsed {
        value: Some(parts.code.or(parts.name).unwrap_or(text).to_owned()),
        confidence: parts.confidence(),
        verdict: parts.verdict(text),
        note: parts.note(text).map(Cow::Borrowed),
        metadata: Vec::new(),
    };
    let [component, property, time, system, scale, method] = parts.parts;
    Ok(Some(with_some(
        parsed,
        [
            ("component", name(component)),
            ("property", name(property)),
            ("time", name(time)),
            ("system", name(system)),
            ("scale", name(scale)),
            ("method", name(method)),
        ],
    )))
}

/// `HGNC:5`, or its number.
fn hgnc(text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    let Some(parsed) = judged("hgnc", text, tables)? else {
        return Ok(None);
    };
    let Some(number) = parsed.value.as_deref() else {
        return Ok(None);
    };
    let id = format!("HGNC:{number}");
    let approved = tables.genes()?.is_approved(&id);
    Ok(Some(
        parsed
            .with("curie", id)
            .with("approved", approved.to_string()),
    ))
}

/// What a human gene is or was called, as its symbol of today.
fn symbol(text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    let genes = tables.genes()?;
    let Some(text) = content(text) else {
        return Ok(None);
    };
    let Some(found) = genes.find(text, Context::default()) else {
        return Ok(None);
    };
    let level = found.level;
    let Some(gene) = found.one() else {
        let symbols: Vec<&str> = found.symbols().collect();
        let parsed = Parsed {
            value: None,
            confidence: 1.0 / symbols.len() as f64,
            verdict: Verdict::Ambiguous,
            note: Some(Cow::Borrowed("several genes have it")),
            metadata: Vec::new(),
        };
        return Ok(Some(
            parsed
                .with("level", level.name())
                .with("candidates", symbols.join(";")),
        ));
    };
    let current = genes.symbol(gene);
    let (confidence, verdict, note) = match level {
        Level::Approved if current == text => (1.0, Verdict::Ok, None),
        Level::Approved => (0.9, Verdict::Repaired, Some("case")),
        Level::Previous => (0.85, Verdict::Retired, Some("a previous symbol")),
        Level::Alias => (0.8, Verdict::Repaired, Some("an alias")),
    };
    let parsed = Parsed {
        value: Some(current.to_owned()),
        confidence,
        verdict,
        note: note.map(Cow::Borrowed),
        metadata: Vec::new(),
    };
    Ok(Some(
        parsed
            .with("id", genes.id(gene))
            .with("level", level.name())
            .with("release", genes.release.as_str()),
    ))
}

/// A CURIE with a known prefix, or an IRI of one, as the canonical CURIE.
fn xref(text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
    let registry = &tables.registry;
    let of_iri = || {
        let (prefix, id) = registry.find_iri(text).filter(|_| text.contains("://"))?;
        Some((prefix, id, "an IRI"))
    };
    let of_curie = || {
        let (prefix, id) = curie::parse(registry, text, ":", true)?;
        Some((prefix, id, "prefix in canonical form"))
    };
    let Some((prefix, id, rule)) = of_iri().or_else(of_curie) else {
        return Ok(None);
    };
    if !prefix.accepts(id, false) {
        return Ok(None);
    }
    let judged = Judged::of(format!("{}:{id}", prefix.prefix), text, rule);
    Ok(of(&judged).map(|mut parsed| {
        // Without a pattern anything goes.
        if prefix.pattern.is_none() {
            parsed.confidence *= 0.8;
            parsed.note = Some(Cow::Borrowed("the prefix has no pattern"));
        }
        parsed.with("prefix", prefix.prefix.as_str()).with("id", id)
    }))
}
