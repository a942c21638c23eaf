//! Keeps runs that share the file of a cache from reading what another one is making, or has made of something else.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use biotide_common::BiotideError;

use crate::error::{Error, Result};
use crate::rejects::make_folder;

/// How long this waits before it looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// How often to ask for a file that others read, before they are said to.
pub(super) const TRIES: usize = 40;

/// The note beside the file of a cache, locked: by one who makes the file, or by all who read it. The lock ends with the
/// process, however that ends.
#[derive(Debug)]
pub(crate) struct CacheLock {
    file: File,
}

impl CacheLock {
    /// Not locked yet.
    pub(super) fn open(note: &Path) -> std::io::Result<Self> {
        make_folder(note)?;
        let file = File::options().create(true).append(true).open(note)?;
        Ok(Self { file })
    }

    /// To read: waits until nobody makes the file. (Who makes one waits for nobody.)
    pub(super) async fn to_read(&self, note: &Path) -> Result<()> {
        loop {
            match self.file.try_lock_shared() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(failed(note, error)),
            }
        }
    }

    /// To make the file, if nobody reads it or makes it now. Whoever does may have made it for this run, too: then it is
    /// for the caller to look again.
    pub(super) async fn to_make(&self, note: &Path) -> Result<bool> {
        // (It may be locked to read. Two that are would wait for each other.)
        self.file.unlock().map_err(|error| failed(note, error))?;
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => {
                tokio::time::sleep(PAUSE).await;
                Ok(false)
            }
            Err(TryLockError::Error(error)) => Err(failed(note, error)),
        }
    }
}

fn failed(note: &Path, error: std::io::Error) -> Error {
    BiotideError::io(format!("locking {}", note.display()), error).into()
}
