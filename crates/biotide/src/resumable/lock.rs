//! Keeps a second process from the same run: both would go on from the same state, and write the same rows.

use std::fs::File;
use std::path::{Path, PathBuf};

use biotide_common::{BiotideError, lock_file};

use crate::error::Result;

/// A file beside the state, which its process holds locked. The lock ends with the process, however that ends.
pub(crate) struct RunLock {
    path: PathBuf,
    _file: File,
}

impl RunLock {
    pub(crate) fn take(state: &Path) -> Result<Self> {
        let mut path = state.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = File::create(&path).map_err(|error| {
            let what = format!("noting how far the run is, in {}", path.display());
            BiotideError::io(what, error)
        })?;
        let problem = "another process is at the same run; wait until it ends";
        lock_file(&file, &path, problem)?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // (Where it stays the next run takes it.)
        std::fs::remove_file(&self.path).ok();
    }
}
