//! Output that takes its final name only when it is complete.
//!
//! DataFusion's file sinks close their files also when the rows end in an error, and object_store then
//! shows them under their name: half a file that looks whole. So a `COPY` writes beside its target and is
//! renamed when its stream has ended well; else what was written is removed. It is on the disk before it has
//! its name: after a power loss there is all of it or nothing. An object of another store cannot be renamed
//! cheaply: there half an object is removed when the rows have ended in an error.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use biotide_common::{BiotideError, behind_links, permissions, remove_stale, stale, sync_folder};
use datafusion::common::DataFusionError;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::object_store::{Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use crate::error::Result;
use crate::parts::check_replaceable;
use crate::unfinished;

/// A file or folder on its way.
#[derive(Debug)]
pub(crate) struct Staged {
    staged: PathBuf,
    target: PathBuf,
    folder: bool,
    /// The target is a pipe or a device: it is written to, not replaced.
    special: bool,
    done: bool,
}

impl Staged {
    /// Stages a local target; `None` for one of another store. A folder that holds something is replaced
    /// only if asked to. What goes to a pipe or a device is staged in the folder `temp`.
    pub(crate) fn new(
        target: &str,
        folder: bool,
        replace_folder: bool,
        temp: &Path,
    ) -> Result<Option<Self>> {
        let local = match Url::parse(target) {
            Ok(url) if target.contains("://") => match url.to_file_path() {
                Ok(path) if url.scheme() == "file" => path.display().to_string(),
                _ => return Ok(None),
            },
            _ => target.to_owned(),
        };
        let target = behind_links(Path::new(local.trim_end_matches('/')))
            .map_err(|e| BiotideError::io(format!("finding {target}"), e))?;
        let shown = target.display();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!(
            "{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        if target.exists() && !target.is_dir() && !target.is_file() {
            clear(temp, "pipe");
            let staged = temp.join(format!("{}{id}.tmp", prefix("pipe")));
            unfinished::begin(&staged);
            return Ok(Some(Self {
                staged,
                target,
                folder: false,
                special: true,
                done: false,
            }));
        }
        if folder && target.is_file() {
            return Err(BiotideError::file(shown.to_string(), "it is a file, not a folder").into());
        }
        put_back(&target);
        if target.is_dir() {
            let full = std::fs::read_dir(&target).is_ok_and(|mut files| files.next().is_some());
            if !folder {
                return Err(BiotideError::file(shown.to_string(), "it is a folder").into());
            }
            if full && !replace_folder {
                let problem = "the folder is there already and holds files; name another, or use \
                               `biotide convert --force` to replace it";
                return Err(BiotideError::file(shown.to_string(), problem).into());
            }
            check_replaceable(&target)?;
        }
        let (Some(name), Some(parent)) = (target.file_name(), target.parent()) else {
            return Err(BiotideError::file(shown.to_string(), "it is not a file's name").into());
        };
        // As a store does: a key's folders need not be there.
        std::fs::create_dir_all(parent)
            .map_err(|e| BiotideError::io(format!("making the folder {}", parent.display()), e))?;
        if parent.to_string_lossy().contains(GLOB) {
            let problem = "its folder's name holds one of * ? [, which DataFusion takes for a pattern; \
                           write elsewhere and move the file";
            return Err(BiotideError::file(shown.to_string(), problem).into());
        }
        let name = plain(name);
        clear(parent, &name);
        let end = if folder { "" } else { ".tmp" };
        let staged = target.with_file_name(format!("{}{id}{end}", prefix(&name)));
        unfinished::begin(&staged);
        Ok(Some(Self {
            staged,
            target,
            folder,
            special: false,
            done: false,
        }))
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.staged
    }

    /// Gives the output its name.
    pub(crate) fn publish(mut self) -> Result<()> {
        let io = |e| BiotideError::io(format!("renaming to {}", self.target.display()), e);
        if !self.staged.exists() {
            // No row: a folder that holds no part, a file that holds nothing.
            match self.folder {
                true => std::fs::create_dir_all(&self.staged).map_err(io)?,
                false => drop(File::create(&self.staged).map_err(io)?),
            }
        }
        let writing = |e| BiotideError::io(format!("writing {}", self.target.display()), e);
        if self.special {
            let mut rows = File::open(&self.staged).map_err(writing)?;
            let mut target = File::options()
                .write(true)
                .open(&self.target)
                .map_err(writing)?;
            // What was staged is removed when this is dropped.
            std::io::copy(&mut rows, &mut target).map_err(writing)?;
            return Ok(());
        }
        sync(&self.staged).map_err(writing)?;
        if !self.target.is_dir() {
            if let Some(permissions) = permissions(&self.target) {
                std::fs::set_permissions(&self.staged, permissions).map_err(io)?;
            }
            std::fs::rename(&self.staged, &self.target).map_err(io)?;
            self.done = true;
            return Ok(sync_folder(&self.target).map_err(writing)?);
        }
        // (Others may have put something there since.)
        check_replaceable(&self.target)?;
        // A folder cannot be renamed over: the old one steps aside, and back if that fails.
        let mut old = self.staged.clone().into_os_string();
        old.push(OLD);
        std::fs::rename(&self.target, &old).map_err(io)?;
        if let Err(error) = std::fs::rename(&self.staged, &self.target) {
            std::fs::rename(&old, &self.target).map_err(io)?;
            return Err(io(error).into());
        }
        self.done = true;
        sync_folder(&self.target).map_err(writing)?;
        Ok(std::fs::remove_dir_all(&old).map_err(io)?)
    }
}

/// Has the disk take a file, or all of a folder.
fn sync(path: &Path) -> std::io::Result<()> {
    if !path.is_dir() {
        return File::options().write(true).open(path)?.sync_all();
    }
    let mut last = None;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?.path();
        sync(&entry)?;
        last = Some(entry);
    }
    // (Once for all names.)
    last.map_or(Ok(()), |last| sync_folder(&last))
}

