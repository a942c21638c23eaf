//! A file for what does not fit into memory: written at its end, read anywhere.

use std::fs::File;
use std::io;
use std::sync::Arc;

use biotide_common::BiotideError;
use datafusion_common::{DataFusionError, Result};
use datafusion_execution::disk_manager::DiskManager;
use datafusion_execution::{SpillFile as TempFile, SpillWriter};
use parking_lot::Mutex;

/// A temporary file that the disk manager counts and removes.
pub(crate) struct SpillFile {
    disk: Arc<DiskManager>,
    what: String,
    open: Mutex<Option<Open>>,
}

struct Open {
    /// (It is removed with this.)
    _temp: Arc<dyn TempFile>,
    writer: Box<dyn SpillWriter>,
    file: Arc<File>,
    end: u64,
}

impl std::fmt::Debug for SpillFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpillFile")
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

impl SpillFile {
    /// A file that is made when something is written.
    pub(crate) fn new(disk: Arc<DiskManager>, what: &str) -> Self {
        Self {
            disk,
            what: what.to_owned(),
            open: Mutex::new(None),
        }
    }

    /// Appends bytes. Answers where they are.
    pub(crate) fn append(&self, bytes: &[u8]) -> Result<u64> {
        let mut open = self.open.lock();
        let open = match &mut *open {
            Some(open) => open,
            none => none.insert(self.open()?),
        };
        open.writer
            .write_all(bytes)
            .map_err(|error| self.failed(error))?;
        let at = open.end;
        open.end += bytes.len() as u64;
        Ok(at)
    }

    fn open(&self) -> Result<Open> {
        let temp = self.disk.create_tmp_file(&self.what)?;
        let path = temp
            .path()
            .ok_or_else(|| self.failed(io::ErrorKind::Unsupported.into()))?;
        let file = File::open(path).map_err(|error| self.failed(error))?;
        Ok(Open {
            writer: temp.open_writer()?,
            file: Arc::new(file),
            end: 0,
            _temp: temp,
        })
    }

    /// Bytes written.
    pub(crate) fn size(&self) -> u64 {
        self.open.lock().as_ref().map_or(0, |open| open.end)
    }

    /// Fills bytes from a place.
    pub(crate) fn read(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        let file = self.open.lock().as_ref().map(|open| Arc::clone(&open.file));
        let file = file.ok_or_else(|| self.failed(io::ErrorKind::NotFound.into()))?;
        read_at(&file, at, bytes).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> DataFusionError {
        let what = format!("keeping {} on disk (--temp-dir)", self.what);
        BiotideError::io(what, error).into()
    }
}

/// Fills bytes from a place of a file.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, at: u64, bytes: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

/// Fills bytes from a place of a file.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, mut at: u64, mut bytes: &mut [u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                at += n as u64;
                bytes = &mut std::mem::take(&mut bytes)[n..];
            }
        }
    }
    Ok(())
}
