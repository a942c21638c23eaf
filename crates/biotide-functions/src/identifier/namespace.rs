//! What judges the identifiers of a namespace.

use std::borrow::Cow;
use std::sync::Arc;

use biotide_common::nearest::nearest;
use datafusion_common::Result;

use super::curie;
use super::registry::Registry;
use super::tables::{Context, Genes};
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
    /// Symbols of genes.
    Symbols(Arc<Genes>, Arc<Registry>),
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
    /// Tells identifiers that are right as they stand, if that is quickly told.
    canonical: Option<Matcher>,
    /// Tells what stays as it is, right or not.
    settled: Matcher,
}

/// Whether bytes are an identifier.
type Matcher = fn(&[u8]) -> bool;

const OWN: [Own; 13] = [
    own("uniprot", uniprot_parse::judge, true).with(uniprot_parse::is_accession),
    own("ensembl", ensembl_parse::judge, false).settled(is_plain_ensembl),
    own("refseq", refseq_parse::judge, false).settled(is_plain_refseq),
    own("hmdb", hmdb_normalize::judge, false).with(hmdb_normalize::is_accession),
    own("kegg", kegg_parse::judge, false),
    own("dbsnp", dbsnp_normalize::judge, false),
    own("pubchem.compound", pubchem_normalize::judge, false).with(pubchem_normalize::is_compound),
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
        canonical: None,
        settled: |_| false,
    }
}

/// `ENSG00000141510`.
fn is_plain_ensembl(id: &[u8]) -> bool {
    let Some((head, digits)) = id.len().checked_sub(11).map(|at| id.split_at(at)) else {
        return false;
    };
    head.starts_with(b"ENS")
        && head.iter().all(u8::is_ascii_uppercase)
        && digits.iter().all(u8::is_ascii_digit)
}

/// `NP_000537`.
fn is_plain_refseq(id: &[u8]) -> bool {
    matches!(id, [a, b, b'_', first, rest @ ..]
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && first.is_ascii_digit() && rest.iter().all(u8::is_ascii_digit))
}

impl Own {
    const fn with(self, canonical: Matcher) -> Self {
        Self {
            canonical: Some(canonical),
            settled: canonical,
            ..self
        }
    }

    const fn settled(self, settled: Matcher) -> Self {
        Self { settled, ..self }
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

/// The namespace of gene symbols.
const SYMBOLS: &str = "hgnc.symbol";

/// A symbol that a gene has, or had.
fn symbol<'a>(genes: &Genes, written: &'a str) -> Judged<'a> {
    let Some(text) = content(written) else {
        return Judged::NULL;
    };
    let is_symbol =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@');
    let Some(found) = genes.find(text, Context::default()) else {
        return match text.bytes().all(is_symbol) {
            true => Judged {
                id: None,
                verdict: Verdict::Unmapped,
                note: Some("no gene has or had it"),
            },
            false => Judged::invalid("no symbol"),
        };
    };
    let Some(gene) = found.one() else {
        return Judged {
            id: None,
            verdict: Verdict::Ambiguous,
            note: Some("several genes have it"),
        };
    };
    let symbol = genes.symbol(gene);
    let same = symbol == written;
    let (verdict, note) = found.level.judged(same);
    let id = match same {
        true => Cow::Borrowed(written),
        false => Cow::Owned(symbol.to_owned()),
    };
    Judged {
        id: Some(id),
        verdict,
        note,
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

/// Judges an identifier, or what it is without the namespace's prefix.
fn with_prefix<'a>(
    name: &str,
    registry: &Registry,
    written: &'a str,
    judge: impl Fn(&'a str) -> Judged<'a>,
) -> Judged<'a> {
    let judged = judge(written);
    if judged.verdict != Verdict::Invalid {
        return judged;
    }
    // A CURIE of it.
    let id = curie::split(trim(written), ":").filter(|(prefix, _)| {
        let prefix = registry.find(prefix);
        prefix.is_some_and(|prefix| prefix.prefix == name)
    });
    match id {
        Some((_, id)) => judge(trim(id)).repaired("prefix removed"),
        None => judged,
    }
}

/// What may have been meant by a name that there are no identifiers of: no prefix of the registry in any spelling, nor a
/// namespace of ours. `None`: it is one.
pub fn unknown_namespace(registry: &Registry, spelling: &str) -> Option<String> {
    let is_own = || OWN.iter().any(|own| own.name == spelling);
    if registry.find(trim(spelling)).is_some() || spelling == SYMBOLS || is_own() {
        return None;
    }
    let known = registry.prefixes().iter();
    Some(
        match nearest(spelling, known.map(|prefix| prefix.prefix.as_str())) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "it is a prefix, such as uniprot (SELECT prefix, name FROM system.prefixes)"
                .to_owned(),
        },
    )
}

