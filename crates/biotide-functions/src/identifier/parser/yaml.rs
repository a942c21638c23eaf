//! Parsers described in YAML: a regular expression, and what to make of its match.
//!
//! ```yaml
//! parsers:
//!   - name: olink
//!     types: [olink, oid]
//!     pattern: '(?i)oid(?<number>\d{5})'   # the whole text must match
//!     value: 'OID{number}'                  # default: the group `id`, or else the text
//!     confidence: 0.95                      # default: 0.9
//!     evidence: 0.9                         # default: 0.8, of digits 0.2
//!     priority: 60                          # default: 50
//! ```
//!
//! Named groups are metadata.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_common::yaml::{self, Spanned, at};
use datafusion_common::Result;
use regex::{Captures, Regex};
use serde::Deserialize;

use super::{IdentifierParser, Parsed};
use crate::identifier::verdict::Verdict;
use crate::identifier::written::is_digits;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    parsers: Vec<Described>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    name: Spanned<String>,
    types: Spanned<Vec<String>>,
    pattern: Spanned<String>,
    value: Option<Spanned<String>>,
    confidence: Option<Spanned<f64>>,
    evidence: Option<Spanned<f64>>,
    priority: Option<i32>,
}

/// A part of a template.
#[derive(Debug)]
enum Piece {
    Text(String),
    Group(String),
}

#[derive(Debug)]
struct RegexParser {
    name: String,
    types: Vec<String>,
    pattern: Regex,
    template: Option<Vec<Piece>>,
    confidence: f64,
    evidence: Option<f64>,
    priority: i32,
}

/// The parsers of a file.
pub(super) fn read(file: &str) -> Result<Vec<Arc<dyn IdentifierParser>>, BiotideError> {
    let text = std::fs::read_to_string(Path::new(file))
        .map_err(|error| BiotideError::io(format!("reading the parsers {file}"), error))?;
    parse(&text).map_err(|problem| BiotideError::file(file, problem))
}

fn parse(text: &str) -> Result<Vec<Arc<dyn IdentifierParser>>, String> {
    let file: File = yaml::read(text)?;
    let mut parsers: Vec<Arc<dyn IdentifierParser>> = Vec::new();
    for described in file.parsers {
        if parsers
            .iter()
            .any(|known| known.name() == described.name.value)
        {
            let name = &described.name.value;
            return Err(at(
                &described.name.referenced,
                format!("there are two parsers {name}"),
            ));
        }
        parsers.push(Arc::new(described.compile()?));
    }
    Ok(parsers)
}

fn share(share: Option<Spanned<f64>>) -> Result<Option<f64>, String> {
    match share {
        Some(share) if !(0.0..=1.0).contains(&share.value) => Err(at(
            &share.referenced,
            format!("{} is not between 0 and 1", share.value),
        )),
        share => Ok(share.map(|share| share.value)),
    }
}

impl Described {
    fn compile(self) -> Result<RegexParser, String> {
        if self.name.value.trim().is_empty() {
            return Err(at(&self.name.referenced, "a parser needs a name"));
        }
        // (A text in a block ends with a line end.)
        let written = self.pattern.value.trim_end_matches('\n');
        let pattern = Regex::new(&format!(r"\A(?:{written})\z")).map_err(|error| {
            // (Its own message has the pattern and where in it.)
            let advice =
                "write a regular expression of the crate regex (no look-around, no backreferences)";
            at(&self.pattern.referenced, format!("{error}; {advice}"))
        })?;
        if self.types.value.is_empty() || self.types.value.iter().any(|name| name.trim().is_empty())
        {
            let problem = "name a type at least: it is what a query asks for".to_owned();
            return Err(at(&self.types.referenced, problem));
        }
        let template = match &self.value {
            Some(value) => Some(pieces(&value.value, &pattern).map_err(|name| {
                let groups: Vec<&str> = pattern.capture_names().flatten().collect();
                let problem = format!(
                    "the pattern has no group {name}: it has {}",
                    groups.join(", ")
                );
                at(&value.referenced, problem)
            })?),
            None if pattern.capture_names().flatten().any(|name| name == "id") => {
                Some(vec![Piece::Group("id".to_owned())])
            }
            None => None,
        };
        Ok(RegexParser {
            name: self.name.value,
            types: self.types.value,
            pattern,
            template,
            confidence: share(self.confidence)?.unwrap_or(0.9),
            evidence: share(self.evidence)?,
            priority: self.priority.unwrap_or(50),
        })
    }
}

