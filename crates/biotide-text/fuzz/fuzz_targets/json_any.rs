//! JSON of any bytes. The body is shared with the stable tests.
#![no_main]

#[path = "../../tests/it/json_body.rs"]
mod json_body;

libfuzzer_sys::fuzz_target!(|input: &[u8]| json_body::json_any(input));
