//! What is known of a prefix.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::identifier::uniprot_parse::is_accession;

/// Whether bytes are an identifier.
type Matcher = fn(&[u8]) -> bool;

/// A prefix of the registry.
#[derive(Debug, Deserialize)]
pub struct Prefix {
    /// Its canonical form.
    pub prefix: String,
    /// As its owners write it.
    #[serde(default)]
    pub preferred: Option<String>,
    /// What it stands for.
    #[serde(default)]
    pub name: Option<String>,
    /// Other spellings.
    #[serde(default, alias = "prefix_synonyms")]
    pub synonyms: Vec<String>,
    /// The regular expression of its local identifiers.
    #[serde(default)]
    pub pattern: Option<String>,
    /// A redundant prefix that local identifiers are often written with.
    #[serde(default)]
    pub banana: Option<String>,
    /// What stands between that and the identifier, if it is not a colon.
    #[serde(default)]
    pub peel: Option<String>,
    /// Its IRIs are this and a local identifier.
    #[serde(default)]
    pub uri_prefix: Option<String>,
    /// Other forms of its IRIs.
    #[serde(default)]
    pub uri_prefix_synonyms: Vec<String>,
    /// What does the same as the pattern, where that was written by hand.
    #[serde(skip)]
    by_hand: OnceLock<Option<Matcher>>,
    #[serde(skip)]
    ascii: OnceLock<Option<Regex>>,
    #[serde(skip)]
    unicode: OnceLock<Option<Regex>>,
}

impl Prefix {
    /// All its spellings. (The preferred one is mostly among them; of two prefixes that of one is the other.)
    pub(super) fn spellings(&self) -> impl Iterator<Item = &str> {
        let all = std::iter::once(&self.prefix).chain(&self.synonyms);
        all.map(String::as_str)
    }

    /// All its IRI prefixes.
    pub(super) fn iris(&self) -> impl Iterator<Item = &str> {
        self.uri_prefix
            .iter()
            .chain(&self.uri_prefix_synonyms)
            .map(String::as_str)
    }

    /// As its owners write it, if that is preferred and known; else its canonical form.
    pub fn written(&self, preferred: bool) -> &str {
        let owners = self.preferred.as_deref().filter(|_| preferred);
        owners.unwrap_or(&self.prefix)
    }

    /// Whether its pattern can be compiled.
    pub(super) fn has_pattern(&self) -> bool {
        self.regex(false).is_some() && self.regex(true).is_some()
    }

    /// The compiled pattern. `unicode`: digits and letters of any script, as Python has it.
    fn regex(&self, unicode: bool) -> Option<&Regex> {
        let cell = if unicode { &self.unicode } else { &self.ascii };
        let compiled = cell.get_or_init(|| {
            let pattern = self.pattern.as_ref()?;
            let flags = if unicode { "" } else { "(?-u:" };
            let end = if unicode { "" } else { ")" };
            let whole = |inner: &str| RegexBuilder::new(&format!(r"\A(?:{inner})\z")).build().ok();
            // (A pattern with classes beyond ASCII cannot do without Unicode.)
            whole(&format!("{flags}{pattern}{end}")).or_else(|| whole(pattern))
        });
        compiled.as_ref()
    }

    /// Whether this is a local identifier: matches the whole pattern, or there is none.
    pub fn is_valid(&self, id: &str, unicode: bool) -> bool {
        match self.matcher() {
            Some(matches) if !unicode => matches(id.as_bytes()),
            _ => self
                .regex(unicode)
                .is_none_or(|regex| regex.is_match(id.as_bytes())),
        }
    }

    /// What does the same as [`accepts`](Self::accepts), if it was written by hand.
    pub(crate) fn matcher(&self) -> Option<fn(&[u8]) -> bool> {
        let by_hand = || self.pattern.as_deref().and_then(by_hand);
        *self.by_hand.get_or_init(by_hand)
    }

    /// Whether this is a local identifier: [valid](Self::is_valid), and not empty unless bioregistry is asked, which
    /// takes digits of all scripts too.
    pub fn accepts(&self, id: &str, as_bioregistry: bool) -> bool {
        (as_bioregistry || !id.is_empty()) && self.is_valid(id, as_bioregistry)
    }

    /// The local identifier without a redundant prefix: the banana and its peel (or `_`), or this prefix and the
    /// peel, in any case. Once only, as the Bioregistry does.
    pub fn standardize<'a>(&self, id: &'a str) -> &'a str {
        let banana = self.banana.as_deref();
        let first = |text: &str| text.bytes().next().map(|byte| byte.to_ascii_lowercase());
        let start = first(id);
        if start != first(&self.prefix) && banana.is_none_or(|banana| start != first(banana)) {
            return id;
        }
        let peel = self.peel.as_deref().unwrap_or(":");
        for peel in [peel, "_"] {
            for redundant in banana.into_iter().chain([self.prefix.as_str()]) {
                if let Some(rest) = strip(id, redundant, peel) {
                    return rest;
                }
            }
        }
        id
    }
}

/// The commonest patterns, several times as fast as a regular expression (ASCII only).
fn by_hand(pattern: &str) -> Option<Matcher> {
    fn digits(id: &[u8]) -> bool {
        !id.is_empty() && id.iter().all(u8::is_ascii_digit)
    }
    fn seven_digits(id: &[u8]) -> bool {
        id.len() == 7 && digits(id)
    }
    Some(match pattern {
        r"^([OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d([A-Z][A-Z0-9]{2}\d){1,2})$" => is_accession,
        r"^\d+$" => digits,
        r"^\d{7}$" => seven_digits,
        _ => return None,
    })
}

/// What follows a redundant prefix and its peel, in any case of ASCII.
fn strip<'a>(id: &'a str, redundant: &str, peel: &str) -> Option<&'a str> {
    let starts = |text: &str, start: &str| {
        let head = text.as_bytes().get(..start.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    };
    let rest = starts(id, redundant).then(|| id.get(redundant.len()..))??;
    starts(rest, peel).then(|| rest.get(peel.len()..))?
}

#[cfg(test)]
mod tests {
    use super::super::embedded;

    #[test]
    fn what_is_written_by_hand_does_what_the_pattern_does() {
        let registry = embedded();
        let ids = [
            "",
            "1",
            "0005148",
            "7157",
            "P12345",
            "A0A023GPI8",
            "P1234",
            "p12345",
            "12345678",
            "٣٤",
            "1 ",
            "x1",
        ];
        let mut by_hand = 0;
        for prefix in registry.prefixes() {
            for id in ids {
                let regex = prefix
                    .regex(false)
                    .is_none_or(|regex| regex.is_match(id.as_bytes()));
                assert_eq!(prefix.is_valid(id, false), regex, "{} {id}", prefix.prefix);
            }
            by_hand += usize::from(prefix.by_hand.get().is_some_and(Option::is_some));
        }
        assert!(by_hand > 300, "{by_hand}");
    }
}
