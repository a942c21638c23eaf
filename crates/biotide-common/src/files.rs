//! Files that take the place of others, and those that one process alone may write.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::BiotideError;

/// The path, absolute; of a link to a file, that of the file. What is written beside it and renamed then
/// takes the place of the file, and the link stays.
pub fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    match path.is_symlink() && path.is_file() {
        true => std::fs::canonicalize(path),
        false => Ok(path),
    }
}

/// The path by which a file is known however it is written: links, `.` and `..` are resolved, of a file that is not there
/// those of its folder.
pub fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (path.components().next_back(), path.parent()) {
        (Some(Component::Normal(name)), Some(folder)) => real_path(folder).join(name),
        (Some(Component::ParentDir), Some(folder)) => {
            let mut real = real_path(folder);
            real.pop();
            real
        }
        _ => path,
    }
}

/// Who may read and write the file that is to be replaced, if there is one.
pub fn permissions(target: &Path) -> Option<Permissions> {
    let meta = std::fs::metadata(target).ok();
    meta.filter(std::fs::Metadata::is_file)
        .map(|meta| meta.permissions())
}

/// Makes the names in a file's folder durable: a file that was made or renamed is there after a power loss only if its
/// folder was written too.
///
/// # Errors
/// The folder cannot be written. (Some network file systems sync no folders: they go without.)
pub fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new(".")));
    match folder.and_then(|folder| folder.sync_all()) {
        Err(e) if !matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(e),
        _ => Ok(()),
    }
}

/// How often to look whether a file is free, and how long to wait before each time but the first.
const RETRIES: u32 = 6;
const RETRY: Duration = Duration::from_millis(20);

/// Keeps other processes away from a file that was opened at a path. A file system that knows no locks goes
/// without.
///
/// # Errors
/// With `problem`, if another process has it.
pub fn lock_file(file: &File, path: &Path, problem: &str) -> Result<(), BiotideError> {
    let is_held = || matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    // A process that this one is starting has all its files until its program begins, closed ones too.
    let held = (0..RETRIES).all(|n| {
        std::thread::sleep(RETRY * n.min(1));
        is_held()
    });
    // Between opening and locking its process may have ended, and given it another name or none.
    if held || !stands_at(file, path) {
        return Err(BiotideError::file(path.display().to_string(), problem));
    }
    Ok(())
}

#[cfg(unix)]
fn stands_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(file), Ok(path)) => id(file) == id(path),
        _ => false,
    }
}

#[cfg(not(unix))]
fn stands_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_got_its_name_before_the_lock_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let part = dir.path().join(".out.biotide-part");
        let file = File::create(&part).unwrap();
        lock_file(&file, &part, "another").unwrap();
        std::fs::rename(&part, dir.path().join("out")).unwrap();
        assert!(lock_file(&file, &part, "another").is_err());
        File::create(&part).unwrap();
        assert!(lock_file(&file, &part, "another").is_err());
    }

    #[test]
    fn a_path_is_one_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap();
        std::fs::create_dir(folder.join("a")).unwrap();
        std::fs::write(folder.join("there"), "").unwrap();
        for name in ["there", "new", "b/new", "a"] {
            for before in [".", "a/..", "none/..", "a/../none/./.."] {
                let written = dir.path().join(before).join(name);
                assert_eq!(real_path(&written), folder.join(name), "{written:?}");
            }
        }
        assert_eq!(real_path(Path::new("/")), Path::new("/"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.join("a"), folder.join("link")).unwrap();
            assert_eq!(real_path(&folder.join("link/new")), folder.join("a/new"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_to_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap();
        let (file, link) = (folder.join("file"), folder.join("link"));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        // (It leads nowhere yet.)
        assert_eq!(behind_links(&link).unwrap(), link);
        std::fs::write(&file, "").unwrap();
        assert_eq!(behind_links(&link).unwrap(), file);
        assert_eq!(behind_links(&file).unwrap(), file);
    }
}
