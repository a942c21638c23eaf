//! Names of inputs and outputs.

use std::path::Path;

use biotide_common::BiotideError;
use biotide_formats::formats;
use datafusion::datasource::listing::ListingTableUrl;

use crate::catalog::is_binary;

/// An output that is among its inputs would be read as it is written.
pub(crate) fn check_inputs(inputs: &[String], output: &str) -> Result<(), BiotideError> {
    if let Some(input) = inputs.iter().find(|input| holds(input, output)) {
        let problem = format!(
            "it takes in the output {output} too, as it stands from an earlier run; write elsewhere, or \
             narrow the inputs",
        );
        return Err(BiotideError::file(input, problem));
    }
    if let Some(input) = inputs.iter().find(|input| same_file(input, output)) {
        return Err(BiotideError::file(
            input,
            "input and output are the same file",
        ));
    }
    if let Some(input) = inputs.iter().find(|input| *input == output) {
        return Err(BiotideError::file(input, "input and output are the same"));
    }
    Ok(())
}

/// A path's name without its endings.
pub(super) fn stem(path: &str) -> String {
    let name = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path);
    let bare = formats::decompressed(name);
    let known = formats::by_path(bare).is_some() || is_binary(bare);
    match bare.rsplit_once('.') {
        Some((stem, _)) if known => stem.to_owned(),
        _ => bare.to_owned(),
    }
}

/// Whether a folder or a pattern takes in a file that is there.
fn holds(input: &str, file: &str) -> bool {
    let Ok(file) = std::fs::canonicalize(file) else {
        return false;
    };
    let Ok(file) = datafusion::object_store::path::Path::from_absolute_path(file) else {
        return false;
    };
    !Path::new(input).is_file()
        && ListingTableUrl::parse(input)
            .is_ok_and(|url| url.is_collection() && url.contains(&file, false))
}

fn same_file(a: &str, b: &str) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
