//! What other crates may ask of identifiers: prefixes, canonical forms, what has become of them.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use biotide_common::identifiers::{Fate, Identifiers, Meaning, Namespace as KnownNamespace};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, internal_err};

use super::curie::standardize;
use super::namespace::Namespace;
use super::registry::{Declared, Prefix, Registry};
use super::tables::{BUILT_IN, Genes, Secondary};
use super::written::trim;
use crate::references::{References, own};

/// The namespaces that a session knows. Its tables of retired identifiers are read when one of theirs is asked for.
#[derive(Debug)]
pub struct KnownIdentifiers {
    registry: Arc<Registry>,
    tables: Arc<RetiredTables>,
}

/// The tables of a session, as its options name them.
#[derive(Debug)]
struct RetiredTables {
    references: Arc<References>,
    options: ConfigOptions,
}

impl KnownIdentifiers {
    /// Those of a session with these options.
    pub fn new(references: &Arc<References>, options: &ConfigOptions) -> Result<Self> {
        Ok(Self {
            registry: references.registry(options)?,
            tables: Arc::new(RetiredTables {
                references: Arc::clone(references),
                options: options.clone(),
            }),
        })
    }

    fn known(&self, prefix: &str) -> Option<Known> {
        let prefix = match self.registry.one(prefix) {
            Some(same) => same.prefix.as_str(),
            None => prefix,
        };
        let registered = || Namespace::Registered(Arc::clone(&self.registry), prefix.to_owned());
        let namespace = match prefix {
            // (Symbols are not brought to genes here.)
            "hgnc.symbol" => registered(),
            _ => {
                let no_genes = || internal_err!("only symbols need genes");
                Namespace::find(&self.registry, prefix, no_genes).ok()??
            }
        };
        Some(Known {
            tables: self
                .tables
                .may_have(prefix)
                .then(|| Arc::clone(&self.tables)),
            registered: match &namespace {
                Namespace::Registered(registry, name) => registry.place(name),
                _ => None,
            },
            retired: OnceLock::new(),
            alias: self
                .registry
                .alias(prefix)
                .and_then(|alias| self.registry.place(&alias.prefix)),
            registry: Arc::clone(&self.registry),
            prefix: prefix.to_owned(),
            canonical: namespace.canonical(),
            namespace,
        })
    }
}

impl RetiredTables {
    /// Whether there may be a table of a namespace: one that is built in, or one of those that an option names.
    fn may_have(&self, prefix: &str) -> bool {
        let named = own(&self.options).and_then(|options| options.identifiers_secondary.as_ref());
        named.is_some() || BUILT_IN.contains(&prefix)
    }
}

/// A table, if there is one, and HGNC's genes, if it is theirs.
type Retired = (Option<Arc<Secondary>>, Option<Arc<Genes>>);

impl RetiredTables {
    fn read(&self, prefix: &str) -> Result<Retired> {
        let table = self
            .references
            .secondary(&self.options)?
            .get(prefix)
            .cloned();
        let genes = match (prefix, &table) {
            ("hgnc", Some(_)) => Some(self.references.genes(&self.options)?),
            _ => None,
        };
        Ok((table, genes))
    }
}

impl Identifiers for KnownIdentifiers {
    fn namespace(&self, spelling: &str) -> Option<Arc<dyn KnownNamespace>> {
        let prefix = self.registry.find(trim(spelling))?;
        Some(Arc::new(self.known(&prefix.prefix)?))
    }

    fn of_iri(&self, iri: &str) -> Option<(Arc<dyn KnownNamespace>, String)> {
        let (prefix, local) = self.registry.find_iri(iri)?;
        Some((Arc::new(self.known(&prefix.prefix)?), local.to_owned()))
    }

    fn declared(&self, prefix: &str, iri: &str) -> Meaning {
        match self.registry.declared(prefix, iri) {
            Declared::Prefix(prefix) => match self.known(&prefix.prefix) {
                Some(known) => Meaning::Namespace(Arc::new(known)),
                None => Meaning::Unknown,
            },
            Declared::Unknown => Meaning::Unknown,
            Declared::Another => Meaning::Another,
        }
    }

    fn is_stem(&self, iri: &str) -> bool {
        self.registry.is_stem(iri)
    }
}

