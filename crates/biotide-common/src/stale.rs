//! What processes that were killed have left behind.

use std::path::{Path, PathBuf};

/// The files and folders of `folder` whose name is `prefix`, the number of a process that lives no more, and anything
/// after `-`.
pub fn stale(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    // Without /proc nothing tells whether a process lives.
    if !Path::new("/proc/self").exists() {
        return Vec::new();
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_stale = |entry: &std::fs::DirEntry| {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(prefix));
        let process = rest.and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        process.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists())
    };
    entries.filter(is_stale).map(|entry| entry.path()).collect()
}

/// Removes what is [stale]; answers what it was.
pub fn remove_stale(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut left = stale(folder, prefix);
    left.retain(|path| remove(path).is_ok());
    left
}

/// Removes a file, or a folder with all that is in it.
///
/// # Errors
/// It is not there, or cannot be removed.
pub fn remove(path: &Path) -> std::io::Result<()> {
    match path.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    }
}
