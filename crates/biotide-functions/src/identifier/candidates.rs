//! What the functions that ask all parsers share.

use std::sync::Arc;

use datafusion_common::{Result, exec_err};

use super::parser::{Candidate, Lookup, Parsers, Type};
use super::written::trim;
use crate::function::Call;

/// The parsers of a session, and what they look things up in.
pub(super) struct Asked<'a> {
    parsers: Arc<Parsers>,
    tables: Lookup<'a>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(call: &'a Call<'a>) -> Result<Self> {
        Ok(Self {
            parsers: call.parsers()?,
            tables: Lookup::new(call)?,
        })
    }

    pub(super) fn candidates(
        &self,
        text: &str,
        kind: Option<&Type>,
        threshold: f64,
    ) -> Result<Vec<Candidate>> {
        self.parsers.candidates(text, kind, threshold, &self.tables)
    }

    /// A type by its name.
    pub(super) fn find(&self, name: &str) -> Result<Option<Type>> {
        Type::find(&self.parsers, &self.tables, name)
    }
}

/// Types by their names, which are the same from row to row.
pub(super) struct Stated {
    constant: bool,
    last: Option<(String, Option<Type>)>,
}

impl Stated {
    /// `argument`: the one that names them.
    pub(super) fn new(call: &Call<'_>, argument: usize) -> Self {
        Self {
            constant: call.is_constant(argument),
            last: None,
        }
    }

    /// `Some(None)` if none is stated; `None` if there is no such type. The query fails if that is so of all rows.
    pub(super) fn of(
        &mut self,
        asked: &Asked<'_>,
        name: Option<&str>,
    ) -> Result<Option<Option<Type>>> {
        let Some(name) = name.map(trim).filter(|name| !name.is_empty()) else {
            return Ok(Some(None));
        };
        let known = match &self.last {
            Some((same, kind)) if same == name => kind.clone(),
            _ => {
                let found = asked.find(name)?;
                self.last = Some((name.to_owned(), found.clone()));
                found
            }
        };
        if known.is_none() && self.constant {
            return exec_err!(
                "\"{name}\" is no type of identifiers: name a prefix of the Bioregistry (SELECT prefix, name FROM \
                 system.prefixes) or a type of a parser (SELECT * FROM system.parsers)"
            );
        }
        Ok(known.map(Some))
    }
}
