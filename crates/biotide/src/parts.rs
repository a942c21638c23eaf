//! Folders of parts: what writing to a folder makes, and may replace.

use std::io;
use std::path::{Path, PathBuf};

use biotide_common::BiotideError;

use crate::error::Result;

/// Refuses to replace a folder that is not only of parts, or that the process works in.
pub(crate) fn check_replaceable(folder: &Path) -> Result<()> {
    let shown = || folder.display().to_string();
    let reading = |error| BiotideError::io(format!("reading the folder {}", shown()), error);
    let real = folder.canonicalize().map_err(reading)?;
    if std::env::current_dir().is_ok_and(|here| here.starts_with(&real)) {
        let problem = "this is being run in it: name another folder";
        return Err(BiotideError::file(shown(), problem).into());
    }
    match other_than_parts(&real).map_err(reading)? {
        None => Ok(()),
        Some(other) => {
            let other = other.strip_prefix(&real).unwrap_or(&other);
            let problem = format!(
                "it holds {}, which is no part of what is replaced: name another folder, or remove what is in this one first",
                other.display()
            );
            Err(BiotideError::file(shown(), problem).into())
        }
    }
}

/// The first that a folder holds beside parts, and folders `column=value` of parts.
fn other_than_parts(folder: &Path) -> io::Result<Option<PathBuf>> {
    let entries: io::Result<Vec<_>> = std::fs::read_dir(folder)?.collect();
    let mut entries = entries?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() && name.contains('=') {
            if let Some(other) = other_than_parts(&path)? {
                return Ok(Some(other));
            }
        } else if entry.file_type()?.is_dir() || !is_part(&name) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether a file is called as DataFusion calls parts: sixteen letters and digits, `_`, a number, the format's ending.
fn is_part(name: &str) -> bool {
    let Some((stem, _)) = name.split_once('.') else {
        return false;
    };
    stem.split_once('_').is_some_and(|(id, number)| {
        id.len() == 16
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("out");
        std::fs::create_dir_all(folder.join("k=a/l=1")).unwrap();
        let parts = [
            "k=a/l=1/Abcdefgh12345678_0.csv.gz",
            "ABCDEFGHabcdefgh_12.parquet",
        ];
        for part in parts {
            std::fs::write(folder.join(part), "").unwrap();
        }
        check_replaceable(&folder).unwrap();
        for (other, is_folder) in [
            ("in.csv", false),
            ("k=a/thesis.txt", false),
            ("k=a/l=1/notes", false),
            ("Abcdefgh12345678_0", false),
            ("more", true),
            ("k=a/more", true),
        ] {
            let path = folder.join(other);
            match is_folder {
                true => std::fs::create_dir(&path).unwrap(),
                false => std::fs::write(&path, "").unwrap(),
            }
            let error = check_replaceable(&folder).unwrap_err().to_string();
            assert!(
                error.contains(&format!("it holds {other}, which")),
                "{error}"
            );
            biotide_common::remove(&path).unwrap();
        }
        std::os::unix::fs::symlink(dir.path(), folder.join("k=b")).unwrap();
        assert!(check_replaceable(&folder).is_err());
        let here = std::env::current_dir().unwrap();
        let error = check_replaceable(&here).unwrap_err().to_string();
        assert!(error.contains("this is being run in it"), "{error}");
    }
}
