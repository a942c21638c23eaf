//! The formats, one folder each.

pub mod delimited;

use std::sync::Arc;

use crate::spec::FormatSpec;

/// Every text format. A new one adds its line here.
pub fn all() -> Vec<Arc<dyn FormatSpec>> {
    vec![
        Arc::new(delimited::Delimited::TSV),
        Arc::new(delimited::Delimited::CSV),
    ]
}

/// The format of this name, in any case.
pub fn by_name(name: &str) -> Option<Arc<dyn FormatSpec>> {
    all()
        .into_iter()
        .find(|format| format.name().eq_ignore_ascii_case(name))
}

/// The format of a path, by its ending; `.gz` and the like are looked through.
pub fn by_path(path: &str) -> Option<Arc<dyn FormatSpec>> {
    let path = path.to_ascii_lowercase();
    let bare = [".gz", ".bgz"]
        .iter()
        .find_map(|end| path.strip_suffix(end))
        .unwrap_or(&path);
    let (_, extension) = bare.rsplit_once('.')?;
    all()
        .into_iter()
        .find(|format| format.extensions().contains(&extension))
}
