//! How closely an identifier is looked at.

use std::sync::Arc;

use datafusion_common::{Result, exec_err};

use super::registry::Prefix;
use super::tables::Genes;
use super::{cas, inchikey_parts, loinc_valid, orcid_valid, snomed_valid};
use crate::function::Call;
use crate::texts::Texts;

/// Each asks for what the one before asks for, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// The pattern, digits and letters of any script.
    Pattern,
    /// The pattern, digits and letters of ASCII; not empty.
    Ascii,
    /// The check digit too, where the namespace has one.
    Checksum,
    /// Is one today, by the table of the namespace.
    Exists,
}

/// What they are called.
pub(super) const DOC: &str = "How closely to look, each more than the one before: `pattern` (digits of any script), \
     `ascii` (the default), `checksum` (of CAS, LOINC, SNOMED CT and ORCID; the letters of an InChIKey), `exists` \
     (approved in the table of genes: of hgnc and hgnc.symbol).";

impl Level {
    fn of(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "pattern" => Self::Pattern,
            "ascii" => Self::Ascii,
            "checksum" => Self::Checksum,
            "exists" => Self::Exists,
            _ => return None,
        })
    }
}

/// Looks at identifiers as closely as it was asked to.
pub(super) struct Judge<'a> {
    levels: Option<Texts<'a>>,
    default: Level,
    genes: Option<Arc<Genes>>,
}

impl<'a> Judge<'a> {
    /// `argument`: the one that names the level.
    pub(super) fn new(call: &'a Call<'a>, argument: usize) -> Result<Self> {
        let levels = call.optional_text(argument)?;
        let mut exists = false;
        for name in levels.iter().flat_map(|levels| levels.iter()).flatten() {
            match Level::of(name) {
                Some(level) => exists |= level == Level::Exists,
                None => {
                    return exec_err!(
                        "\"{name}\" is no level of validity: it is pattern, ascii, checksum or exists"
                    );
                }
            }
            if call.is_constant(argument) {
                break;
            }
        }
        let default = match call.as_bioregistry() {
            true => Level::Pattern,
            false => Level::Ascii,
        };
        let genes = exists.then(|| call.genes()).transpose()?;
        Ok(Self {
            levels,
            default,
            genes,
        })
    }

    /// What tells that of all rows by itself: a pattern that was written by hand.
    pub(super) fn matcher(&self, prefix: &Prefix) -> Option<fn(&[u8]) -> bool> {
        let plain = self.levels.is_none() && self.default == Level::Ascii;
        // (None of them takes the empty text.)
        plain.then(|| prefix.matcher())?
    }

    /// Whether this is a local identifier of the prefix. An error if that cannot be told.
    pub(super) fn accepts(&self, row: usize, prefix: &Prefix, id: &str) -> Result<bool> {
        let level = self.levels.and_then(|levels| Level::of(levels.get(row)?));
        let level = level.unwrap_or(self.default);
        if !prefix.accepts(id, level == Level::Pattern) {
            return Ok(false);
        }
        let checked = match prefix.prefix.as_str() {
            _ if level < Level::Checksum => true,
            "cas" => cas::is_valid(id),
            "loinc" => loinc_valid::is_valid(id),
            "snomedct" => snomed_valid::is_valid(id),
            "orcid" => orcid_valid::is_valid(id),
            "inchikey" => inchikey_parts::is_valid(id.as_bytes()),
            _ => true,
        };
        let Some(genes) = self
            .genes
            .as_ref()
            .filter(|_| checked && level == Level::Exists)
        else {
            return Ok(checked);
        };
        match prefix.prefix.as_str() {
            "hgnc" => Ok(genes.is_approved(&format!("HGNC:{id}"))),
            "hgnc.symbol" => Ok(genes.is_symbol(id)),
            other => exec_err!(
                "whether an identifier of {other} exists is not known: there are tables of hgnc and hgnc.symbol"
            ),
        }
    }
}
