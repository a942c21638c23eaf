//! What judges the identifiers of a namespace.

use std::borrow::Cow;
use std::sync::Arc;

use super::curie;
use super::registry::Registry;
use super::tables::genes;
use super::verdict::{Judged, Verdict};
use super::written::{content, trim};
use super::{
    cas, chembl_normalize, dbsnp_normalize, ensembl_parse, hmdb_normalize, inchikey_parts,
    kegg_parse, loinc_valid, orcid_valid, pubchem_normalize, refseq_parse, snomed_valid,
    uniprot_parse,
};

/// A namespace of the registry, or one of ours.
#[derive(Debug, Clone)]
pub(super) enum Namespace {
    /// With a parser of its own.
    Own(&'static Own, Arc<Registry>),
    /// Known by its pattern.
    Registered(Arc<Registry>, String),
}

/// A namespace with a parser of its own.
#[derive(Debug)]
pub(super) struct Own {
    /// Its prefix in the registry.
    name: &'static str,
    judge: fn(&str) -> Judged<'_>,
    /// Whether an underscore may join its identifiers.
    underscores: bool,
}

const OWN: [Own; 14] = [
    own("uniprot", uniprot_parse::judge, true),
    own("hgnc.symbol", symbol, true),
    own("ensembl", ensembl_parse::judge, false),
    own("refseq", refseq_parse::judge, false),
    own("hmdb", hmdb_normalize::judge, false),
    own("kegg", kegg_parse::judge, false),
    own("dbsnp", dbsnp_normalize::judge, false),
    own("pubchem.compound", pubchem_normalize::judge, false),
    own("chembl", chembl_normalize::judge, false),
    own("cas", cas::judge, false),
    own("inchikey", inchikey_parts::judge, false),
    own("loinc", loinc, false),
    own("snomedct", snomed, false),
    own("orcid", orcid, false),
];

const fn own(name: &'static str, judge: fn(&str) -> Judged<'_>, underscores: bool) -> Own {
    Own {
        name,
        judge,
        underscores,
    }
}

fn by<'a>(written: &'a str, is_valid: fn(&str) -> bool, why: &'static str) -> Judged<'a> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    match is_valid(text) {
        true => Judged::of(text, written, "blanks removed"),
        false => Judged::invalid(why),
    }
}

/// A symbol that a human gene has, or had.
fn symbol(written: &str) -> Judged<'_> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    let known = genes().is_ok_and(|genes| genes.find(text, None).is_some());
    let is_symbol =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@');
    match known {
        true => Judged::of(text, written, "blanks removed"),
        false if text.bytes().all(is_symbol) => Judged {
            id: None,
            verdict: Verdict::Unmapped,
            note: Some("no human gene has or had it"),
        },
        false => Judged::invalid("no symbol"),
    }
}

fn loinc(written: &str) -> Judged<'_> {
    by(
        written,
        loinc_valid::is_valid,
        "not a code with its check digit",
    )
}

fn snomed(written: &str) -> Judged<'_> {
    by(
        written,
        snomed_valid::is_valid,
        "not an identifier with its check digit",
    )
}

fn orcid(written: &str) -> Judged<'_> {
    let text = trim(written);
    let bare = text.strip_prefix("https://orcid.org/").unwrap_or(text);
    match orcid_valid::is_valid(bare) {
        true => Judged::of(bare, written, "blanks or prefix removed"),
        false => by(
            written,
            orcid_valid::is_valid,
            "not an iD with its check digit",
        ),
    }
}

impl Namespace {
    /// By any spelling of its prefix.
    pub(super) fn find(registry: &Arc<Registry>, spelling: &str) -> Option<Self> {
        let prefix = registry
            .find(trim(spelling))
            .map(|prefix| prefix.prefix.as_str());
        let name = prefix.unwrap_or(spelling);
        if let Some(own) = OWN.iter().find(|own| own.name == name) {
            return Some(Self::Own(own, Arc::clone(registry)));
        }
        prefix.map(|prefix| Self::Registered(Arc::clone(registry), prefix.to_owned()))
    }

    /// Whether an underscore may join its identifiers.
    pub(super) fn splits_at_underscores(&self) -> bool {
        match self {
            Self::Own(own, _) => own.underscores,
            Self::Registered(..) => false,
        }
    }

    /// Whether a list of its identifiers is never taken for one.
    pub(super) fn is_strict(&self) -> bool {
        matches!(self, Self::Own(..))
    }

    /// Judges one identifier.
    pub(super) fn judge<'a>(&self, written: &'a str) -> Judged<'a> {
        match self {
            Self::Own(own, registry) => {
                let judged = (own.judge)(written);
                // A CURIE of it.
                let id = curie::split(trim(written), ":").filter(|(prefix, _)| {
                    let prefix = registry.find(prefix);
                    prefix.is_some_and(|prefix| prefix.prefix == own.name)
                });
                match id {
                    Some((_, id)) if judged.verdict == Verdict::Invalid => {
                        (own.judge)(trim(id)).repaired("prefix removed")
                    }
                    _ => judged,
                }
            }
            Self::Registered(registry, name) => {
                let Some(text) = content(written) else {
                    return Judged::NULL;
                };
                let Some(prefix) = registry.find(name) else {
                    return Judged::invalid("an unknown prefix");
                };
                let id = curie::standardize(prefix, text, true);
                match prefix.accepts(id, false) {
                    true => Judged::of(Cow::Borrowed(id), written, "blanks or prefix removed"),
                    false => Judged::invalid("does not match the prefix's pattern"),
                }
            }
        }
    }
}