impl Namespace {
    /// By any spelling of its prefix.
    pub(super) fn find(
        registry: &Arc<Registry>,
        spelling: &str,
        genes: impl FnOnce() -> Result<Arc<Genes>>,
    ) -> Result<Option<Self>> {
        let prefix = registry
            .find(trim(spelling))
            .map(|prefix| prefix.prefix.as_str());
        let name = prefix.unwrap_or(spelling);
        if let Some(own) = OWN.iter().find(|own| own.name == name) {
            return Ok(Some(Self::Own(own, Arc::clone(registry))));
        }
        if name == SYMBOLS {
            return Ok(Some(Self::Symbols(genes()?, Arc::clone(registry))));
        }
        Ok(prefix.map(|prefix| Self::Registered(Arc::clone(registry), prefix.to_owned())))
    }

    /// Its prefix in the registry.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Own(own, _) => own.name,
            Self::Symbols(..) => SYMBOLS,
            Self::Registered(_, name) => name,
        }
    }

    /// Whether an underscore may join its identifiers.
    pub(super) fn splits_at_underscores(&self) -> bool {
        match self {
            Self::Own(own, _) => own.underscores,
            Self::Symbols(..) => true,
            Self::Registered(..) => false,
        }
    }

    /// Whether a list of its identifiers is never taken for one.
    pub(super) fn is_strict(&self) -> bool {
        !matches!(self, Self::Registered(..))
    }

    /// Whether its identifiers hold neither `;` nor `,`.
    pub(super) fn is_cut_at_commas(&self) -> bool {
        // (HGNC has symbols with commas.)
        matches!(self, Self::Own(..))
    }

    /// Tells identifiers that are right as they stand, where that is quickly told.
    pub(super) fn canonical(&self) -> Option<Matcher> {
        match self {
            Self::Own(own, _) => own.canonical,
            Self::Symbols(..) => None,
            Self::Registered(registry, name) => {
                let prefix = registry.find(name)?;
                // (What a prefix could be cut off from is not.)
                let starts = |text: &String| text.starts_with(|c: char| c.is_ascii_digit());
                let plain = !starts(&prefix.prefix) && !prefix.banana.as_ref().is_some_and(starts);
                prefix.matcher().filter(|_| plain)
            }
        }
    }

    /// An identifier in canonical form; what is none stays as it is, but for blanks. Whether it matches the pattern of
    /// its prefix is not looked at.
    pub(super) fn standardize<'a>(&self, written: &'a str) -> Cow<'a, str> {
        match self {
            Self::Own(own, _) if (own.settled)(written.as_bytes()) => Cow::Borrowed(written),
            Self::Own(..) => {
                let judged = self.judge(written);
                match (judged.verdict, judged.id) {
                    (Verdict::Ok | Verdict::Repaired, Some(id)) => id,
                    _ => Cow::Borrowed(trim(written)),
                }
            }
            Self::Symbols(..) => Cow::Borrowed(trim(written)),
            Self::Registered(registry, name) => match registry.find(name) {
                Some(prefix) => Cow::Borrowed(curie::standardize(prefix, trim(written), true)),
                None => Cow::Borrowed(trim(written)),
            },
        }
    }

    /// Judges one identifier.
    pub(super) fn judge<'a>(&self, written: &'a str) -> Judged<'a> {
        match self {
            Self::Own(own, registry) => with_prefix(own.name, registry, written, own.judge),
            Self::Symbols(genes, registry) => {
                with_prefix(SYMBOLS, registry, written, |written| symbol(genes, written))
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