#[derive(Debug)]
struct Known {
    prefix: String,
    namespace: Namespace,
    registry: Arc<Registry>,
    /// Where in it the prefix is, if nothing but its pattern is known.
    registered: Option<usize>,
    /// Where another prefix is whose identifiers are the same.
    alias: Option<usize>,
    /// Tells what stays as it is, where that is quickly told.
    canonical: Option<fn(&[u8]) -> bool>,
    /// Where its retired ones may be.
    tables: Option<Arc<RetiredTables>>,
    /// They, and what tells HGNC's approved ones, once they were needed.
    retired: OnceLock<Retired>,
}

impl Known {
    fn at(&self, place: Option<usize>) -> Option<&Prefix> {
        self.registry.prefixes().get(place?)
    }
}

impl KnownNamespace for Known {
    fn prefix(&self) -> &str {
        &self.prefix
    }

    fn preferred(&self) -> &str {
        let found = self.registry.find(&self.prefix);
        found.map_or(self.prefix.as_str(), |prefix| prefix.written(true))
    }

    fn iri(&self) -> Option<&str> {
        self.registry.find(&self.prefix)?.uri_prefix.as_deref()
    }

    fn standardize<'a>(&self, local: &'a str) -> Cow<'a, str> {
        let local = match self.at(self.alias) {
            Some(alias) => standardize(alias, trim(local), true),
            None => local,
        };
        // (Without looking for the prefix again.)
        match self.at(self.registered) {
            Some(prefix) => Cow::Borrowed(standardize(prefix, trim(local), true)),
            None => self.namespace.standardize(local),
        }
    }

    fn accepts(&self, local: &str) -> bool {
        let canonical = self
            .canonical
            .is_some_and(|canonical| canonical(local.as_bytes()));
        canonical || self.namespace.judge(local).is_known()
    }

    fn fate(&self, local: &str) -> Result<Option<Fate>> {
        let Some(tables) = &self.tables else {
            return Ok(None);
        };
        let (table, genes) = match self.retired.get() {
            Some(retired) => retired,
            None => {
                let read = tables.read(&self.prefix)?;
                self.retired.get_or_init(|| read)
            }
        };
        let Some(table) = table else {
            return Ok(None);
        };
        let fate = table.form.code(local).and_then(|code| table.follow(code));
        let Some(fate) = fate else {
            return Ok(None);
        };
        let approved = genes
            .as_ref()
            .is_some_and(|genes| genes.is_approved(&format!("HGNC:{local}")));
        let mut current: Vec<String> = fate
            .current
            .iter()
            .map(|&code| table.form.show(code))
            .collect();
        if approved {
            current.insert(0, local.to_owned());
        }
        Ok(match current.as_slice() {
            [] if fate.circle => Some(Fate::Ambiguous(Vec::new())),
            [] => Some(Fate::Withdrawn),
            [one] if one == local => None,
            [one] => Some(Fate::Replaced(one.clone())),
            _ => Some(Fate::Ambiguous(current)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> KnownIdentifiers {
        KnownIdentifiers::new(&Arc::default(), &ConfigOptions::new()).unwrap()
    }

    #[test]
    fn identifiers_are_made_canonical() {
        let known = known();
        for (prefix, local, canonical) in [
            ("HGNC", "5", "5"),
            ("hgnc", "HGNC:5", "5"),
            ("UniProtKB", "p12345", "P12345"),
            ("uniprot", " P12345 ", "P12345"),
            ("chebi", "CHEBI:15377", "15377"),
            ("CHEBI", "15377", "15377"),
            ("hmdb", "HMDB00001", "HMDB0000001"),
            ("go", "0003993", "0003993"),
            ("kegg.compound", "C00001", "C00001"),
            ("uniprot", "not one", "not one"),
        ] {
            let namespace = known.namespace(prefix).unwrap();
            let standard = namespace.standardize(local).into_owned();
            assert_eq!(standard, canonical, "{prefix} {local}");
            let again = namespace.standardize(&standard).into_owned();
            assert_eq!(again, canonical, "{prefix} {local}");
        }
        assert!(known.namespace("no such prefix").is_none());
        let (namespace, local) = known
            .of_iri("http://purl.obolibrary.org/obo/GO_0003993")
            .unwrap();
        assert_eq!((namespace.prefix(), local.as_str()), ("go", "0003993"));
    }

    #[test]
    fn retired_identifiers_are_told() {
        let known = known();
        let hgnc = known.namespace("hgnc").unwrap();
        assert_eq!(hgnc.fate("1").unwrap(), Some(Fate::Withdrawn));
        assert_eq!(hgnc.fate("5").unwrap(), None);
        assert!(!known.namespace("uniprot").unwrap().accepts("NTproBNP"));
    }
}
