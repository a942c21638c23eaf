//! Errors with the place and what to do.

use std::fmt;

use datafusion_common::DataFusionError;

/// What can be wrong, besides what DataFusion says of itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BiotideError {
    /// An option with a value it cannot take.
    #[error("option {key}: '{value}' {problem}")]
    Option {
        /// The option's name.
        key: String,
        /// What was given.
        value: String,
        /// What is wrong, and what would do.
        problem: String,
    },
    /// An option that does not exist.
    #[error("there is no option '{key}'{hint}")]
    UnknownOption {
        /// What was asked for.
        key: String,
        /// `; did you mean '…'?`, or nothing.
        hint: String,
    },
    /// A file that cannot be read as it was asked for.
    #[error("{file}: {problem}")]
    File {
        /// Its path or URL.
        file: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A file with another number of columns than were named for it.
    #[error("{file}: {problem}")]
    Misnamed {
        /// Its path or URL.
        file: String,
        /// How many there are of each.
        problem: String,
    },
    /// A bad row that ended the statement, or more of them than allowed.
    #[error("{file}: {problem}\n{advice}")]
    BadRows {
        /// Path or URL.
        file: String,
        /// What was found, and where.
        problem: String,
        /// What to do.
        advice: String,
    },
    /// What is wrong at a place of a file that says what to do: a pipeline, rules.
    #[error("{place}: {}", Plain(source))]
    At {
        /// File and line.
        place: String,
        /// What the engine says.
        source: Box<DataFusionError>,
    },
    /// What ended a run that can go on when its cause is gone.
    #[error("{place}: {}\n{advice}", Plain(source))]
    Broken {
        /// File, line and step.
        place: String,
        /// What the engine says.
        source: Box<DataFusionError>,
        /// What to do.
        advice: &'static str,
    },
    /// Reading or writing failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, to which file.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Reading text failed.
    #[error("{file}: {source}")]
    Text {
        /// Path or URL.
        file: String,
        /// What the text reader says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl BiotideError {
    /// A file that cannot be read as it was asked for.
    pub fn file(file: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::File {
            file: file.into(),
            problem: problem.into(),
        }
    }

    /// What is wrong at a place of a file that says what to do.
    pub fn at(place: impl Into<String>, source: DataFusionError) -> Self {
        Self::At {
            place: place.into(),
            source: Box::new(source),
        }
    }

    /// Reading or writing failed.
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source,
        }
    }
}

impl From<BiotideError> for DataFusionError {
    fn from(error: BiotideError) -> Self {
        Self::External(Box::new(error))
    }
}

/// An error that is not the engine's own, without the engine's word for it.
struct Plain<'a>(&'a DataFusionError);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            DataFusionError::External(error) => error.fmt(f),
            error => error.fmt(f),
        }
    }
}
