//! Errors as a user reads them: the cause first.

use std::fmt;
use std::io::ErrorKind;

use biotide_common::BiotideError;
use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Keeps DataFusion's error whole; shows its cause without the wrapping.
#[derive(Debug)]
pub struct Error(DataFusionError);

impl Error {
    /// DataFusion's error.
    pub fn as_datafusion(&self) -> &DataFusionError {
        &self.0
    }

    /// DataFusion's error.
    pub fn into_datafusion(self) -> DataFusionError {
        self.0
    }

    /// Biotide's own error, if that is the cause.
    pub fn as_biotide(&self) -> Option<&BiotideError> {
        match root(&self.0) {
            DataFusionError::External(error) => error.downcast_ref(),
            _ => None,
        }
    }
}

/// The error within layers that only pass it on.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        DataFusionError::Collection(errors) => errors.first().map_or(error, root),
        DataFusionError::ArrowError(inner, _) => match &**inner {
            ArrowError::ExternalError(inner) => inner.downcast_ref().map_or(error, root),
            _ => error,
        },
        DataFusionError::External(inner) => {
            let inner: &(dyn std::error::Error + 'static) = &**inner;
            inner.downcast_ref::<DataFusionError>().map_or(error, root)
        }
        _ => error,
    }
}

/// Whether the limit of what may be spilled was reached. The engine knows it by words alone.
fn is_full_spill(error: &DataFusionError) -> bool {
    error
        .strip_backtrace()
        .contains("used disk space during the spilling process")
}

fn is_full_disk(error: &DataFusionError) -> bool {
    let io = match error {
        DataFusionError::IoError(io) => Some(io),
        DataFusionError::ArrowError(arrow, _) => match &**arrow {
            ArrowError::IoError(_, io) => Some(io),
            _ => None,
        },
        _ => None,
    };
    io.is_some_and(|io| io.kind() == ErrorKind::StorageFull)
}

/// The place of an error, and the error there, if that is what is within.
fn placed(error: &DataFusionError) -> Option<(&str, &DataFusionError)> {
    let DataFusionError::External(error) = root(error) else {
        return None;
    };
    match error.downcast_ref() {
        Some(BiotideError::At { place, source }) => Some((place, source)),
        _ => None,
    }
}

fn show(error: &DataFusionError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some((place, error)) = placed(error) {
        write!(f, "{place}: ")?;
        return show(error, f);
    }
    match root(error) {
        DataFusionError::External(error) => write!(f, "{error}"),
        DataFusionError::ObjectStore(error) => match &**error {
            object @ datafusion::object_store::Error::NotFound { .. } => {
                write!(f, "there is no such file: {object}")
            }
            error => write!(f, "{error}"),
        },
        DataFusionError::Plan(text) | DataFusionError::Execution(text) => f.write_str(text),
        // Most of them are types that do not fit, not bugs of the engine.
        DataFusionError::Internal(text) => {
            let cause = text.split("\nThis issue was likely caused by a bug").next();
            f.write_str(cause.unwrap_or(text))
        }
        error if is_full_spill(error) => f.write_str(
            "what does not fit into memory is more than may be spilled: raise --temp-limit, or \
             --memory-limit to spill less",
        ),
        error if is_full_disk(error) => write!(
            f,
            "a disk is full: {}; what does not fit into memory is spilled to --temp-dir, which may be on \
             another disk",
            error.strip_backtrace()
        ),
        DataFusionError::ResourcesExhausted(text) => {
            write!(
                f,
                "the memory limit is too small for this statement: {text}"
            )
        }
        DataFusionError::SQL(error, _) => write!(f, "{error}"),
        error => f.write_str(&error.strip_backtrace()),
    }
}

/// What is behind the text that is shown: that of the root.
fn behind(error: &DataFusionError) -> Option<&(dyn std::error::Error + 'static)> {
    if let Some((_, error)) = placed(error) {
        return behind(error);
    }
    let root = root(error);
    let source = std::error::Error::source(root)?;
    match root {
        DataFusionError::External(_) => source.source(),
        _ => Some(source),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        behind(&self.0)
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        Self(error)
    }
}

impl From<BiotideError> for Error {
    fn from(error: BiotideError) -> Self {
        Self(error.into())
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self(error.into())
    }
}
