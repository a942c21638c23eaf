//! Where logs and reports are written to: a file of the local disk, whose folder is made with it.

use std::io;
use std::path::Path;

use biotide_common::BiotideError;

use crate::context::BiotideContext;
use crate::error::Result;

/// Makes the folder of a file, and those that it is in.
pub(crate) fn make_folder(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), std::fs::create_dir_all)
}

/// Writes a file, and makes its folder.
pub(crate) fn write(file: &str, text: impl AsRef<[u8]>) -> io::Result<()> {
    make_folder(Path::new(file))?;
    std::fs::write(file, text)
}

/// Why a file cannot be written, as far as that is known before there is anything to write.
pub(crate) fn obstacle(file: &str) -> Option<String> {
    if file.contains("://") {
        return Some("it is no path: it is written to the local disk".to_owned());
    }
    let ends_as_folder = file.ends_with('/');
    let file = Path::new(file);
    if ends_as_folder || file.is_dir() {
        return Some("it is a folder".to_owned());
    }
    let mut folders = file.ancestors().skip(1);
    // (A link that leads nowhere is in the way too.)
    let nearest = folders.find(|folder| folder.symlink_metadata().is_ok())?;
    (!nearest.is_dir()).then(|| format!("{} is no folder", nearest.display()))
}

impl BiotideContext {
    /// Refuses a reject log of the session, and a report, that could not be written when all is done. (Of a pipeline that
    /// is asked when it is run.)
    pub fn check_logs(&self, report: Option<&Path>) -> Result<()> {
        let options = self.options();
        let rejects = options.rejects.as_ref().map(|file| file.path().to_owned());
        let report = report.map(|file| file.display().to_string());
        let mut files = rejects.into_iter().chain(report);
        files.try_for_each(|file| match obstacle(&file) {
            Some(problem) => Err(BiotideError::file(file, problem).into()),
            None => Ok(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_where_nothing_is_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(at("file"), "").unwrap();
        for (name, problem) in [
            ("new", None),
            ("a/b/new", None),
            ("file", None),
            ("file/new", Some("/file is no folder")),
            ("file/a/new", Some("/file is no folder")),
            (".", Some("it is a folder")),
            ("new/x/", Some("it is a folder")),
        ] {
            let found = obstacle(&at(name));
            let is_as_expected = match (&found, problem) {
                (Some(found), Some(problem)) => found.ends_with(problem),
                (found, problem) => found.is_none() && problem.is_none(),
            };
            assert!(is_as_expected, "{name}: {found:?}");
            assert_eq!(write(&at(name), "x").is_err(), problem.is_some(), "{name}");
        }
        assert!(obstacle("s3://bucket/new").is_some());
        assert_eq!(obstacle("new"), None);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("nowhere"), at("link")).unwrap();
            assert!(obstacle(&at("link/new")).is_some());
        }
    }
}
