//! Where in a pipeline's file something stands.

use std::fmt;
use std::sync::Arc;

use biotide_common::BiotideError;

/// The longest message: what is wrong may be a name of a million letters.
const MOST_CHARACTERS: usize = 1500;

/// File, line and column. Shown as `olink.yaml, line 7, column 12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What errors call the file.
    pub file: Arc<str>,
    /// From 1; 0 is not in the file, such as what the command line says.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
}

impl Place {
    /// A place of a file.
    pub fn new(file: &Arc<str>, line: u64, column: u64) -> Self {
        Self {
            file: Arc::clone(file),
            line,
            column,
        }
    }

    /// What is wrong here.
    pub fn error(&self, problem: impl fmt::Display) -> BiotideError {
        // (The place is what the error is of, as a file is for others.)
        let place = format!("{self}");
        BiotideError::file(place, shortened(&format!("{problem}"), MOST_CHARACTERS))
    }

    /// The line alone, for a second place in a sentence about the same file.
    pub(crate) fn short(&self) -> String {
        match self.line {
            0 => String::from("the command line"),
            line => format!("line {line}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}, line {line}, column {}", self.file, self.column),
        }
    }
}

/// A text, cut where it is long.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}
