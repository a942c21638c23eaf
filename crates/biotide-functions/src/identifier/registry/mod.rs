//! The registry of prefixes: the Bioregistry, reduced and embedded, or a newer file.

mod declared;
mod iris;
mod key;
mod known;
mod load;
mod prefix;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use biotide_common::BiotideError;
use datafusion_common::{DataFusionError, Result};
use hashbrown::HashMap;
use parking_lot::Mutex;

pub(crate) use declared::Declared;
use iris::Iris;
pub(crate) use key::Key;
pub(crate) use known::Known;
pub use prefix::Prefix;

/// Prefixes, found by any of their spellings, and by their IRIs.
#[derive(Debug)]
pub struct Registry {
    /// The release.
    version: String,
    prefixes: Vec<Prefix>,
    by_key: HashMap<Box<[u8]>, u32>,
    iris: Iris,
    /// Prefixes that are the same as others, and those.
    same: Vec<(u32, u32)>,
}

static EMBEDDED: LazyLock<std::result::Result<Arc<Registry>, String>> = LazyLock::new(|| {
    let json = include_bytes!("../../../data/prefixes.json.gz");
    load::read(json).map(Arc::new)
});

/// The last file that was loaded: its path, its time, and what it holds.
static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

type Loaded = (String, Option<SystemTime>, Arc<Registry>);

/// The embedded registry, or that of a file.
pub(crate) fn current(file: Option<&str>) -> Result<Arc<Registry>> {
    let Some(file) = file else {
        return EMBEDDED.clone().map_err(|problem| {
            DataFusionError::Internal(format!("the embedded registry: {problem}"))
        });
    };
    let io = |error| BiotideError::io(format!("reading the registry {file}"), error);
    let modified = std::fs::metadata(Path::new(file))
        .map_err(io)?
        .modified()
        .ok();
    let mut loaded = LOADED.lock();
    if let Some((path, time, registry)) = &*loaded
        && path == file
        && *time == modified
    {
        return Ok(Arc::clone(registry));
    }
    let bytes = std::fs::read(file).map_err(io)?;
    let registry = load::read(&bytes).map_err(|problem| {
        let what = "identifiers.registry takes the Bioregistry's bioregistry.json or an extended prefix map";
        BiotideError::file(file, format!("it is no registry of prefixes: {problem}; {what}"))
    })?;
    // (Nothing must be taken for valid because its pattern cannot be read.)
    let broken = |prefix: &&Prefix| prefix.pattern.is_some() && !prefix.has_pattern();
    if let Some(prefix) = registry.prefixes().iter().find(broken) {
        let (name, pattern) = (&prefix.prefix, prefix.pattern.as_deref().unwrap_or(""));
        let problem = format!("the pattern of {name} is no regular expression: {pattern}");
        return Err(BiotideError::file(file, problem).into());
    }
    let registry = Arc::new(registry);
    *loaded = Some((file.to_owned(), modified, Arc::clone(&registry)));
    Ok(registry)
}

impl Registry {
    /// Of these prefixes; an error is two that share a spelling.
    fn new(version: String, prefixes: Vec<Prefix>) -> std::result::Result<Self, String> {
        let mut by_key: HashMap<Box<[u8]>, u32> = HashMap::new();
        for (index, prefix) in (0u32..).zip(&prefixes) {
            for spelling in prefix.spellings() {
                let key = Key::new(spelling);
                let before = by_key.insert(key.bytes().into(), index);
                if let Some(before) = before.filter(|&before| before != index) {
                    let other = &prefixes[before as usize].prefix;
                    let prefix = &prefix.prefix;
                    return Err(format!("\"{spelling}\" is {other} and {prefix}"));
                }
            }
        }
        let iris = Iris::new(&prefixes);
        let mut registry = Self {
            version,
            prefixes,
            by_key,
            iris,
            same: Vec::new(),
        };
        let same = (0u32..)
            .zip(&registry.prefixes)
            .filter_map(|(index, prefix)| {
                let other = registry.place(&registry.same(prefix)?.prefix)?;
                Some((index, u32::try_from(other).ok()?))
            });
        registry.same = same.collect();
        Ok(registry)
    }

