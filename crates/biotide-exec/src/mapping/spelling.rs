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
    /// The start of its IRIs, where these may tell another namespace.
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
        let text = unbracketed(trim(written));
        if text.is_empty() {
            return None;
        }
        if text.starts_with("http:") || text.starts_with("https:") {
            let known = self.identifiers.of_iri(text);
            let declared = self.declared.as_ref();
            let own = declared.and_then(|declared| declared.of_iri(text));
            let most = known
                .as_ref()
                .map_or(0, |(_, local)| text.len() - local.len());
            if let Some((prefix, start)) = own.filter(|(_, start)| *start > most) {
                let prefix = Arc::from(prefix);
                return Some((self.number_of(prefix, None)?, Cow::Borrowed(&text[start..])));
            }
            if let Some((namespace, local)) = known {
                return self.of(namespace, &local);
            }
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
            && let Some(spelled) = self.of_declared(&iri, trim(local))
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

    /// An identifier whose IRI may tell another namespace: that which has most of it.
    fn of_declared<'a>(&mut self, iri: &str, local: &str) -> Option<Spelled<'a>> {
        let (namespace, rest) = self.identifiers.of_iri(&format!("{iri}{local}"))?;
        match rest.len() < local.len() {
            true => self.of(namespace, &rest),
            false => None,
        }
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
        let (name, namespace) = match own {
            None => (spelling, self.identifiers.namespace(spelling)),
            Some(own) => match &own.meaning {
                Meaning::Namespace(namespace) => (spelling, Some(Arc::clone(namespace))),
                Meaning::Unknown | Meaning::Another => (own.name.as_str(), None),
            },
        };
        let prefix: Arc<str> = match &namespace {
            Some(namespace) => namespace.prefix().into(),
            None => name.into(),
        };
        let iri = own.filter(|own| own.is_stem).map(|own| &own.iri);
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

/// An IRI without the angle brackets that RDF writes around it; what is none stays as it is.
fn unbracketed(text: &str) -> &str {
    let inside = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    match inside {
        Some(iri) if iri.contains("://") || iri.starts_with("urn:") => trim(iri),
        _ => text,
    }
}
