//! The integration tests.

mod slt;
mod support;
