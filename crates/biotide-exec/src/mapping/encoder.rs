//! Statements in text, made records.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use biotide_common::identifiers::{Identifiers, is_nothing, trim};
use datafusion_common::Result;
use hashbrown::HashMap;

use super::declared::Declared;
use super::dictionary::{Class, Source};
use super::edges::{Edge, Edges};
use super::key;
use super::key::Key;
use super::predicate_name::canonical;
use super::spelling::Speller;
use crate::index::build::{Ingest, Intake};

/// The predicate of statements that name none.
pub(crate) const PREDICATE: &str = "skos:exactMatch";

/// So many spellings of predicates are remembered.
const PREDICATES: usize = 1024;

/// SSSOM's word for a term that was looked for and is not there.
const NO_TERM: &str = "sssom:NoTermFound";

/// Why a row is no statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The column.
    pub(crate) column: &'static str,
    /// One of the closed list of reasons.
    pub(crate) reason: &'static str,
    /// For a person.
    pub(crate) message: &'static str,
}

const fn flaw(column: &'static str, reason: &'static str, message: &'static str) -> Flaw {
    Flaw {
        column,
        reason,
        message,
    }
}

/// Makes records of the statements that one thread has.
#[derive(Debug)]
pub(crate) struct Encoder {
    ingest: Arc<Ingest>,
    intake: Intake,
    speller: Speller,
    /// Of the speller's prefixes, the numbers and seeds they have here.
    prefixes: Vec<Option<(u16, u64)>>,
    /// That of the statement before.
    last: Option<Last>,
    identifiers: Arc<dyn Identifiers>,
    declared: Option<Arc<Declared>>,
    /// The numbers of predicates, as they were written.
    predicates: HashMap<Box<str>, u32>,
    /// The flaw that was told of last, with the line and offset of its row.
    told: Option<((u64, u64), Flaw, String)>,
    /// What is from nowhere else.
    source: Source,
}

#[derive(Debug)]
struct Last {
    predicate: String,
    source: Source,
    confidence: f64,
    negated: bool,
    class: u32,
}

impl Encoder {
    /// `source`: where statements are from that name nothing themselves. `declared`: what it says of its prefixes.
    pub(crate) fn new(
        ingest: &Arc<Ingest>,
        identifiers: Arc<dyn Identifiers>,
        source: &str,
        declared: Option<Arc<Declared>>,
    ) -> Self {
        Self {
            intake: Intake::new(ingest),
            ingest: Arc::clone(ingest),
            speller: Speller::new(Arc::clone(&identifiers), None).with_declared(declared.clone()),
            identifiers,
            declared,
            predicates: HashMap::new(),
            prefixes: Vec::new(),
            told: None,
            last: None,
            source: Source {
                name: source.to_owned(),
                release: None,
            },
        }
    }

