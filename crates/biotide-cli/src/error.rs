//! How a run ends when it does not end well: the exit code, and what is said.

use std::error::Error;

use arrow::error::ArrowError;

use crate::signals::Signal;

pub(crate) use anyhow::Context;

/// Why a run did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked for in a way that makes no sense.
    Usage(anyhow::Error),
    /// It failed.
    Failed(anyhow::Error),
    /// It is done, but more records were rejected than allowed.
    TooManyRejects { rejected: u64, allowed: u64 },
    /// It was stopped from outside.
    Signal(Signal),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Failure {
    /// Wrong usage that no other error stands behind.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(anyhow::Error::msg(message.into()))
    }

    /// What scripts rely on.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::TooManyRejects { .. } => 3,
            Self::Signal(signal) => signal.exit_code(),
        }
    }

    /// One line of cause, the chain, then what to do.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Usage(error) | Self::Failed(error) => describe(error.as_ref()),
            Self::TooManyRejects { rejected, allowed } => {
                format!("error: {rejected} records rejected; --fail-on-rejects allows {allowed}")
            }
            Self::Signal(signal) => signal.name().to_owned(),
        }
    }

    /// Adds a line after everything else that is said.
    pub(crate) fn note(self, note: String) -> Self {
        let add = |error: anyhow::Error| {
            let text = error.to_string();
            error.context(format!("{text}\n{note}"))
        };
        match self {
            Self::Usage(error) => Self::Usage(add(error)),
            Self::Failed(error) => Self::Failed(add(error)),
            other => other,
        }
    }
}

/// What to do about a value that is not of the type that it shall have.
const CAST: &str = "try_cast(… AS …) gives NULL for such a value.";

/// The first line of an error is its cause, further lines say what to do. Many errors repeat their
/// source in their own text: what was said is not said again.
fn describe(error: &(dyn Error + 'static)) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut advice: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // (The engine's word for an error that is not its own.)
        let mut lines = text
            .trim_start_matches("External error: ")
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty());
        if let Some(cause) = lines.next()
            && !causes.iter().any(|said| said.contains(cause))
        {
            causes.push(cause.to_owned());
        }
        for line in lines {
            let said = causes
                .iter()
                .chain(&advice)
                .any(|said| said.contains(line.trim()));
            if !said {
                advice.push(line.to_owned());
            }
        }
        if let Some(ArrowError::CastError(_)) = error.downcast_ref() {
            advice.push(CAST.to_owned());
        }
        next = error.source();
    }
    let mut causes = causes.into_iter();
    let mut message = format!("error: {}", causes.next().unwrap_or_default());
    for cause in causes {
        message.push_str("\n  caused by: ");
        message.push_str(&cause);
    }
    for line in advice {
        message.push('\n');
        message.push_str(&line);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cause_chain_advice_and_says_nothing_twice() {
        let error = anyhow::anyhow!("permission denied")
            .context("a.tsv: cannot be read: permission denied\nTry chmod.")
            .context("reading the inputs");
        let failure = Failure::Failed(error).note("in statement 2 of 3".to_owned());
        assert_eq!(
            failure.message(),
            "error: reading the inputs\n  caused by: a.tsv: cannot be read: permission denied\n\
             in statement 2 of 3\nTry chmod."
        );
        assert_eq!(failure.exit_code(), 1);
    }
}
