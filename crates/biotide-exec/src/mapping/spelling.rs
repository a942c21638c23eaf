//! Identifiers as they are written, taken apart: CURIEs, IRIs, and bare ones of a known namespace.

use std::borrow::Cow;
use std::sync::Arc;

use biotide_common::identifiers::{Identifiers, Meaning, Namespace, trim};
use hashbrown::HashMap;

use super::declared::Declared;

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
    /// The start of its IRIs, where these tell of what namespace an identifier is.
    iri: Option<Arc<str>>,
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
    /// What the source says of its prefixes.
    declared: Option<Arc<Declared>>,
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
            declared: None,
        };
        speller.bare = bare.and_then(|bare| speller.number(bare));
        speller
    }

    /// Of a source that declares its prefixes.
    pub(crate) fn with_declared(self, declared: Option<Arc<Declared>>) -> Self {
        Self { declared, ..self }
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
            return self.of(namespace, &local);
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
        if let Some(iri) = self.known[number].iri.clone()
            && let Some(spelled) = self.of_declared(number, &iri, trim(local))
        {
            return Some(spelled);
        }
        let local = match &self.known[number].namespace {
            Some(namespace) => namespace.standardize(local),
            None => Cow::Borrowed(trim(local)),
        };
        (!local.is_empty()).then_some((number, local))
    }

    /// Of a namespace that an IRI has told.
    fn of<'a>(&mut self, namespace: Arc<dyn Namespace>, local: &str) -> Option<Spelled<'a>> {
        let local = namespace.standardize(local).into_owned();
        let number = self.number_of(namespace.prefix().into(), Some(namespace))?;
        (!local.is_empty()).then_some((number, Cow::Owned(local)))
    }

    /// An identifier whose IRI tells its namespace: that which has most of it. One of none whose prefix has the name of
    /// another namespace is its IRI.
    fn of_declared<'a>(&mut self, number: usize, iri: &str, local: &str) -> Option<Spelled<'a>> {
        if local.is_empty() {
            return None;
        }
        let whole = format!("{iri}{local}");
        let found = self.identifiers.of_iri(&whole);
        if let Some((namespace, rest)) = found.filter(|(_, rest)| rest.len() < local.len()) {
            return self.of(namespace, &rest);
        }
        if self.known[number].namespace.is_some() || !self.is_another(number) {
            return None;
        }
        let (scheme, rest) = whole.split_once(':')?;
        let number = self.number_of(scheme.into(), None)?;
        Some((number, Cow::Owned(rest.to_owned())))
    }

    /// Whether a prefix only has the name of a namespace.
    fn is_another(&self, number: usize) -> bool {
        let own = self
            .declared
            .as_ref()
            .and_then(|declared| declared.get(&self.known[number].prefix));
        own.is_some_and(|own| matches!(own.meaning, Meaning::Another))
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
        let own = self
            .declared
            .as_ref()
            .and_then(|declared| declared.get(spelling));
        let (namespace, iri) = match own {
            None => (self.identifiers.namespace(spelling), None),
            Some(own) => match &own.meaning {
                Meaning::Namespace(namespace) => {
                    (Some(Arc::clone(namespace)), own.is_stem.then_some(&own.iri))
                }
                Meaning::Unknown => (None, own.is_stem.then_some(&own.iri)),
                Meaning::Another => (None, Some(&own.iri)),
            },
        };
        let prefix: Arc<str> = match &namespace {
            Some(namespace) => namespace.prefix().into(),
            None => spelling.into(),
        };
        let number = match iri.map(|iri| Arc::from(iri.as_str())) {
            None => self.number_of(prefix, namespace)?,
            // (Another spelling of the same prefix may say nothing of its IRIs.)
            iri => self.add(Known {
                prefix,
                namespace,
                iri,
            })?,
        };
        if self.numbers.len() < MOST {
            self.numbers.insert(spelling.into(), number);
        }
        Some(number)
    }

    /// The number of a prefix in canonical form.
    fn number_of(
        &mut self,
        prefix: Arc<str>,
        namespace: Option<Arc<dyn Namespace>>,
    ) -> Option<usize> {
        if let Some(&number) = self.by_prefix.get(&prefix) {
            return Some(number);
        }
        let number = self.add(Known {
            prefix: Arc::clone(&prefix),
            namespace,
            iri: None,
        })?;
        self.by_prefix.insert(prefix, number);
        Some(number)
    }

    fn add(&mut self, known: Known) -> Option<usize> {
        // (What is no prefix at all must not fill the memory.)
        if self.known.len() >= MOST {
            return None;
        }
        self.known.push(known);
        Some(self.known.len() - 1)
    }
}