    /// Takes in statements. `refuse` is told of rows that are none.
    pub(crate) fn add(
        &mut self,
        edges: &Edges,
        refuse: &mut dyn FnMut(usize, Flaw, &str) -> Result<()>,
    ) -> Result<()> {
        for row in 0..edges.rows {
            let edge = edges.get(row);
            match self.statement(&edge)? {
                Taken::Statement => {}
                Taken::Nothing => {
                    self.ingest.skipped.fetch_add(1, Ordering::Relaxed);
                }
                Taken::Flaw(flaw, raw) => {
                    // (Of one row of a file there can be several statements, with the same flaw or others.)
                    let place = edges.place(row);
                    let told = place.map(|place| (place, flaw, raw.clone()));
                    if told.is_some() && told == self.told {
                        continue;
                    }
                    let is_counted = place.is_some_and(|place| self.is_told_of(place));
                    self.told = told;
                    if !is_counted {
                        self.ingest.rejected.fetch_add(1, Ordering::Relaxed);
                    }
                    refuse(row, flaw, &raw)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the flaw that was told of last is of the row at this place.
    fn is_told_of(&self, place: (u64, u64)) -> bool {
        self.told.as_ref().is_some_and(|told| told.0 == place)
    }

    fn statement(&mut self, edge: &Edge<'_>) -> Result<Taken> {
        // A literal, a name without an identifier: nothing that could be walked to.
        let (Some(subject), Some(object)) = (edge.subject, edge.object) else {
            return Ok(Taken::Nothing);
        };
        if subject == NO_TERM
            || object == NO_TERM
            || holds_nothing(subject)
            || holds_nothing(object)
        {
            return Ok(Taken::Nothing);
        }
        let confidence = edge.confidence.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&confidence) {
            let flaw = flaw("confidence", "out_of_range", "a confidence is from 0 to 1");
            let number = || confidence.to_string();
            let raw = edge.no_confidence.map_or_else(number, str::to_owned);
            return Ok(Taken::Flaw(flaw, raw));
        }
        if let Some((flaw, raw)) = unknown_denial(edge) {
            return Ok(Taken::Flaw(flaw, raw.to_owned()));
        }
        let Some(subject) = self.key(subject)? else {
            return Ok(no_identifier("subject", subject));
        };
        let Some(object) = self.key(object)? else {
            return Ok(no_identifier("object", object));
        };
        let class = self.class(edge, confidence)?;
        self.intake.statement(subject, object, class)?;
        Ok(Taken::Statement)
    }

    fn key(&mut self, written: &str) -> Result<Option<Key>> {
        let Some((known, local)) = self.speller.take_apart(written) else {
            return Ok(None);
        };
        if self.prefixes.len() <= known {
            self.prefixes.resize(known + 1, None);
        }
        let (prefix, seed) = match self.prefixes[known] {
            Some(numbers) => numbers,
            None => {
                let name = &*self.speller.known(known).prefix;
                let numbers = (self.ingest.dictionary.prefix(name)?, key::seed(name));
                self.prefixes[known] = Some(numbers);
                numbers
            }
        };
        Ok(Some(self.intake.key(prefix, seed, &local)?))
    }

    fn class(&mut self, edge: &Edge<'_>, confidence: f64) -> Result<u32> {
        let predicate = edge.predicate.unwrap_or(PREDICATE);
        let name = edge.source.unwrap_or(&self.source.name);
        if let Some(last) = &self.last
            && last.predicate == predicate
            && last.source.name == name
            && last.source.release.as_deref() == edge.release
            && last.confidence.to_bits() == confidence.to_bits()
            && last.negated == edge.negated
        {
            return Ok(last.class);
        }
        let source = Source {
            name: name.to_owned(),
            release: edge.release.map(str::to_owned),
        };
        let numbers = (
            self.predicate(predicate)?,
            self.ingest.dictionary.source(&source)?,
        );
        let class = Class::new(numbers.0, numbers.1, edge.negated, confidence);
        let class = self.ingest.class(class)?;
        self.last = Some(Last {
            predicate: predicate.to_owned(),
            source,
            confidence,
            negated: edge.negated,
            class,
        });
        Ok(class)
    }

    fn predicate(&mut self, written: &str) -> Result<u32> {
        if let Some(&number) = self.predicates.get(written) {
            return Ok(number);
        }
        let name = canonical(written, self.declared.as_deref(), &*self.identifiers);
        let number = self.ingest.dictionary.predicate(&name)?;
        if self.predicates.len() < PREDICATES {
            self.predicates.insert(written.into(), number);
        }
        Ok(number)
    }

    /// Takes in what is left.
    pub(crate) fn finish(self) -> Result<()> {
        self.intake.finish()
    }
}

/// What is behind the prefix of a CURIE.
fn local(written: &str) -> Option<&str> {
    let at = memchr::memchr(b':', written.as_bytes())?;
    Some(trim(&written[at + 1..]))
}

/// Whether a cell held nothing, with or without a prefix that was put before it: `uniprot:-`. (A prefix alone is an
/// identifier that somebody has cut short.)
fn holds_nothing(written: &str) -> bool {
    match local(written) {
        Some(local) => !local.is_empty() && is_nothing(local),
        None => is_nothing(trim(written)),
    }
}

/// What is neither a denial nor none: it must not be as if nothing were denied.
fn unknown_denial<'a>(edge: &Edge<'a>) -> Option<(Flaw, &'a str)> {
    let of = |column, message, raw: Option<&'a str>| {
        Some((flaw(column, "unknown_value", message), raw?))
    };
    let modifier = "a predicate_modifier is Not, or empty";
    let negated =
        "negated is true, yes or 1 where a statement is denied, else false, no, 0 or empty";
    of("predicate_modifier", modifier, edge.no_modifier)
        .or_else(|| of("negated", negated, edge.no_negation))
}

fn no_identifier(column: &'static str, written: &str) -> Taken {
    let message = match local(written) {
        Some("") => "a prefix with no identifier behind it",
        _ => "not an identifier with a prefix, such as uniprot:P12345",
    };
    let flaw = flaw(column, "no_identifier", message);
    Taken::Flaw(flaw, written.to_owned())
}

/// What became of a row.
enum Taken {
    Statement,
    Nothing,
    Flaw(Flaw, String),
}