impl Drop for Staged {
    fn drop(&mut self) {
        match self.done {
            true => unfinished::complete(&self.staged),
            false => unfinished::leave(&self.staged),
        }
    }
}

/// An object of a store that is not the local disk, while a `COPY` writes it.
#[derive(Debug)]
pub(crate) struct RemoteObject {
    store: Arc<dyn ObjectStore>,
    path: ObjectPath,
    /// What was there before.
    before: Option<ObjectMeta>,
}

impl RemoteObject {
    /// The object that a URL names; `None` for what is none: a local path, a folder.
    pub(crate) async fn new(target: &str, runtime: &RuntimeEnv) -> Result<Option<Self>> {
        if !target.contains("://") || target.starts_with("file:") || target.ends_with('/') {
            return Ok(None);
        }
        let url = ListingTableUrl::parse(target)?;
        let store = runtime.object_store(&url)?;
        let path = url.prefix().clone();
        let before = match store.head(&path).await {
            Ok(before) => Some(before),
            Err(StoreError::NotFound { .. }) => None,
            Err(error) => return Err(DataFusionError::ObjectStore(Box::new(error)).into()),
        };
        Ok(Some(Self {
            store,
            path,
            before,
        }))
    }

    /// Removes what a write that failed has put there. If it has put nothing there, what was there before
    /// stays.
    pub(crate) async fn discard(&self) {
        let version = |meta: &ObjectMeta| (meta.e_tag.clone(), meta.last_modified, meta.size);
        let Ok(now) = self.store.head(&self.path).await else {
            return;
        };
        if self.before.as_ref().map(version) != Some(version(&now))
            && let Err(error) = self.store.delete(&self.path).await
        {
            log::warn!("half a file was left at {}: {error}", self.path);
        }
    }
}

/// What DataFusion takes for a pattern.
const GLOB: [char; 3] = ['*', '?', '['];

/// What the name of a folder ends with that has stepped aside.
const OLD: &str = ".old";

/// A name without what would be a pattern.
fn plain(name: &OsStr) -> String {
    name.to_string_lossy().replace(GLOB, "_")
}

fn prefix(name: &str) -> String {
    format!(".{name}.biotide-")
}

/// Puts a folder back that had stepped aside when its process was killed.
fn put_back(target: &Path) {
    let (Some(name), Some(parent)) = (target.file_name(), target.parent()) else {
        return;
    };
    if target.exists() {
        return;
    }
    let is_old = |path: &PathBuf| {
        path.as_os_str()
            .as_encoded_bytes()
            .ends_with(OLD.as_bytes())
    };
    let left = stale(parent, &prefix(&plain(name)));
    if let Some(old) = left.into_iter().find(is_old)
        && std::fs::rename(&old, target).is_ok()
    {
        log::warn!(
            "put {} back, which a run that was killed was about to replace",
            target.display()
        );
    }
}

/// Removes what runs that were killed have left for this target.
fn clear(folder: &Path, name: &str) {
    for path in remove_stale(folder, &prefix(name)) {
        log::warn!("removed {}, left by a run that was killed", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_published_gets_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x.csv");
        let name = target.to_str().unwrap();
        std::fs::write(&target, "old").unwrap();
        let stale = dir.path().join(".x.csv.biotide-4294967294-0.tmp");
        std::fs::write(&stale, "stale").unwrap();

        let failed = Staged::new(name, false, false, dir.path())
            .unwrap()
            .unwrap();
        assert!(!stale.exists());
        std::fs::write(failed.path(), "half").unwrap();
        drop(failed);
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");

        let whole = Staged::new(name, false, false, dir.path())
            .unwrap()
            .unwrap();
        std::fs::write(whole.path(), "new").unwrap();
        whole.publish().unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_full_folder_is_replaced_only_if_asked() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("parts");
        let name = target.to_str().unwrap();
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("Abcdefgh12345678_0.csv"), "").unwrap();
        assert!(Staged::new(name, true, false, dir.path()).is_err());
        let staged = Staged::new(name, true, true, dir.path()).unwrap().unwrap();
        std::fs::create_dir(staged.path()).unwrap();
        // What came meanwhile is nobody's to remove.
        std::fs::write(target.join("mine"), "").unwrap();
        assert!(staged.publish().is_err());
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 2);
        assert!(Staged::new(name, true, true, dir.path()).is_err());
        std::fs::remove_file(target.join("mine")).unwrap();
        let staged = Staged::new(name, true, true, dir.path()).unwrap().unwrap();
        std::fs::create_dir(staged.path()).unwrap();
        staged.publish().unwrap();
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_had_stepped_aside_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("parts");
        let staged = dir.path().join(".parts.biotide-4294967294-0");
        let old = dir.path().join(".parts.biotide-4294967294-0.old");
        for folder in [&staged, &old] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(old.join("Abcdefgh12345678_0.csv"), "old").unwrap();
        let next = Staged::new(target.to_str().unwrap(), true, true, dir.path());
        drop(next.unwrap().unwrap());
        assert!(!staged.exists() && !old.exists());
        assert!(target.join("Abcdefgh12345678_0.csv").exists());
    }
}