/// The pieces of a template; an error is a group that the pattern does not have.
fn pieces(template: &str, pattern: &Regex) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return Err(format!("{{{after}"));
        };
        if !pattern.capture_names().flatten().any(|known| known == name) {
            return Err(name.to_owned());
        }
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Group(name.to_owned()));
        rest = after;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

impl RegexParser {
    fn value(&self, text: &str, groups: &Captures<'_>) -> String {
        let Some(template) = &self.template else {
            return text.to_owned();
        };
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Group(name) => groups
                .name(name)
                .map_or("", |group| group.as_str())
                .to_owned(),
        };
        template.iter().map(piece).collect()
    }
}

impl IdentifierParser for RegexParser {
    fn name(&self) -> &str {
        &self.name
    }

    fn priority(&self) -> i32 {
        self.priority
    }

    fn types(&self) -> Vec<&str> {
        self.types.iter().map(String::as_str).collect()
    }

    fn can_parse(&self, text: &str) -> bool {
        self.pattern.is_match(text)
    }

    fn parse(&self, text: &str) -> Result<Option<Parsed>> {
        let Some(groups) = self.pattern.captures(text) else {
            return Ok(None);
        };
        let value = self.value(text, &groups);
        if value.is_empty() {
            return Ok(None);
        }
        let same = value == text;
        let metadata = self.pattern.capture_names().flatten().filter_map(|name| {
            let group = groups.name(name)?;
            Some((Cow::Owned(name.to_owned()), group.as_str().to_owned()))
        });
        Ok(Some(Parsed {
            value: Some(value),
            confidence: self.confidence,
            verdict: if same { Verdict::Ok } else { Verdict::Repaired },
            note: (!same).then_some(Cow::Borrowed("the parser's form")),
            metadata: metadata.collect(),
        }))
    }

    fn evidence(&self, text: &str) -> f64 {
        self.evidence
            .unwrap_or(if is_digits(text) { 0.2 } else { 0.8 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_becomes_a_value() {
        let text = "parsers:\n  - name: olink\n    types: [olink]\n    pattern: '(?i)oid(?<number>\\d{5})'\n    \
                    value: 'OID{number}'\n    confidence: 0.95\n";
        let parsers = parse(text).unwrap();
        let parsed = parsers[0].parse("oid12345").unwrap().unwrap();
        assert_eq!(parsed.value.as_deref(), Some("OID12345"));
        assert_eq!(
            (parsed.verdict, parsed.confidence),
            (Verdict::Repaired, 0.95)
        );
        assert_eq!(parsed.metadata, [("number".into(), "12345".to_owned())]);
        assert_eq!(parsers[0].parse("OID1234").unwrap(), None);
        assert_eq!(parsers[0].parse("OID123456").unwrap(), None);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let head = "parsers:\n  - name: a\n    types: [t]\n";
        for (text, line, problem) in [
            (format!("{head}    pattern: '('\n"), 4, "unclosed group"),
            (
                format!("{head}    pattern: 'a'\n    value: '{{b}}'\n"),
                5,
                "no group b",
            ),
            (
                format!("{head}    pattern: 'a'\n    confidence: 2\n"),
                5,
                "between 0 and 1",
            ),
            (
                format!("{head}    pattern: 'a'\n    patern: 'a'\n"),
                5,
                "patern",
            ),
            (head.to_owned(), 3, "pattern"),
            (
                "parsers:\n  - name: a\n    types: []\n    pattern: a\n".to_owned(),
                3,
                "name a type",
            ),
            (
                format!("{head}    pattern: a\n  - name: a\n    types: [t]\n    pattern: a\n"),
                5,
                "two parsers a",
            ),
            ("parsers: 3\n".to_owned(), 1, "sequence"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(&format!("line {line}")), "{text}\n{error}");
            assert!(error.contains(problem), "{text}\n{error}");
        }
    }
}
