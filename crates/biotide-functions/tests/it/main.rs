//! Tests of the functions as DataFusion calls them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod bioregistry;
mod encodings;
mod fuzz_body;
mod harness;
mod prefixes;
mod replay;
#[path = "../../../biotide-text/tests/it/rng.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod rng;
