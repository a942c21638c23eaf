//! The formats, one folder each.

mod columns;
pub mod delimited;
pub mod json_lines;
mod reader;
pub mod sssom;

use std::sync::Arc;

use crate::spec::FormatSpec;

/// Endings of compressed files, which are looked through.
pub const COMPRESSED: [&str; 9] = [
    ".gz", ".bgz", ".bgzf", ".zst", ".zstd", ".bz2", ".xz", ".lz4", ".zip",
];

/// A path without the ending of its compression.
pub fn decompressed(path: &str) -> &str {
    let bare = COMPRESSED.iter().find_map(|end| path.strip_suffix(end));
    bare.unwrap_or(path)
}

/// Every text format. A new one adds its line here, before those whose endings are the end of its own.
pub fn all() -> Vec<Arc<dyn FormatSpec>> {
    vec![
        Arc::new(sssom::Sssom),
        Arc::new(delimited::Delimited::TSV),
        Arc::new(delimited::Delimited::CSV),
        Arc::new(json_lines::JsonLines),
    ]
}

/// The format of this name, in any case.
pub fn by_name(name: &str) -> Option<Arc<dyn FormatSpec>> {
    let is_it = |format: &Arc<dyn FormatSpec>| {
        let mut names = std::iter::once(format.name()).chain(format.aliases().iter().copied());
        names.any(|known| known.eq_ignore_ascii_case(name))
    };
    all().into_iter().find(is_it)
}

/// The format of a path, by its ending; those of [`COMPRESSED`] are looked through.
pub fn by_path(path: &str) -> Option<Arc<dyn FormatSpec>> {
    let path = path.to_ascii_lowercase();
    let bare = decompressed(&path);
    let ends = |ending: &&str| {
        bare.strip_suffix(ending)
            .is_some_and(|stem| stem.ends_with('.'))
    };
    all()
        .into_iter()
        .find(|format| format.extensions().iter().any(&ends))
}
