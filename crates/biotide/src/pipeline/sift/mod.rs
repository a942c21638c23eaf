//! Rows that a step does not take: set aside, or the end of the run.
//!
//! A filter would lose them unsaid. So a column says what is wrong with a row (NULL is nothing), and a node over it
//! leaves such rows out and counts them, in the reject log of the statement and in its report; or ends the run with the
//! first. No condition of a later step moves below it: what is wrong does not depend on what is asked for.

mod exec;
mod logical;

pub(crate) use exec::SiftExec;
pub(crate) use logical::{Flawed, SiftNode};

/// A row without the identifier that it must have: no fault, as a note below a table is none.
pub(crate) const EMPTY: &str = "empty_identifier";

/// Reasons for which records are set aside that are no fault.
pub(crate) const HARMLESS: [&str; 2] = ["footnote", EMPTY];

/// An identifier that is none of its type.
pub(crate) const INVALID: &str = "invalid_identifier";
