//! What an operation says when it fails.

use std::borrow::Cow;
use std::error::Error;

use arrow::error::ArrowError;
use biotide_common::error::BiotideError;
use datafusion_common::DataFusionError;

use super::ErrorKind;
use super::classify::classify;

/// Any error that can be sent to another thread.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why an operation failed: the cause, its kind, a code, and what to do.
///
/// Where it failed is added by who called the operation: [`ItemError`](super::ItemError).
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct ProcessorError {
    kind: ErrorKind,
    code: Option<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
    source: BoxError,
}

impl ProcessorError {
    /// An error of this kind. Text will do for the cause.
    pub fn new(kind: ErrorKind, cause: impl Into<BoxError>) -> Self {
        Self {
            kind,
            code: None,
            hint: None,
            source: cause.into(),
        }
    }

    /// The code by which a service or rule knows it.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The cause alone.
    pub(super) fn into_source(self) -> BoxError {
        self.source
    }

    /// What sort of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Its code, or that of its kind.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or(self.kind.code())
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        self.hint.as_deref().unwrap_or(self.kind.hint())
    }
}

/// The kind is told by the cause: errors of reading and writing, of Arrow, DataFusion and JSON have one.
impl From<BoxError> for ProcessorError {
    fn from(cause: BoxError) -> Self {
        match cause.downcast::<Self>() {
            Ok(own) => *own,
            Err(cause) => Self::new(classify(cause.as_ref()), cause),
        }
    }
}

macro_rules! from {
    ($($error:ty),+) => {$(
        impl From<$error> for ProcessorError {
            fn from(cause: $error) -> Self {
                Self::from(BoxError::from(cause))
            }
        }
    )+};
}

from!(
    ArrowError,
    BiotideError,
    DataFusionError,
    std::io::Error,
    serde_json::Error
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_by_the_cause() {
        let kind = |cause: BoxError| ProcessorError::from(cause).kind();
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let io = BiotideError::io("reading 'a.tsv'", refused);
        assert_eq!(kind(Box::new(io)), ErrorKind::Connection);
        let parse = ArrowError::ParseError("no number".to_owned());
        assert_eq!(kind(Box::new(parse)), ErrorKind::Parse);
        assert_eq!(kind("something".into()), ErrorKind::Other);
    }

    #[test]
    fn an_own_error_in_a_box_keeps_kind_code_and_hint() {
        let own = ProcessorError::new(ErrorKind::RateLimit, "slow down")
            .with_code("429")
            .with_hint("ask for a key");
        let boxed: BoxError = Box::new(own);
        let own = ProcessorError::from(boxed);
        assert_eq!(
            (own.kind(), own.code(), own.hint()),
            (ErrorKind::RateLimit, "429", "ask for a key")
        );
    }
}
