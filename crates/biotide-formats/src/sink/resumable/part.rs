//! A file on its way, beside its target.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use biotide_common::{BiotideError, lock_file, permissions};
use datafusion_common::Result;

use super::durable::{Finished, Mark, hash};
use super::early::EarlySync;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;
/// Bytes before a mark that are told by its hash.
const TAIL: u64 = 4096;

/// Why a working file cannot be had.
const HELD: &str = "another run is writing it";

/// A working file: appended to, made durable, and named in the end.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Bytes written, those in `buffer` included.
    length: u64,
    early: EarlySync,
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
    /// An empty file; what was left there is cleared away. It is no more open to others than the target
    /// that it is to replace.
    pub(super) fn fresh(path: PathBuf, target: &Path) -> Result<Self> {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options
            .open(&path)
            .map_err(|e| failed("making", &path, e))?;
        lock_file(&file, &path, HELD)?;
        if let Some(permissions) = permissions(target) {
            file.set_permissions(writable(permissions))
                .map_err(|e| failed("making", &path, e))?;
        }
        file.set_len(0).map_err(|e| failed("clearing", &path, e))?;
        sync_folder(&path)?;
        Ok(Self {
            path,
            file,
            buffer: Vec::new(),
            length: 0,
            early: EarlySync::default(),
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
        lock_file(&file, &path, HELD)?;
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
            early: EarlySync::default(),
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
            self.early.wait()?;
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
            .and_then(|()| self.early.wait())
            .and_then(|()| self.file.sync_all())
            .map_err(|e| failed("writing", &self.path, e))?;
        // It may have come since.
        vacant(target, replace)?;
        if let Some(permissions) = permissions(target) {
            let kept = self.file.set_permissions(permissions);
            kept.map_err(|e| failed("keeping the permissions of", target, e))?;
        }
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
            false => {
                self.file.write_all(bytes)?;
                self.early.wrote(&self.file, bytes.len())?;
            }
        }
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        let bytes = self.buffer.len();
        self.buffer.clear();
        self.early.wrote(&self.file, bytes)
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

/// The same, but that a resumed run can go on writing.
#[cfg(unix)]
fn writable(permissions: Permissions) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(permissions.mode() | 0o600)
}

#[cfg(not(unix))]
fn writable(mut permissions: Permissions) -> Permissions {
    permissions.set_readonly(false);
    permissions
}

/// Whether a file begins with what a working file held at a mark.
pub(super) fn begins(path: &Path, mark: Mark) -> Result<bool> {
    let look = || {
        let mut file = File::open(path)?;
        Ok::<_, io::Error>(
            file.metadata()?.len() >= mark.length && tail(&mut file, mark.length)? == mark.tail,
        )
    };
    match look() {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        looked => Ok(looked.map_err(|e| failed("reading", path, e))?),
    }
}

impl Finished {
    /// How a file is now.
    pub fn of(path: &Path) -> Result<Self> {
        let look = || {
            let mut file = File::open(path)?;
            let length = file.metadata()?.len();
            let tail = tail(&mut file, length)?;
            Ok::<_, io::Error>(Self(Mark { length, tail }))
        };
        Ok(look().map_err(|e| failed("reading", path, e))?)
    }
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
    let synced = biotide_common::sync_folder(path);
    Ok(synced.map_err(|e| failed("writing the folder of", path, e))?)
}
