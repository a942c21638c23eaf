//! Reference tables that are built in, read when they are first needed.

mod genes;
mod secondary;

use std::io::Read;

use flate2::read::GzDecoder;

pub(super) use genes::{Genes, Level, genes};
pub(super) use secondary::{Secondary, secondary};

/// The text of a gzipped table; an error is what is wrong with it.
fn unpack(gzipped: &[u8]) -> Result<String, String> {
    let mut text = String::new();
    let mut decoder = GzDecoder::new(gzipped);
    decoder
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    Ok(text)
}
