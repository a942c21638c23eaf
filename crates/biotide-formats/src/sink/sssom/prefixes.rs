//! The prefixes of what is written: what they stand for, and which are needed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use biotide_common::disputes::Dispute;
use biotide_common::identifiers::SessionIdentifiers;
use biotide_common::sssom::{self, Slot};
use datafusion_common::Result;

use super::refuse;

/// Where prefixes are that the registry knows no IRI of.
const RESOLVER: &str = "https://bioregistry.io/";

/// What prefixes stand for: what the schema of the rows says, SSSOM itself, and the registry.
#[derive(Debug)]
pub(super) struct Prefixes {
    declared: BTreeMap<String, String>,
    identifiers: Option<Arc<SessionIdentifiers>>,
    used: BTreeSet<String>,
    disputes: Vec<Dispute>,
}

impl Prefixes {
    pub(super) fn new(
        own: impl Iterator<Item = (String, String)>,
        identifiers: Option<Arc<SessionIdentifiers>>,
    ) -> Self {
        let owned = |(prefix, iri): (&str, &str)| (prefix.to_owned(), iri.to_owned());
        let taken = sssom::TAKEN_AS_DECLARED.map(owned).into_iter();
        Self {
            declared: taken.chain(own).chain(sssom::BUILT_IN.map(owned)).collect(),
            identifiers,
            used: BTreeSet::new(),
            disputes: Vec::new(),
        }
    }

    /// With those that the sources of the rows do not mean the same by.
    pub(super) fn with_disputes(mut self, disputes: Vec<Dispute>) -> Self {
        let identifiers = self.identifiers.as_deref();
        let matters = |dispute: &Dispute| {
            identifiers.is_none_or(|SessionIdentifiers(known)| match dispute.is_declared() {
                true => !dispute.is_spelling(&**known),
                // (What nobody else knows can mean nothing else.)
                false => known.namespace(&dispute.prefix).is_some(),
            })
        };
        self.disputes = disputes.into_iter().filter(matters).collect();
        self
    }

    /// A value as it is written: with CURIEs. Notes their prefixes.
    pub(super) fn written<'a>(&mut self, slot: &Slot, value: &'a str) -> Result<Cow<'a, str>> {
        if value.is_empty() {
            return Ok(Cow::Borrowed(value));
        }
        if !slot.several {
            return self.curie(slot, value);
        }
        let mut is_same = true;
        let mut items = Vec::new();
        for item in sssom::split(value) {
            let curie = self.curie(slot, &item)?;
            is_same &= curie == item;
            items.push(sssom::escape(&curie));
        }
        Ok(match is_same {
            true => Cow::Borrowed(value),
            false => Cow::Owned(items.join("|")),
        })
    }

    fn curie<'a>(&mut self, slot: &Slot, item: &'a str) -> Result<Cow<'a, str>> {
        let mut curie = Cow::Borrowed(item);
        if let Some(known) = sssom::predicate(item).filter(|_| slot.name == "predicate_id") {
            curie = Cow::Borrowed(known);
        } else if item.contains("://")
            && let Some(contracted) = self.contracted(sssom::without_brackets(item))
        {
            curie = Cow::Owned(contracted);
        }
        let parts = curie.split_once(':');
        let is_iri = parts.is_some_and(|(_, local)| local.starts_with("//"));
        if !slot.is_core() && (parts.is_none() || is_iri) {
            return Ok(curie);
        }
        let problem = match parts {
            None => "which is not an identifier with a prefix: leave it out, or make it one",
            Some(_) if is_iri => {
                "an IRI that no prefix is declared for: rows must come from a set whose curie_map has one"
            }
            Some((prefix, _)) if !self.used.contains(prefix) => {
                if !self.add(prefix)? {
                    let held = format!("{} holds '{item}'", slot.name);
                    undeclared(
                        prefix,
                        &held,
                        "rows must come from a set whose curie_map says",
                    )?;
                }
                return Ok(curie);
            }
            Some(_) => return Ok(curie),
        };
        refuse(format!("{} holds '{item}', {problem}", slot.name))?;
        Ok(curie)
    }

    /// The CURIE of an IRI, by the prefix that stands for most of it.
    fn contracted(&self, iri: &str) -> Option<String> {
        let fits = self.declared.iter().filter_map(|(prefix, start)| {
            let local = iri
                .strip_prefix(start.as_str())
                .filter(|local| !local.is_empty())?;
            start
                .contains("://")
                .then_some((start.len(), prefix, local))
        });
        if let Some((_, prefix, local)) = fits.max() {
            return Some(format!("{prefix}:{local}"));
        }
        let (namespace, local) = self.identifiers.as_ref()?.0.of_iri(iri)?;
        Some(format!(
            "{}:{}",
            namespace.prefix(),
            namespace.standardize(&local)
        ))
    }

    /// Notes that a prefix is needed. Answers whether it is known what it stands for.
    fn add(&mut self, prefix: &str) -> Result<bool> {
        let mut disputes = self.disputes.iter();
        if let Some(dispute) = disputes.find(|dispute| dispute.prefix == prefix) {
            refuse(format!(
                "{}: in one set their identifiers would be taken for the same. Write a set of each, or give the prefix \
                 another name in one of them (in its curie_map and its rows)",
                dispute.words()
            ))?;
        }
        if !self.declared.contains_key(prefix) {
            let Some(iri) = self.registered(prefix) else {
                return Ok(false);
            };
            self.declared.insert(prefix.to_owned(), iri);
        }
        self.used.insert(prefix.to_owned());
        Ok(true)
    }

    /// What the registry says of a prefix.
    fn registered(&self, prefix: &str) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !prefix.chars().all(is_plain) {
            return None;
        }
        let namespace = self.identifiers.as_ref()?.0.namespace(prefix)?;
        let iri = namespace.iri().map(str::to_owned);
        Some(iri.unwrap_or_else(|| format!("{RESOLVER}{}:", namespace.prefix())))
    }

    /// Those that are needed with their IRIs, with others that the set itself has, and where.
    pub(super) fn needed(
        &mut self,
        of_set: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>> {
        for (prefix, held) in of_set {
            if !self.add(prefix)? {
                undeclared(prefix, held, "the curie_map of that set must say")?;
            }
        }
        let is_built_in = |prefix: &str| sssom::BUILT_IN.iter().any(|(known, _)| *known == prefix);
        let needed = self.used.iter().filter(|prefix| !is_built_in(prefix));
        let with_iris =
            needed.filter_map(|prefix| Some((prefix.clone(), self.declared.get(prefix)?.clone())));
        Ok(with_iris.collect())
    }
}

/// `held`: what has the prefix, and where it is.
fn undeclared(prefix: &str, held: &str, who: &str) -> Result<()> {
    refuse(format!(
        "{held}, and the prefix '{prefix}' is not declared: {who} what it stands for, or the registry must have it \
         (identifiers.registry names a file of prefixes)"
    ))
}
