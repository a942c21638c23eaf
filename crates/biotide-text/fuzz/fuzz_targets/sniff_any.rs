//! Detection of any bytes, and text in one byte a character against its UTF-8. The body is shared with the
//! stable tests.
#![no_main]
#![allow(dead_code, reason = "each target uses a part of the shared modules")]

#[path = "../../tests/it/compare.rs"]
mod compare;
#[path = "../../tests/it/fuzz_bodies.rs"]
mod fuzz_bodies;
#[path = "../../tests/it/harness.rs"]
mod harness;
#[path = "../../tests/it/oracle.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_bodies::sniff_any(input));
