//! Kinds of errors.

use serde::Serialize;

/// What sort of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// It took too long.
    Timeout,
    /// A service or database could not be reached.
    Connection,
    /// A service asked for fewer requests.
    RateLimit,
    /// The service failed so often that it is not asked for a while.
    CircuitBreakerOpen,
    /// A value that is not allowed.
    Validation,
    /// Text that is not what it should be.
    Parse,
    /// Other columns or types than promised.
    Schema,
    /// Reading or writing failed.
    Io,
    /// There is not enough memory.
    Memory,
    /// A bug in a closure or processor: it panicked.
    Panic,
    /// Somebody asked to stop.
    Cancelled,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// The code of errors that bring none of their own.
    pub fn code(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::Connection => "CONNECTION",
            Self::RateLimit => "RATE_LIMIT",
            Self::CircuitBreakerOpen => "CIRCUIT_BREAKER_OPEN",
            Self::Validation => "VALIDATION",
            Self::Parse => "PARSE",
            Self::Schema => "SCHEMA",
            Self::Io => "IO",
            Self::Memory => "MEMORY",
            Self::Panic => "PANIC",
            Self::Cancelled => "CANCELLED",
            Self::Other => "OTHER",
        }
    }

    /// Whether a part of the rows may go well where all of them do not.
    ///
    /// A service that is down is down for each half too.
    pub fn is_of_rows(self) -> bool {
        match self {
            Self::Validation | Self::Parse | Self::Memory | Self::Panic | Self::Other => true,
            Self::Timeout | Self::Connection | Self::RateLimit | Self::CircuitBreakerOpen => false,
            Self::Schema | Self::Io | Self::Cancelled => false,
        }
    }

    /// Whether it tells of the service that was asked, so that a circuit breaker counts it.
    pub fn is_of_service(self) -> bool {
        match self {
            Self::Timeout | Self::Connection | Self::RateLimit | Self::Io | Self::Other => true,
            Self::CircuitBreakerOpen | Self::Cancelled | Self::Memory | Self::Panic => false,
            Self::Validation | Self::Parse | Self::Schema => false,
        }
    }

    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Timeout => "allow more time, or make chunks smaller",
            Self::Connection => "check the address and that the service runs, or retry",
            Self::RateLimit => "retry with a longer delay, or run fewer chunks at a time",
            Self::CircuitBreakerOpen => "wait until the service has recovered",
            Self::Validation | Self::Parse => {
                "correct the item, or catch the error to skip or replace it"
            }
            Self::Schema => "declare the columns that the operation gives",
            Self::Io => "check the path, permissions and free space",
            Self::Memory => "allow more memory, or make chunks smaller",
            Self::Panic => "this is a bug in the closure or processor; catch the error to go on",
            Self::Cancelled => "start it again",
            Self::Other => "catch the error to skip or replace the item",
        }
    }
}

/// Who failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What the rows come from.
    Source,
    /// An operation on them.
    Processing,
}