    /// The prefix that this one is the same as.
    pub(crate) fn one(&self, prefix: &str) -> Option<&Prefix> {
        let is_it = |(from, _): &&(u32, u32)| self.prefixes[*from as usize].prefix == prefix;
        let (_, to) = self.same.iter().find(is_it)?;
        Some(&self.prefixes[*to as usize])
    }

    /// A prefix that is the same as this one.
    pub(crate) fn alias(&self, prefix: &str) -> Option<&Prefix> {
        let is_it = |(_, to): &&(u32, u32)| self.prefixes[*to as usize].prefix == prefix;
        let (from, _) = self.same.iter().find(is_it)?;
        Some(&self.prefixes[*from as usize])
    }

    /// The release.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All prefixes, by name.
    pub fn prefixes(&self) -> &[Prefix] {
        &self.prefixes
    }

    /// The prefix with this spelling, in any case and with any separators.
    pub fn find(&self, spelling: &str) -> Option<&Prefix> {
        self.by_key
            .get(Key::new(spelling).bytes())
            .map(|&index| &self.prefixes[index as usize])
    }

    /// Where among [`prefixes`](Self::prefixes) the one with this spelling is.
    pub(crate) fn place(&self, spelling: &str) -> Option<usize> {
        let place = self.by_key.get(Key::new(spelling).bytes())?;
        Some(*place as usize)
    }

    /// The prefix of an IRI, and what comes after it. The longest IRI prefix wins.
    pub fn find_iri<'a>(&self, iri: &'a str) -> Option<(&Prefix, &'a str)> {
        let (index, rest) = self.iris.find(iri)?;
        Some((&self.prefixes[index as usize], rest))
    }
}

#[cfg(test)]
pub(crate) fn embedded() -> Arc<Registry> {
    current(None).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_registry_is_whole() {
        let registry = embedded();
        assert_eq!(registry.version(), "0.15.6");
        assert_eq!(registry.prefixes().len(), 2937);
        for prefix in registry.prefixes() {
            for spelling in prefix.spellings() {
                let found = registry.find(spelling).map(|found| &found.prefix);
                assert_eq!(found, Some(&prefix.prefix), "{spelling}");
                let upper = spelling.to_uppercase().replace(['.', '_'], "-");
                let found = registry.find(&upper).map(|found| &found.prefix);
                assert_eq!(found, Some(&prefix.prefix), "{upper}");
            }
            assert!(
                prefix.pattern.is_none() || prefix.has_pattern(),
                "{}",
                prefix.prefix
            );
        }
    }

    #[test]
    fn prefixes_are_found_however_they_are_written() {
        let registry = embedded();
        for (spelling, expected) in [
            ("Entrez Gene", Some("ncbigene")),
            ("entrez_gene", Some("ncbigene")),
            ("EntrezGene", Some("ncbigene")),
            ("UniProtKB", Some("uniprot")),
            ("uniprot/swiss-prot", Some("uniprot")),
            ("CID", Some("pubchem.compound")),
            ("PubChem", Some("pubchem.compound")),
            ("PMID", Some("pubmed")),
            ("taxon", Some("ncbitaxon")),
            ("ENSG", None),
            ("cpd", None),
            ("hsa", None),
            ("hgnc_id", None),
            ("ensembl.gene", None),
            ("InChIKey=", None),
            ("", None),
            ("\u{212a}EGG", Some("kegg")),
        ] {
            let found = registry.find(spelling).map(|found| found.prefix.as_str());
            assert_eq!(found, expected, "{spelling}");
        }
    }

    #[test]
    fn the_longest_iri_prefix_wins() {
        let registry = embedded();
        let find = |iri| {
            let found = registry.find_iri(iri);
            found.map(|(prefix, rest)| (prefix.prefix.clone(), rest.to_owned()))
        };
        let go = Some(("go".to_owned(), "0003993".to_owned()));
        assert_eq!(find("http://purl.obolibrary.org/obo/GO_0003993"), go);
        assert_eq!(find("https://bioregistry.io/GO:0003993"), go);
        let chebi = Some(("chebi".to_owned(), "15377".to_owned()));
        assert_eq!(
            find("https://www.ebi.ac.uk/chebi/searchId.do?chebiId=CHEBI:15377"),
            chebi
        );
        assert_eq!(find("http://nowhere.example/GO_0003993"), None);
        assert_eq!(find(""), None);
    }
}
