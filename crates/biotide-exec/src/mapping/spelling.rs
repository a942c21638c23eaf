//! Identifiers as they are written, taken apart: CURIEs, IRIs, and bare ones of a known namespace.

use std::borrow::Cow;
use std::sync::Arc;

use biotide_common::identifiers::{Identifiers, Namespace, trim};
use hashbrown::HashMap;

/// The most prefixes that are told apart: one more than a mapping may have, which is refused then, whoever meets it.
const MOST: usize = (1 << 16) + 1;

/// Spellings that are remembered.
const LATELY: usize = 64;

/// A prefix that was met, in canonical form.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) prefix: Arc<str>,
    /// What is known of it, if anything is.
    pub(crate) namespace: Option<Arc<dyn Namespace>>,
}

/// An identifier in canonical form: the number of its prefix among those met, and what is local to it.
pub(crate) type Spelled<'a> = (usize, Cow<'a, str>);

/// Takes identifiers apart, and remembers their prefixes.
#[derive(Debug)]
pub(crate) struct Speller {
    identifiers: Arc<dyn Identifiers>,
    known: Vec<Known>,
    /// By spelling.
    numbers: HashMap<Box<str>, usize>,
    by_prefix: HashMap<Arc<str>, usize>,
    /// Those met lately, by a hash of their spelling.
    lately: [Option<(Box<str>, usize)>; LATELY],
    /// That of identifiers without a prefix.
    bare: Option<usize>,
}

impl Speller {
    /// `bare`: the namespace of identifiers that have no prefix.
    pub(crate) fn new(identifiers: Arc<dyn Identifiers>, bare: Option<&str>) -> Self {
        let mut speller = Self {
            identifiers,
            known: Vec::new(),
            numbers: HashMap::new(),
            by_prefix: HashMap::new(),
            lately: std::array::from_fn(|_| None),
            bare: None,
        };
        speller.bare = bare.and_then(|bare| speller.number(bare));
        speller
    }

    /// Whether it can take in so many prefixes more.
    pub(crate) fn has_room(&self, more: usize) -> bool {
        self.known.len() + more <= MOST
    }

    /// The prefix of a number.
    pub(crate) fn known(&self, number: usize) -> &Known {
        &self.known[number]
    }

    /// The namespace of identifiers that have no prefix.
    pub(crate) fn bare(&self) -> Option<&Known> {
        self.bare.map(|number| &self.known[number])
    }

    /// The parts of an identifier; `None` if it is none.
    pub(crate) fn take_apart<'a>(&mut self, written: &'a str) -> Option<Spelled<'a>> {
        let text = trim(written);
        if text.is_empty() {
            return None;
        }
        if (text.starts_with("http:") || text.starts_with("https:"))
            && let Some((namespace, local)) = self.identifiers.of_iri(text)
        {
            let number = self.number(namespace.prefix())?;
            let local = namespace.standardize(&local).into_owned();
            return (!local.is_empty()).then_some((number, Cow::Owned(local)));
        }
        let (number, local) = match memchr::memchr(b':', text.as_bytes()) {
            Some(at) => {
                let (prefix, local) = (trim(&text[..at]), &text[at + 1..]);
                let number = self.numbered(prefix)?;
                match self.bare {
                    // (A colon may be part of an identifier of the namespace: `hsa:7157` of KEGG's.)
                    Some(bare)
                        if self.is_of(bare, text) && self.known[number].namespace.is_none() =>
                    {
                        (bare, text)
                    }
                    _ => (number, local),
                }
            }
            None => (self.bare?, text),
        };
        let local = match &self.known[number].namespace {
            Some(namespace) => namespace.standardize(local),
            None => Cow::Borrowed(trim(local)),
        };
        (!local.is_empty()).then_some((number, local))
    }

    fn is_of(&self, number: usize, text: &str) -> bool {
        let namespace = self.known[number].namespace.as_ref();
        namespace.is_some_and(|namespace| namespace.accepts(&namespace.standardize(text)))
    }

    fn numbered(&mut self, spelling: &str) -> Option<usize> {
        // (A row or two hold few prefixes, again and again.)
        let (first, last) = match spelling.as_bytes() {
            [first, .., last] | [first @ last] => (usize::from(*first), usize::from(*last)),
            [] => return None,
        };
        let place = (first ^ last << 2 ^ spelling.len() << 1) % LATELY;
        if let Some((known, number)) = &self.lately[place]
            && **known == *spelling
        {
            return Some(*number);
        }
        let number = self.number(spelling)?;
        self.lately[place] = Some((spelling.into(), number));
        Some(number)
    }

    fn number(&mut self, spelling: &str) -> Option<usize> {
        if let Some(&number) = self.numbers.get(spelling) {
            return Some(number);
        }
        let namespace = self.identifiers.namespace(spelling);
        let prefix: Arc<str> = match &namespace {
            Some(namespace) => namespace.prefix().into(),
            None => spelling.into(),
        };
        let number = match self.by_prefix.get(&prefix) {
            Some(&number) => number,
            // (What is no prefix at all must not fill the memory.)
            None if self.known.len() >= MOST => return None,
            None => {
                self.known.push(Known {
                    prefix: Arc::clone(&prefix),
                    namespace,
                });
                self.by_prefix.insert(prefix, self.known.len() - 1);
                self.known.len() - 1
            }
        };
        if self.numbers.len() < MOST {
            self.numbers.insert(spelling.into(), number);
        }
        Some(number)
    }
}
