//! Every function on any text. The body is shared with the stable tests.
#![no_main]
#![allow(dead_code, reason = "the target uses a part of the shared modules")]

#[path = "../../tests/it/encodings.rs"]
mod encodings;
#[path = "../../tests/it/fuzz_body.rs"]
mod fuzz_body;
#[path = "../../tests/it/harness.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_body::identifiers_any(input));
