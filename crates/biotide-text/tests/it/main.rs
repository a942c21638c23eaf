//! The text reader against a slow, obviously right one, over inputs that are as nasty as they come.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise"
)]

mod chunking;
mod compare;
mod fuzz_bodies;
mod harness;
mod inputs;
mod json_body;
mod oracle;
mod projection;
mod replay;
mod rng;
mod typed_values;
mod ugly;
mod values;
