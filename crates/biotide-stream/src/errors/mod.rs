//! What can fail, where, and what is told of it.

mod classify;
mod item;
mod kind;
mod processor;
mod stream;
mod summary;

pub use item::ItemError;
pub use kind::{ErrorKind, Stage};
pub use processor::{BoxError, ProcessorError};
pub use stream::{Failed, Result, StreamError};
pub use summary::{ErrorDetail, ErrorSummary};

pub(crate) use classify::panicked;
pub(crate) use item::Place;
pub(crate) use summary::Errors;
