//! Where files are, whatever they are called.

use std::path::{Path, PathBuf};

use biotide_common::real_path;
use biotide_formats::files::{glob_folder, is_glob};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::object_store::path::Path as ObjectPath;
use url::Url;

/// What a path, URL or glob names.
#[derive(Debug)]
pub(super) enum Location {
    /// A file or folder of the local disk, by its real path.
    Local(PathBuf),
    /// Files below a folder.
    Glob {
        folder: PathBuf,
        pattern: Box<ListingTableUrl>,
    },
    /// What another store has.
    Elsewhere(String),
}

impl Location {
    /// None of what holds no rows that could be lost: the standard streams, pipes and devices.
    pub(super) fn of(text: &str) -> Option<Self> {
        let local = match Url::parse(text) {
            Ok(url) if text.contains("://") => match url.to_file_path() {
                Ok(path) if url.scheme() == "file" => path.display().to_string(),
                _ => return Some(Self::Elsewhere(text.trim_end_matches('/').to_owned())),
            },
            _ => text.to_owned(),
        };
        if let Some(below) = glob_folder(&local) {
            let folder = real_path(Path::new(if below.is_empty() { "." } else { below }));
            let url = Url::from_directory_path(&folder).ok()?;
            // (A pattern that is none is told when it is read.)
            let pattern = ListingTableUrl::try_new(url, None).ok()?;
            let pattern = pattern.with_glob(&local[below.len()..]).ok()?;
            return Some(Self::Glob {
                folder,
                pattern: Box::new(pattern),
            });
        }
        let path = Path::new(&local);
        let is_special = path.exists() && !path.is_file() && !path.is_dir();
        match is_special || matches!(local.as_str(), "" | "-") {
            true => None,
            false => Some(Self::Local(real_path(path))),
        }
    }

    /// Whether both are one file.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(own), Self::Local(other)) => own == other,
            (Self::Elsewhere(own), Self::Elsewhere(other)) => own == other,
            _ => false,
        }
    }

    /// Whether who reads this reads what is written there.
    pub(super) fn takes_in(&self, written: &Self) -> bool {
        match (self, written) {
            (Self::Local(own), Self::Local(written)) => {
                // (What is written may be a folder too, or an archive of what is read.)
                own.starts_with(written)
                    || own.is_dir() && written.starts_with(own) && !is_hidden(own, written)
            }
            (Self::Glob { folder, pattern }, Self::Local(written)) => {
                let file = ObjectPath::from_absolute_path(written);
                folder.starts_with(written) || file.is_ok_and(|file| pattern.contains(&file, false))
            }
            _ => self.is(written),
        }
    }
}

/// Whether a text names a file that is there, or several: it may be something else.
pub(super) fn is_file(text: &str) -> bool {
    text.contains("://") || is_glob(text) || Path::new(text).exists()
}

/// Whether who reads a folder passes over a file in it.
fn is_hidden(folder: &Path, file: &Path) -> bool {
    let below = file.strip_prefix(folder).unwrap_or(file);
    let mut names = below.iter().map(|name| name.to_string_lossy());
    names.any(|name| name.starts_with('.') || name.starts_with('_') && !name.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_any_name() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("{}/{name}", dir.path().display());
        let of = |name: &str| Location::of(&at(name)).unwrap();
        for folder in ["in", "out"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        std::fs::write(at("in/a.csv"), "").unwrap();
        for (read, written, expected) in [
            ("in/a.csv", "./in/a.csv", true),
            ("in/a.csv", "out/../in/a.csv", true),
            ("in/a.csv", "in/b.csv", false),
            // Below a file there is nothing.
            ("in/a.csv", "in/a.csv/b.csv", false),
            ("in", "in/new.csv", true),
            ("in/", "in/k=1/new.csv", true),
            ("in", "in/_new.csv", false),
            ("in", "in/.new/new.csv", false),
            ("in", "out/new.csv", false),
            ("in", "inn.csv", false),
            // The folder of what is read.
            ("in/a.csv", "in", true),
            ("in/*.csv", "in", true),
            ("in/*.csv", "in/new.csv", true),
            ("out/../in/*.csv", "in/new.csv", true),
            ("in/*.csv", "in/new.tsv", false),
            ("**/*.csv", "in/new.csv", true),
            ("i?/[a-m]*.csv", "in/new.csv", false),
            ("i?/[a-n]*.csv", "in/new.csv", true),
        ] {
            let takes_in = of(read).takes_in(&of(written));
            assert_eq!(takes_in, expected, "{read} {written}");
        }
        let url = format!("file://{}", at("in/a.csv"));
        assert!(Location::of(&url).unwrap().is(&of("in/a.csv")));
        let [a, b] = ["s3://b/a.csv", "s3://b/b.csv"].map(|url| Location::of(url).unwrap());
        assert!(a.is(&a) && !a.is(&b) && !a.is(&of("in/a.csv")));
        assert!(Location::of("-").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("a.csv"), dir.path().join("link.csv"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let [file, link] = [file, link].map(|path| Location::of(&path.display().to_string()));
        assert!(file.unwrap().is(&link.unwrap()));
        assert!(Location::of("/dev/null").is_none());
    }
}
