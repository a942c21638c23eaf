//! Parsers of identifiers, and the registry that tries them.
//!
//! A parser knows one kind of identifier: it has a name, a priority and the types that it supports, and makes of
//! a text a value with a confidence. [`Parsers`] tries them in the order of their priority, keeps what is sure
//! enough, and has the best first. Parsers are [built in](built_in), written in Rust ([`IdentifierParser`],
//! given to the context's builder), or described in YAML ([`yaml`]).

mod built_in;
mod parsers;
mod yaml;

use std::borrow::Cow;
use std::fmt::Debug;

use datafusion_common::Result;

pub use super::verdict::Verdict;
pub use parsers::{Candidate, Parsers, THRESHOLD};
pub(crate) use parsers::{Lookup, Type};

/// What a parser made of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The identifier in canonical form; `None` if it is none that can be used.
    pub value: Option<String>,
    /// How sure it is that the text means this, if it is of the parser's type: 0 to 1.
    pub confidence: f64,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// The rule that changed or refused it.
    pub note: Option<Cow<'static, str>>,
    /// What else is known of it, by name.
    pub metadata: Vec<(Cow<'static, str>, String)>,
}

impl Parsed {
    /// A value that is right as it stands.
    pub fn ok(value: impl Into<String>, confidence: f64) -> Self {
        Self {
            value: Some(value.into()),
            confidence,
            verdict: Verdict::Ok,
            note: None,
            metadata: Vec::new(),
        }
    }

    /// The same with a piece of metadata.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((Cow::Borrowed(name), value.into()));
        self
    }
}

/// Parses one kind of identifier.
pub trait IdentifierParser: Debug + Send + Sync {
    /// Its name, by which results tell which parser made them.
    fn name(&self) -> &str;

    /// Of parsers that are as sure, that of the higher priority comes first. Built-in ones have 40 to 90.
    fn priority(&self) -> i32 {
        50
    }

    /// The types that it supports: prefixes of the registry in any spelling, or names of its own.
    fn types(&self) -> Vec<&str>;

    /// Whether it is worth trying: a quick look.
    fn can_parse(&self, text: &str) -> bool {
        !text.is_empty()
    }

    /// Parses a text without blanks around it; `None` if it is nothing of this kind.
    fn parse(&self, text: &str) -> Result<Option<Parsed>>;

    /// How much the text alone says that it is of this kind, 0 to 1, where nobody said so. Digits are weak
    /// evidence for everything.
    fn evidence(&self, text: &str) -> f64 {
        match super::written::is_digits(text) {
            true => 0.2,
            false => 0.8,
        }
    }
}
