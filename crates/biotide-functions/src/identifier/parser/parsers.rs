//! The registry of parsers.

use std::cell::OnceCell;
use std::sync::Arc;

use datafusion_common::Result;

use super::built_in::{ALL, BuiltIn};
use super::{IdentifierParser, Parsed, yaml};
use crate::function::Call;
use crate::identifier::namespace::Namespace;
use crate::identifier::registry::{Key, Registry};
use crate::identifier::tables::Genes;
use crate::identifier::verdict::Verdict;
use crate::identifier::written::content;

/// What is less sure than this is no answer, unless it is asked for.
pub const THRESHOLD: f64 = 0.7;

/// All parsers of a session, those of the highest priority first.
#[derive(Debug)]
pub struct Parsers(Vec<Entry>);

#[derive(Debug)]
pub(super) enum Entry {
    BuiltIn(&'static BuiltIn),
    Own(Arc<dyn IdentifierParser>),
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Self::BuiltIn(parser) => parser.name,
            Self::Own(parser) => parser.name(),
        }
    }

    fn priority(&self) -> i32 {
        match self {
            Self::BuiltIn(parser) => parser.priority,
            Self::Own(parser) => parser.priority(),
        }
    }

    fn types(&self) -> Vec<&str> {
        match self {
            Self::BuiltIn(parser) => parser.types.to_vec(),
            Self::Own(parser) => parser.types(),
        }
    }

    /// What a text is of: a CURIE and an entry of KEGG tell it themselves.
    fn kind<'a>(&'a self, parsed: &'a Parsed) -> &'a str {
        let told = match self {
            Self::BuiltIn(_) => parsed
                .metadata
                .iter()
                .find(|(name, _)| name == "prefix" || name == "namespace"),
            Self::Own(_) => None,
        };
        match told {
            Some((_, kind)) => kind,
            None => self.types().first().copied().unwrap_or(""),
        }
    }

    fn parse(&self, text: &str, tables: &Lookup<'_>) -> Result<Option<Parsed>> {
        match self {
            Self::BuiltIn(parser) => (parser.parse)(text, tables),
            Self::Own(parser) if !parser.can_parse(text) => Ok(None),
            Self::Own(parser) => parser.parse(text),
        }
    }

    fn evidence(&self, text: &str, parsed: &Parsed) -> f64 {
        match self {
            Self::BuiltIn(parser) => (parser.evidence)(text, parsed),
            Self::Own(parser) => parser.evidence(text),
        }
    }
}

/// What parsers look things up in.
pub(crate) struct Lookup<'a> {
    call: &'a Call<'a>,
    pub(super) registry: Arc<Registry>,
    genes: OnceCell<Arc<Genes>>,
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(call: &'a Call<'a>) -> Result<Self> {
        let registry = call.registry()?;
        Ok(Self {
            call,
            registry,
            genes: OnceCell::new(),
        })
    }

    pub(super) fn namespace(&self, name: &str) -> Result<Option<Namespace>> {
        Namespace::find(&self.registry, name, || self.call.genes())
    }

    pub(super) fn genes(&self) -> Result<&Genes> {
        if self.genes.get().is_none() {
            // (Nobody else sets it: it is this thread's.)
            self.genes.set(self.call.genes()?).ok();
        }
        match self.genes.get() {
            Some(genes) => Ok(genes),
            None => datafusion_common::internal_err!("there are no genes"),
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Type {
    /// In the form that is compared.
    key: Vec<u8>,
    /// The places of the parsers that support it.
    parsers: Vec<usize>,
    /// What judges it where no parser supports it.
    namespace: Option<Namespace>,
}

impl Type {
    /// By a prefix in any spelling, or the name of a parser's type. `None` if there is no such type.
    pub(crate) fn find(parsers: &Parsers, tables: &Lookup<'_>, name: &str) -> Result<Option<Self>> {
        let registry = &tables.registry;
        let key = canonical(registry, name);
        let is_own = |name: &str| canonical(registry, name) == key;
        let supports = |&at: &usize| parsers.0[at].types().iter().any(|name| is_own(name));
        let supporting: Vec<usize> = (0..parsers.0.len()).filter(supports).collect();
        let namespace = match supporting.is_empty() {
            true => tables.namespace(name)?,
            false => None,
        };
        if supporting.is_empty() && namespace.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            key,
            parsers: supporting,
            namespace,
        }))
    }

    /// Whether what a parser made of a text is of this type, which may be one of several that it supports.
    fn admits(&self, parsed: &Parsed, registry: &Registry) -> bool {
        let known = |name: &str| parsed.metadata.iter().find(|(own, _)| own == name);
        match self.key.as_slice() {
            b"uniprotisoform" => known("isoform").is_some(),
            b"uniprotchain" => known("chain").is_some(),
            key if key.starts_with(b"kegg") && key != b"kegg" => known("namespace")
                .is_none_or(|(_, namespace)| canonical(registry, namespace) == key),
            _ => true,
        }
    }
}

