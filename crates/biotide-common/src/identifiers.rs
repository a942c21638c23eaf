//! What is known of identifiers, for crates that work with them and do not know the registry.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use datafusion_common::Result;

/// Namespaces by their prefixes and IRIs.
pub trait Identifiers: Debug + Send + Sync {
    /// The namespace with this prefix, in any spelling.
    fn namespace(&self, spelling: &str) -> Option<Arc<dyn Namespace>>;

    /// The namespace of an IRI, and the local identifier in it.
    fn of_iri(&self, iri: &str) -> Option<(Arc<dyn Namespace>, String)>;

    /// What a prefix means that a set declares with an IRI of its own.
    fn declared(&self, prefix: &str, iri: &str) -> Meaning;

    /// Whether IRIs of namespaces begin with this one and go on.
    fn is_stem(&self, iri: &str) -> bool;
}

/// What a prefix means that a set declares.
#[derive(Debug, Clone)]
pub enum Meaning {
    /// A namespace, which may have another name.
    Namespace(Arc<dyn Namespace>),
    /// Nothing is known of its name, nor of its IRI.
    Unknown,
    /// Its name is that of a namespace that it is not.
    Another,
}

/// The identifiers of a session, for those who run in it. An extension of its configuration.
#[derive(Debug, Clone)]
pub struct SessionIdentifiers(pub Arc<dyn Identifiers>);

/// The identifiers of one prefix.
pub trait Namespace: Debug + Send + Sync {
    /// The prefix in its canonical form.
    fn prefix(&self) -> &str;

    /// The prefix as its owners write it.
    fn preferred(&self) -> &str;

    /// Its IRIs are this and a local identifier.
    fn iri(&self) -> Option<&str>;

    /// A local identifier in its canonical form: without blanks and redundant prefixes. What is none stays as
    /// it is, but for blanks.
    fn standardize<'a>(&self, local: &'a str) -> Cow<'a, str>;

    /// Whether this is a local identifier.
    fn accepts(&self, local: &str) -> bool;

    /// What has become of a local identifier in canonical form; `None` if it is current, or nothing is known. An error
    /// is that of a table that cannot be read, or has no memory.
    fn fate(&self, local: &str) -> Result<Option<Fate>>;
}

/// What has become of an identifier that is no longer in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Another one stands for it.
    Replaced(String),
    /// Several may stand for it, or it does itself.
    Ambiguous(Vec<String>),
    /// None does.
    Withdrawn,
}

/// An IRI without its scheme: `http` and `https` are the same.
pub fn without_scheme(iri: &str) -> &str {
    iri.split_once("://").map_or(iri, |(_, rest)| rest)
}

/// An IRI without its scheme and `www.`, which people write one way or the other.
pub fn bare_iri(iri: &str) -> &str {
    let rest = without_scheme(iri);
    rest.strip_prefix("www.").unwrap_or(rest)
}

/// A text without the blanks around it that people paste: Unicode's, the byte order mark among them.
pub fn trim(text: &str) -> &str {
    // (Most have none.)
    if let [first, .., last] | [first @ last] = text.as_bytes()
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return text;
    }
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// Whether this is what cells hold that hold nothing. (Without blanks around it.)
pub fn is_nothing(text: &str) -> bool {
    const TOKENS: [&str; 12] = [
        "", "-", "--", "NA", "N/A", "nan", "NULL", "None", ".", "?", "#N/A", "<NA>",
    ];
    text.len() <= 4 && TOKENS.iter().any(|token| token.eq_ignore_ascii_case(text))
}
