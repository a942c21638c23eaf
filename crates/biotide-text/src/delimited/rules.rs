//! What a format asks of values besides their types: plain data, so that a layout stays comparable.

use std::collections::BTreeSet;
use std::sync::Arc;

/// What values must be. Rows that break a rule are set aside; a number beyond its bounds is a bad value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Columns of identifiers with a declared prefix.
    pub identifiers: Vec<Identifiers>,
    /// Columns that must have a value.
    pub required: Vec<Required>,
    /// Bounds of numbers.
    pub bounds: Vec<Bounds>,
    /// Columns whose values are one of a few words.
    pub words: Vec<Words>,
}

/// A column of identifiers (`prefix:local`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identifiers {
    /// Which.
    pub column: usize,
    /// Whether a value is several, between `|` that no backslash escapes.
    pub several: bool,
    /// Whether IRIs, and what has no prefix, are refused too.
    pub strict: bool,
    /// The prefixes that are declared.
    pub prefixes: Arc<BTreeSet<Vec<u8>>>,
    /// What these stand for: an IRI that starts so is an identifier too.
    pub iris: Arc<BTreeSet<Vec<u8>>>,
    /// Words that may stand for an identifier.
    pub words: &'static [(&'static str, &'static str)],
}

/// A column that must have a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Required {
    /// Which; `None` if the files lack it: then no row for which it is required is good.
    pub column: Option<usize>,
    /// In which rows, if not in all.
    pub when: Option<When>,
}

/// Rows in which a column has a value, or has it not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct When {
    /// The column.
    pub column: usize,
    /// The value.
    pub value: &'static str,
    /// Whether it has it.
    pub is: bool,
}

/// Bounds of a column of `float64`, both of them good values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Which.
    pub column: usize,
    /// The least value.
    pub low: i32,
    /// The greatest.
    pub high: i32,
}

/// A column whose values are one of a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Words {
    /// Which.
    pub column: usize,
    /// The words, with what they stand for.
    pub words: &'static [(&'static str, &'static str)],
}

impl Rules {
    /// Whether no row can break one.
    pub fn is_empty(&self) -> bool {
        self.identifiers.is_empty() && self.required.is_empty() && self.words.is_empty()
    }

    /// The words that a column may have, if those are few.
    pub fn words_of(&self, column: usize) -> Option<Words> {
        let mut all = self.words.iter().copied();
        all.find(|words| words.column == column)
    }

    /// The bounds of a column.
    pub fn bounds_of(&self, column: usize) -> Option<Bounds> {
        self.bounds
            .iter()
            .copied()
            .find(|bounds| bounds.column == column)
    }
}
