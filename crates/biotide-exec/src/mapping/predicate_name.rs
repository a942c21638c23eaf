//! The one form of a predicate, however it is written: `skos:exactMatch`, its IRI, `exactMatch`, with a prefix of the
//! source's own.

use std::borrow::Cow;

use biotide_common::identifiers::{Identifiers, Meaning, trim, without_scheme};
use biotide_common::sssom;

use super::declared::Declared;

/// Vocabularies of predicates beyond SSSOM's own, by the prefixes that they are known by.
const OTHERS: [(&str, &str); 3] = [
    ("oboInOwl", "http://www.geneontology.org/formats/oboInOwl#"),
    ("oio", "http://www.geneontology.org/formats/oboInOwl#"),
    ("sssom", "https://w3id.org/sssom/schema/"),
];

fn vocabularies() -> impl Iterator<Item = (&'static str, &'static str)> {
    sssom::BUILT_IN.into_iter().chain(OTHERS)
}

/// A predicate in its one form; what is known by no name stays as it is.
pub fn canonical<'a>(
    written: &'a str,
    declared: Option<&Declared>,
    identifiers: &dyn Identifiers,
) -> Cow<'a, str> {
    let text = sssom::without_brackets(trim(written));
    if let Some(known) = sssom::predicate(text) {
        return Cow::Borrowed(known);
    }
    if text.contains("://") {
        return contracted(text, identifiers).map_or(Cow::Borrowed(text), Cow::Owned);
    }
    let Some((prefix, local)) = text.split_once(':') else {
        return Cow::Borrowed(text);
    };
    if let Some(own) = declared.and_then(|declared| declared.get(prefix)) {
        let iri = format!("{}{local}", own.iri);
        return match (contracted(&iri, identifiers), &own.meaning) {
            (Some(curie), _) => Cow::Owned(curie),
            (None, Meaning::Namespace(namespace)) => {
                Cow::Owned(format!("{}:{local}", namespace.preferred()))
            }
            (None, Meaning::Another) => Cow::Owned(iri),
            (None, Meaning::Unknown) => Cow::Borrowed(text),
        };
    }
    let prefix = trim(prefix);
    let known = vocabularies().find(|(known, _)| known.eq_ignore_ascii_case(prefix));
    if let Some((_, iri)) = known
        && let Some(curie) = of_vocabulary(&format!("{iri}{local}"))
    {
        return Cow::Owned(curie);
    }
    match identifiers.namespace(prefix) {
        Some(namespace) => Cow::Owned(format!(
            "{}:{}",
            namespace.preferred(),
            namespace.standardize(local)
        )),
        None => Cow::Borrowed(text),
    }
}

fn contracted(iri: &str, identifiers: &dyn Identifiers) -> Option<String> {
    of_vocabulary(iri).or_else(|| {
        let (namespace, local) = identifiers.of_iri(iri)?;
        Some(format!(
            "{}:{}",
            namespace.preferred(),
            namespace.standardize(&local)
        ))
    })
}

/// The CURIE of an IRI with a prefix of a vocabulary, `http` or `https`.
fn of_vocabulary(iri: &str) -> Option<String> {
    let own = without_scheme(iri);
    vocabularies().find_map(|(prefix, start)| {
        let local = own.strip_prefix(without_scheme(start))?;
        (!local.is_empty() && !local.contains('/')).then(|| format!("{prefix}:{local}"))
    })
}
