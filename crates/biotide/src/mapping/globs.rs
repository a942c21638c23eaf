//! The files of a glob or a folder: each of them is a source of its own, with its own name, metadata and places.

use std::path::Path;

use biotide_database::is_database;
use biotide_formats::files::{glob_folder, is_glob};
use biotide_formats::table::OpenTable;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::SessionState;
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};

/// Between an archive and the name of its member.
const MEMBER: &str = "!/";

/// What of a URL would be read in another way than it stands in its store.
const SIGNS: [char; 5] = ['%', '?', '#', '*', '['];

/// The files that a path names, by name. What is no glob and no folder is answered as it is, as is what finds nothing:
/// its reader says that.
pub(super) async fn files(state: &SessionState, path: &str) -> Vec<String> {
    let is_several = is_glob(path) || Path::new(path).is_dir();
    if !is_several || is_database(path) || path.contains(MEMBER) {
        return vec![path.to_owned()];
    }
    match found(state, path).await {
        Some(files) if !files.is_empty() => files,
        _ => vec![path.to_owned()],
    }
}

/// Nothing, if its files cannot be named one by one.
async fn found(state: &SessionState, pattern: &str) -> Option<Vec<String>> {
    let paths = OpenTable::new(pattern).paths(state).await.ok()?;
    let url = ListingTableUrl::parse(pattern).ok()?;
    let store = state.runtime_env().object_store(&url).ok()?;
    let host = url.object_store();
    let is_local = host.as_str().starts_with("file:");
    let start = if is_local { "/" } else { host.as_str() };
    let keys = keys(&fixed(pattern));
    let (mut files, mut empty) = (Vec::new(), Vec::new());
    for path in paths {
        // (Folders `key=value` are columns, which a file by itself does not have.)
        let has_columns = keys_of_folders(&path) > keys;
        if has_columns || !is_local && path.contains(SIGNS) {
            return None;
        }
        let size = size(&*store, &path).await?;
        let files = if size > 0 { &mut files } else { &mut empty };
        files.push(format!("{start}{path}"));
    }
    // (As in a table: empty files among others hold no rows.)
    if files.is_empty() {
        empty.truncate(1);
        return Some(empty);
    }
    Some(files)
}

async fn size(store: &dyn ObjectStore, path: &str) -> Option<u64> {
    let path = ObjectPath::parse(path).ok()?;
    Some(store.head(&path).await.ok()?.size)
}

/// The folder below which a pattern is matched, from the root.
fn fixed(pattern: &str) -> String {
    let folder = match glob_folder(pattern) {
        Some("") => ".",
        Some(folder) => folder,
        None => pattern,
    };
    if pattern.contains("://") {
        return folder.to_owned();
    }
    let absolute = std::path::absolute(folder).map(|path| path.display().to_string());
    absolute.unwrap_or_else(|_| folder.to_owned())
}

/// How many parts of a path are `key=value`.
fn keys(path: &str) -> usize {
    path.split('/').filter(|part| part.contains('=')).count()
}

/// The same of its folders.
fn keys_of_folders(path: &str) -> usize {
    path.rsplit_once('/').map_or(0, |(folder, _)| keys(folder))
}
