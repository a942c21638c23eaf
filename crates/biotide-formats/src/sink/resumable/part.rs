//! A file on its way, beside its target.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use biotide_common::BiotideError;
use datafusion_common::Result;

use super::durable::{Mark, hash};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;
/// Bytes before a mark that are told by its hash.
const TAIL: u64 = 4096;

/// A working file: appended to, made durable, and named in the end.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Bytes written, those in `buffer` included.
    length: u64,
}

/// The working file for a target.
pub(super) fn working(target: &Path, kind: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".biotide-{kind}"));
    target.with_file_name(name)
}

/// An error of a working file, with its path.
pub(super) fn failed(doing: &str, path: &Path, error: io::Error) -> BiotideError {
    BiotideError::io(format!("{doing} {}", path.display()), error)
}

impl Part {
    /// An empty file; what was left there is cleared away.
    pub(super) fn fresh(path: PathBuf) -> Result<Self> {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options
            .open(&path)
            .map_err(|e| failed("making", &path, e))?;
        lock(&file, &path)?;
        file.set_len(0).map_err(|e| failed("clearing", &path, e))?;
        sync_folder(&path)?;
        Ok(Self {
            path,
            file,
            buffer: Vec::new(),
            length: 0,
        })
    }

    /// The file as it was at a mark.
    pub(super) fn resume(path: PathBuf, mark: Mark) -> Result<Self> {
        let gone = |problem: String| {
            let problem = format!("{problem}, so the run cannot be resumed; start it anew");
            BiotideError::file(path.display().to_string(), problem)
        };
        let mut file = match File::options().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Err(gone("the working file is missing".to_owned()).into());
            }
            Err(e) => return Err(failed("opening", &path, e).into()),
        };
        lock(&file, &path)?;
        let io = |e| failed("reading", &path, e);
        let there = file.metadata().map_err(io)?.len();
        if there < mark.length {
            let wanted = mark.length;
            let problem =
                format!("the working file has {there} bytes of the {wanted} that were written");
            return Err(gone(problem).into());
        }
        if tail(&mut file, mark.length).map_err(io)? != mark.tail {
            return Err(gone("the working file was changed".to_owned()).into());
        }
        file.set_len(mark.length)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(|e| failed("cutting", &path, e))?;
        Ok(Self {
            path,
            file,
            buffer: Vec::new(),
            length: mark.length,
        })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.write_all(bytes);
        Ok(written.map_err(|e| failed("writing", &self.path, e))?)
    }

    /// Makes what was written durable.
    pub(super) fn commit(&mut self) -> Result<Mark> {
        let mut tail = || {
            self.flush()?;
            self.file.sync_data()?;
            tail(&mut self.file, self.length)
        };
        let tail = tail().map_err(|e| failed("writing", &self.path, e))?;
        Ok(Mark {
            length: self.length,
            tail,
        })
    }

    /// Gives the file its name.
    pub(super) fn publish(&mut self, target: &Path, replace: bool) -> Result<()> {
        self.flush()
            .and_then(|()| self.file.sync_all())
            .map_err(|e| failed("writing", &self.path, e))?;
        // It may have come since.
        vacant(target, replace)?;
        std::fs::rename(&self.path, target).map_err(|e| failed("renaming to", target, e))?;
        sync_folder(target)
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        match bytes.len() < BUFFER {
            true => self.buffer.extend_from_slice(bytes),
            false => self.file.write_all(bytes)?,
        }
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Removes a working file that may be there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(failed("removing", path, e).into()),
        _ => Ok(()),
    }
}

/// Whether a file of this name can be written.
pub(super) fn vacant(target: &Path, replace: bool) -> Result<()> {
    let problem = if target.is_dir() {
        "it is a folder"
    } else if target.exists() && !target.is_file() {
        "it is no regular file, and what goes there could not be resumed"
    } else if target.exists() && !replace {
        "the file is there already; name another, or ask to replace it"
    } else {
        return Ok(());
    };
    Err(BiotideError::file(target.display().to_string(), problem).into())
}

/// Keeps another run away. A file system that knows no locks goes without.
pub(super) fn lock(file: &File, path: &Path) -> Result<()> {
    let held = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    // Between opening and locking, a run may have ended: then this is its target by now, to be left alone.
    if held || !stands_at(file, path) {
        let problem = "another run is writing it";
        return Err(BiotideError::file(path.display().to_string(), problem).into());
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

/// A hash of the bytes before `end`; the file stands at `end` afterwards.
fn tail(file: &mut File, end: u64) -> io::Result<u64> {
    let start = end.saturating_sub(TAIL);
    let mut bytes = vec![0; (end - start) as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut bytes)?;
    Ok(hash(&bytes))
}

/// Makes a folder and those it is in, durably.
pub(super) fn make_folder(folder: &Path) -> Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|path| !path.exists())
        .collect();
    std::fs::create_dir_all(folder).map_err(|e| failed("making the folder", folder, e))?;
    missing.into_iter().try_for_each(sync_folder)
}

/// Makes the names in a file's folder durable.
fn sync_folder(path: &Path) -> Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network file systems sync no folders.
        Err(e) if !matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Err(failed("writing the folder", folder, e).into())
        }
        _ => Ok(()),
    }
}