/// A type's name as it is compared: the registry's prefix where it has one.
fn canonical(registry: &Registry, name: &str) -> Vec<u8> {
    let name = name.trim();
    let prefix = registry.find(name).map_or(name, |prefix| &prefix.prefix);
    Key::new(prefix).bytes().to_vec()
}

/// What a text may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The parser that says so.
    pub parser: String,
    /// The first type that it supports.
    pub kind: String,
    /// What it made of it; the confidence is weighed by the evidence where no type was stated.
    pub parsed: Parsed,
}

impl Parsers {
    /// The built-in ones, these, and those of a YAML file. Of two with one name the later takes the place of the
    /// earlier.
    pub(crate) fn new(own: &[Arc<dyn IdentifierParser>], file: Option<&str>) -> Result<Self> {
        let mut entries: Vec<Entry> = ALL.iter().map(Entry::BuiltIn).collect();
        let of_file = file.map(yaml::read).transpose()?.unwrap_or_default();
        for parser in own.iter().cloned().chain(of_file) {
            entries.retain(|entry| entry.name() != parser.name());
            entries.push(Entry::Own(parser));
        }
        entries.sort_by(|a, b| (b.priority(), a.name()).cmp(&(a.priority(), b.name())));
        Ok(Self(entries))
    }

    /// Name, priority and types of each, in the order in which they are tried.
    pub fn list(&self) -> impl Iterator<Item = (&str, i32, Vec<&str>)> {
        self.0
            .iter()
            .map(|entry| (entry.name(), entry.priority(), entry.types()))
    }

    /// What a text may be, the best first: all that are as sure as the threshold. A stated type wins: only its
    /// parsers are asked, and the text need not prove that it is of it.
    pub(crate) fn candidates(
        &self,
        text: &str,
        stated: Option<&Type>,
        threshold: f64,
        tables: &Lookup<'_>,
    ) -> Result<Vec<Candidate>> {
        let mut found = Vec::new();
        let Some(text) = content(text) else {
            return Ok(found);
        };
        for (at, entry) in self.0.iter().enumerate() {
            if stated.is_some_and(|stated| !stated.parsers.contains(&at)) {
                continue;
            }
            if let Some(mut parsed) = entry.parse(text, tables)? {
                match stated {
                    None => parsed.confidence *= entry.evidence(text, &parsed),
                    Some(stated) if !stated.admits(&parsed, &tables.registry) => continue,
                    Some(_) => {}
                }
                let kind = entry.kind(&parsed).to_owned();
                found.push(Candidate {
                    parser: entry.name().to_owned(),
                    kind,
                    parsed,
                });
            }
        }
        if let Some(Type {
            namespace: Some(namespace),
            ..
        }) = stated
            && found.is_empty()
        {
            found.extend(by_pattern(text, namespace, &tables.registry));
        }
        found.retain(|candidate| candidate.parsed.confidence >= threshold);
        // (Stable: of those as sure the one of higher priority stays first.)
        found.sort_by(|a, b| b.parsed.confidence.total_cmp(&a.parsed.confidence));
        Ok(found)
    }
}

/// What the pattern of a registered prefix says. Without a pattern anything goes: that is little.
fn by_pattern(text: &str, namespace: &Namespace, registry: &Registry) -> Option<Candidate> {
    let name = namespace.name();
    let judged = namespace.judge(text);
    let value = judged.id.as_ref()?.to_string();
    let has_pattern = registry
        .find(name)
        .is_some_and(|prefix| prefix.pattern.is_some());
    let confidence = match has_pattern {
        true => judged.confidence(),
        false => 0.5,
    };
    let note = match has_pattern || judged.verdict != Verdict::Ok {
        true => judged.note,
        false => Some("the prefix has no pattern"),
    };
    Some(Candidate {
        parser: "pattern".to_owned(),
        kind: name.to_owned(),
        parsed: Parsed {
            value: Some(value),
            confidence,
            verdict: judged.verdict,
            note: note.map(Into::into),
            metadata: Vec::new(),
        },
    })
}
