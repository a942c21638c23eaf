//! What other crates may ask of identifiers: prefixes, canonical forms, what has become of them.

use std::borrow::Cow;
use std::sync::Arc;

use biotide_common::identifiers::{Fate, Identifiers, Namespace as KnownNamespace};
use datafusion_common::Result;
use datafusion_common::config::ConfigOptions;

use super::curie::standardize;
use super::namespace::Namespace;
use super::registry::Registry;
use super::tables::{Genes, Secondary, Tables};
use super::written::trim;
use crate::references::References;

/// The namespaces that a session knows, with its tables of retired identifiers.
#[derive(Debug)]
pub struct KnownIdentifiers {
    registry: Arc<Registry>,
    secondary: Arc<Tables>,
    /// To tell HGNC's approved identifiers.
    genes: Arc<Genes>,
}

impl KnownIdentifiers {
    /// Those of a session with these options.
    pub fn new(references: &References, options: &ConfigOptions) -> Result<Self> {
        Ok(Self {
            registry: references.registry(options)?,
            secondary: references.secondary(options)?,
            genes: references.genes(options)?,
        })
    }

    fn known(&self, prefix: &str) -> Option<Known> {
        let genes = || Ok(Arc::clone(&self.genes));
        let namespace = Namespace::find(&self.registry, prefix, genes).ok()??;
        Some(Known {
            retired: self.secondary.get(prefix).cloned(),
            genes: (prefix == "hgnc").then(|| Arc::clone(&self.genes)),
            registered: match &namespace {
                Namespace::Registered(registry, name) => registry.place(name),
                _ => None,
            },
            registry: Arc::clone(&self.registry),
            prefix: prefix.to_owned(),
            canonical: namespace.canonical(),
            namespace,
        })
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
}

#[derive(Debug)]
struct Known {
    prefix: String,
    namespace: Namespace,
    registry: Arc<Registry>,
    /// Where in it the prefix is, if nothing but its pattern is known.
    registered: Option<usize>,
    /// Tells what stays as it is, where that is quickly told.
    canonical: Option<fn(&[u8]) -> bool>,
    retired: Option<Arc<Secondary>>,
    genes: Option<Arc<Genes>>,
}

impl KnownNamespace for Known {
    fn prefix(&self) -> &str {
        &self.prefix
    }

    fn standardize<'a>(&self, local: &'a str) -> Cow<'a, str> {
        // (Without looking for the prefix again.)
        match self
            .registered
            .and_then(|place| self.registry.prefixes().get(place))
        {
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

    fn fate(&self, local: &str) -> Option<Fate> {
        let table = self.retired.as_ref()?;
        let fate = table.follow(table.form.code(local)?)?;
        let approved = self
            .genes
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
        Some(match current.as_slice() {
            [] if fate.circle => Fate::Ambiguous(Vec::new()),
            [] => Fate::Withdrawn,
            [one] if one == local => return None,
            [one] => Fate::Replaced(one.clone()),
            _ => Fate::Ambiguous(current),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> KnownIdentifiers {
        KnownIdentifiers::new(&References::default(), &ConfigOptions::new()).unwrap()
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
        assert_eq!(hgnc.fate("1"), Some(Fate::Withdrawn));
        assert_eq!(hgnc.fate("5"), None);
        assert!(!known.namespace("uniprot").unwrap().accepts("NTproBNP"));
    }
}
