//! What processes that were killed have left behind.

use std::path::{Path, PathBuf};

/// Removes the files and folders of `folder` whose name is `prefix`, the number of a process that lives no
/// more, and anything after `-`; answers which.
pub fn remove_stale(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut removed = Vec::new();
    // Without /proc nothing tells whether a process lives.
    if !Path::new("/proc/self").exists() {
        return removed;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(prefix));
        let process = rest.and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if process.is_none_or(|id| Path::new(&format!("/proc/{id}")).exists()) {
            continue;
        }
        let path = entry.path();
        let done = match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        removed.extend(done.is_ok().then_some(path));
    }
    removed
}
