//! The kind of an error that does not say it.

use std::any::Any;
use std::error::Error;
use std::io;

use arrow::error::ArrowError;
use datafusion_common::DataFusionError;

use super::{ErrorKind, ItemError, ProcessorError};

/// The kind of the first error in the chain of sources that tells one.
pub(super) fn classify(error: &(dyn Error + 'static)) -> ErrorKind {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(kind) = one(error) {
            return kind;
        }
        next = error.source();
    }
    ErrorKind::Other
}

fn one(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    if let Some(error) = error.downcast_ref::<ProcessorError>() {
        return Some(error.kind());
    }
    if let Some(error) = error.downcast_ref::<ItemError>() {
        return Some(error.kind());
    }
    if error.is::<tokio::time::error::Elapsed>() {
        return Some(ErrorKind::Timeout);
    }
    if error.is::<serde_json::Error>() {
        return Some(ErrorKind::Parse);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return Some(of_io(error.kind()));
    }
    match error.downcast_ref::<DataFusionError>() {
        Some(DataFusionError::ResourcesExhausted(_)) => return Some(ErrorKind::Memory),
        Some(DataFusionError::SchemaError(..)) => return Some(ErrorKind::Schema),
        _ => {}
    }
    match error.downcast_ref::<ArrowError>()? {
        ArrowError::ParseError(_) | ArrowError::CsvError(_) | ArrowError::JsonError(_) => {
            Some(ErrorKind::Parse)
        }
        ArrowError::SchemaError(_) => Some(ErrorKind::Schema),
        ArrowError::IoError(_, error) => Some(of_io(error.kind())),
        _ => None,
    }
}

fn of_io(kind: io::ErrorKind) -> ErrorKind {
    match kind {
        io::ErrorKind::TimedOut => ErrorKind::Timeout,
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::NotConnected
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => ErrorKind::Connection,
        io::ErrorKind::InvalidData => ErrorKind::Parse,
        io::ErrorKind::OutOfMemory => ErrorKind::Memory,
        _ => ErrorKind::Io,
    }
}

/// What a panic said.
pub(crate) fn panicked(payload: &(dyn Any + Send)) -> ProcessorError {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    ProcessorError::new(
        ErrorKind::Panic,
        format!("it panicked: {}", said.unwrap_or("(no message)")),
    )
}
