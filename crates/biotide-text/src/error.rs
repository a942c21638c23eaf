//! Errors: what stops a read. A bad row is not one of them, see [`crate::problem`].

use crate::problem::Problem;

/// Result of this crate.
pub type Result<T, E = TextError> = std::result::Result<T, E>;

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A dialect that cannot be read, such as a quote equal to the delimiter.
    #[error("invalid dialect: {0}")]
    Dialect(String),
    /// A schema that does not fit, such as a type that is not known.
    #[error("invalid schema: {0}")]
    Schema(String),
    /// The first bad row, under `on_error = fail` or `on_bad_value = fail`.
    #[error("{0}")]
    BadRow(Box<Problem>),
    /// The chunk is too large to be indexed with 32-bit positions.
    #[error("a chunk of {0} bytes is larger than the 2 GiB that one chunk may hold")]
    ChunkTooLarge(usize),
    /// Arrow refused what was built.
    #[error(transparent)]
    Arrow(#[from] arrow_schema::ArrowError),
    /// A row filter failed.
    #[error(transparent)]
    Filter(Box<dyn std::error::Error + Send + Sync>),
}
