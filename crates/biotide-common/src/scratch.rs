//! Folders for what does not fit into memory, which a killed process cannot leave behind for long.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// The file in it that its process holds locked. The lock ends with the process, however that ends.
const LOCK: &str = "lock";

/// A folder of this process, removed when it is dropped, or by a later process if this one is killed.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes a folder in `root` whose name starts with `prefix`, and removes those that processes which
    /// live no more have left there.
    pub fn new(root: &Path, prefix: &str) -> io::Result<Self> {
        remove_unlocked(root, prefix);
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(root)?;
        // It has its name only when it is locked: nobody sees it unlocked while its process lives.
        let nameless = folder.path().join("unlocked");
        let lock = File::create(&nameless)?;
        // Where files cannot be locked nobody can tell whose folder it is, and nobody removes it.
        if lock.lock().is_ok() {
            std::fs::rename(nameless, folder.path().join(LOCK))?;
        }
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders whose process lives no more.
fn remove_unlocked(root: &Path, prefix: &str) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(prefix));
        let path = entry.path();
        // (Without a lock it is being made.)
        let Some(lock) = is_ours.then(|| File::open(path.join(LOCK)).ok()).flatten() else {
            continue;
        };
        if lock.try_lock().is_ok() {
            // Another process may be at it, too.
            std::fs::remove_dir_all(&path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_left_is_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let living = Scratch::new(root.path(), "x-").unwrap();
        let dead = root.path().join("x-dead");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join(LOCK), "").unwrap();
        std::fs::write(dead.join("spilled"), "rows").unwrap();
        let made = root.path().join("x-being-made");
        std::fs::create_dir(&made).unwrap();
        let other = root.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join(LOCK), "").unwrap();

        let second = Scratch::new(root.path(), "x-").unwrap();
        assert!(!dead.exists() && made.exists() && other.exists());
        assert!(living.path().exists() && second.path().exists());
        let path = living.path().to_owned();
        drop(living);
        assert!(!path.exists());
    }
}
