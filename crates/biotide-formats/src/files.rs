//! Which files a path, URL or glob names.

use std::collections::HashSet;
use std::sync::Arc;

use biotide_common::BiotideError;
use datafusion_common::{DataFusionError, Result};
use datafusion_datasource::ListingTableUrl;
use futures::{StreamExt, TryStreamExt};
use glob::Pattern;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use percent_encoding::percent_decode_str;

use crate::formats;
use crate::spool::ShownAs;

/// Folders listed at a time.
const LISTED_AT_ONCE: usize = 32;

/// What Hive calls the folder of rows whose partition column is NULL.
pub const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A path, URL or glob.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    /// As the user wrote it.
    text: String,
    /// The file, or the folder below which the pattern is matched.
    pub(crate) url: ListingTableUrl,
    /// What is matched below a folder, a path segment each.
    pattern: Vec<Segment>,
    /// What messages call it, where that is not its path.
    shown: Option<ShownAs>,
}

/// What one segment of a path is matched with.
#[derive(Debug, Clone)]
enum Segment {
    /// `**`: any number of folders.
    Any,
    One(Pattern),
}

/// A file that was found.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) meta: ObjectMeta,
    /// How messages call it; `shown` if that is not its path.
    pub(crate) name: String,
    pub(crate) shown: Option<ShownAs>,
    /// What its `key=value` folders say.
    pub(crate) keys: Vec<(String, Option<String>)>,
}

/// What a glob has.
fn signs(location: &str) -> &'static [char] {
    match location.contains("://") {
        // What follows the `?` of a URL is no pattern.
        true => &['*', '['],
        false => &['*', '?', '['],
    }
}

/// Whether a location is a glob, and not a file that has such a name.
pub fn is_glob(location: &str) -> bool {
    location.contains(signs(location)) && !std::path::Path::new(location).exists()
}

/// The folder below which a glob is matched, as it is written, with the `/` at its end: nothing, if that is the current
/// one. None of what is no glob.
pub fn glob_folder(location: &str) -> Option<&str> {
    let sign = location.find(signs(location))?;
    let end = location[..sign].rfind('/').map_or(0, |slash| slash + 1);
    is_glob(location).then_some(&location[..end])
}

/// Whether files and folders of this name are passed over: notebooks' checkpoints, job logs, stages.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name.starts_with('_') && !name.contains('=')
}

/// What stands beside a table, and is none: indexes of it.
const BESIDE: [&str; 3] = [".gzi", ".tbi", ".csi"];

impl Segment {
    fn parse(part: &str) -> Result<Self, glob::PatternError> {
        match part {
            "**" => Ok(Self::Any),
            part => Ok(Self::One(Pattern::new(part)?)),
        }
    }

    /// A hidden name is matched where the pattern spells its first character, an index where it spells its
    /// ending.
    fn matches(&self, name: &str) -> bool {
        let beside = BESIDE.iter().find(|ending| name.ends_with(**ending));
        match self {
            Self::Any => !is_hidden(name) && beside.is_none(),
            Self::One(pattern) => {
                let text = pattern.as_str();
                let spelled = text.chars().next() == name.chars().next();
                pattern.matches(name)
                    && (spelled || !is_hidden(name))
                    && beside.is_none_or(|ending| text.ends_with(ending))
            }
        }
    }
}

/// Whether a path is matched; or, if it is a `folder`, whether something below it may be. Folders
/// `key=value` may stand where the pattern has none.
fn matches(pattern: &[Segment], path: &[&str], folder: bool) -> bool {
    let Some((name, below)) = path.split_first() else {
        return match folder {
            true => !pattern.is_empty(),
            false => pattern.iter().all(|part| matches!(part, Segment::Any)),
        };
    };
    let is_folder = folder || !below.is_empty();
    if is_folder && name.contains('=') && !is_hidden(name) && matches(pattern, below, folder) {
        return true;
    }
    match pattern.split_first() {
        None => false,
        Some((any @ Segment::Any, rest)) => {
            matches(rest, path, folder) || any.matches(name) && matches(pattern, below, folder)
        }
        Some((one, rest)) => one.matches(name) && matches(rest, below, folder),
    }
}

impl Location {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let bad = |error: &dyn std::fmt::Display| {
            let problem = format!(
                "it is no path, URL or glob: {error} (a glob is of *, ? and [abc], and ** as a folder)"
            );
            BiotideError::file(text, problem)
        };
        // What is in an archive is found by its name.
        let archive = crate::zip::archive(text);
        if archive != text && !std::path::Path::new(text).exists() {
            return Ok(Self::parse(archive)?.shown_as(text));
        }
        let url = Self::url(text).map_err(|error| match error {
            DataFusionError::External(error) => bad(&error),
            error => bad(&error),
        })?;
        let pattern = match url.get_glob() {
            Some(glob) => {
                let parts = glob.as_str().split(std::path::is_separator);
                parts.map(Segment::parse).collect::<Result<_, _>>()
            }
            None => Ok(vec![Segment::Any]),
        };
        Ok(Self {
            text: text.to_owned(),
            pattern: pattern.map_err(|error| bad(&error))?,
            url,
            shown: None,
        })
    }

    /// The same for what the user called otherwise.
    pub(crate) fn shown_as(self, name: &str) -> Self {
        Self {
            shown: Some(ShownAs(name.to_owned())),
            ..self
        }
    }

    /// A file that is really there is no glob, whatever its name.
    fn url(text: &str) -> Result<ListingTableUrl> {
        let path = std::path::Path::new(text);
        if path.is_file()
            && let Ok(path) = std::path::absolute(path)
            && let Ok(url) = url::Url::from_file_path(path)
            // Only parsing resolves `..`.
            && let Ok(url) = url::Url::parse(url.as_str())
        {
            return ListingTableUrl::try_new(url, None);
        }
        if path.is_dir() && !text.ends_with('/') {
            return ListingTableUrl::parse(format!("{text}/"));
        }
        if text.contains("://")
            && let Some(folder) = glob_folder(text)
            && !folder.is_empty()
        {
            return ListingTableUrl::parse(folder)?.with_glob(&text[folder.len()..]);
        }
        ListingTableUrl::parse(text)
    }

    /// How messages call a file of its store.
    fn name(&self, meta: &ObjectMeta) -> String {
        if let Some(ShownAs(name)) = &self.shown {
            return name.clone();
        }
        let store = self.url.object_store();
        match store.as_str() {
            local if local.starts_with("file:") => format!("/{}", meta.location),
            other => format!("{other}{}", meta.location),
        }
    }

    fn is_folder(&self) -> bool {
        self.url.is_collection() && self.url.get_glob().is_none()
    }

    /// The files, by name.
    async fn list(&self, store: &Arc<dyn ObjectStore>) -> Result<Vec<File>> {
        let found = self.find(store.as_ref()).await;
        let mut found = found.map_err(|error| {
            DataFusionError::ObjectStore(Box::new(error)).context(format!("listing {}", self.text))
        })?;
        found.sort_by(|a, b| a.location.cmp(&b.location));
        if found.is_empty() {
            let problem = match (self.url.is_collection(), self.is_folder()) {
                (_, true) => {
                    "the folder holds no file (names that begin with . or _ are passed over)"
                }
                (true, _) => "no file matches (names that begin with . or _ are passed over)",
                (false, _) => "there is no such file",
            };
            return Err(BiotideError::file(&self.text, problem).into());
        }
        let readable = |meta: &ObjectMeta| formats::by_path(meta.location.as_ref()).is_some();
        if self.is_folder()
            && let Some(other) = found.iter().find(|meta| !readable(meta))
        {
            let problem = format!(
                "it is a folder, and not all in it is text that can be read ({}); name the files by \
                 a glob such as '{}/*.tsv'",
                self.name(other),
                self.text.trim_end_matches('/')
            );
            return Err(BiotideError::file(&self.text, problem).into());
        }
        let file = |meta: ObjectMeta| File {
            keys: self.keys(&meta),
            name: self.name(&meta),
            shown: self.shown.clone(),
            meta,
        };
        Ok(found.into_iter().map(file).collect())
    }

    /// Looks only into folders that the pattern may go into.
    async fn find(&self, store: &dyn ObjectStore) -> object_store::Result<Vec<ObjectMeta>> {
        if !self.url.is_collection() {
            match store.head(self.url.prefix()).await {
                Ok(meta) => return Ok(vec![meta]),
                // In a store there may be objects below it.
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut found = Vec::new();
        let mut folders = vec![self.url.prefix().clone()];
        while !folders.is_empty() {
            let lists = folders.into_iter().map(|folder| async move {
                let below = Some(&folder).filter(|folder| !folder.as_ref().is_empty());
                store.list_with_delimiter(below).await
            });
            let lists: Vec<_> = futures::stream::iter(lists)
                .buffered(LISTED_AT_ONCE)
                .try_collect()
                .await?;
            folders = Vec::new();
            for list in lists {
                let files = list.objects.into_iter();
                found.extend(files.filter(|meta| self.takes(&meta.location, false)));
                let below = list.common_prefixes.into_iter();
                folders.extend(below.filter(|folder| self.takes(folder, true)));
            }
        }
        Ok(found)
    }

    fn takes(&self, path: &object_store::path::Path, folder: bool) -> bool {
        let parts: Option<Vec<&str>> = self.url.strip_prefix(path).map(Iterator::collect);
        parts.is_some_and(|parts| matches(&self.pattern, &parts, folder))
    }

    fn keys(&self, meta: &ObjectMeta) -> Vec<(String, Option<String>)> {
        let parts: Vec<&str> = match self.url.strip_prefix(&meta.location) {
            Some(parts) => parts.collect(),
            None => Vec::new(),
        };
        let folders = parts.iter().take(parts.len().saturating_sub(1));
        folders
            .filter_map(|part| part.split_once('='))
            .map(|(key, value)| {
                let value = percent_decode_str(value)
                    .decode_utf8()
                    .unwrap_or(value.into());
                let value = (value != HIVE_NULL).then(|| value.into_owned());
                (key.to_owned(), value)
            })
            .collect()
    }
}

/// The files, in the order of the locations and by name within a glob.
pub(crate) async fn list(
    store: &Arc<dyn ObjectStore>,
    locations: &[Location],
) -> Result<Vec<File>> {
    let mut files: Vec<File> = Vec::new();
    let mut seen = HashSet::new();
    for location in locations {
        for file in location.list(store).await? {
            if !seen.insert(file.meta.location.clone()) {
                let problem = "it is named twice; name every file once (UNION ALL, or merge_datasets of two steps, reads one again)";
                return Err(BiotideError::file(file.name, problem).into());
            }
            files.push(file);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(pattern: &str, path: &str, folder: bool) -> bool {
        let pattern: Vec<Segment> = pattern
            .split('/')
            .map(|part| Segment::parse(part).unwrap())
            .collect();
        matches(&pattern, &path.split('/').collect::<Vec<_>>(), folder)
    }

    #[test]
    fn globs_stay_in_their_folder() {
        assert!(takes("*.tsv", "a.tsv", false));
        assert!(!takes("*.tsv", "sub/a.tsv", false));
        assert!(!takes("*", "sub/a.tsv", false));
        assert!(takes("**/*.tsv", "a.tsv", false));
        assert!(takes("**/*.tsv", "sub/deep/a.tsv", false));
        assert!(takes("**", "sub/a.tsv", false));
        assert!(!takes("sub/*", "sub", false));
        assert!(!takes("*.tsv", "sub", true));
        assert!(takes("sub/*", "sub", true));
    }

    #[test]
    fn a_glob_has_a_folder() {
        for (location, folder) in [
            ("*.tsv", Some("")),
            ("/*.tsv", Some("/")),
            ("no/such/?[ab]/x.tsv", Some("no/such/")),
            ("s3://b/x?y/*/a.tsv", Some("s3://b/x?y/")),
            ("s3://b/x?y", None),
            ("no/such.tsv", None),
        ] {
            assert_eq!(glob_folder(location), folder, "{location}");
            assert_eq!(is_glob(location), folder.is_some(), "{location}");
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a[1].tsv");
        std::fs::write(&file, "").unwrap();
        assert_eq!(glob_folder(file.to_str().unwrap()), None);
    }

    #[test]
    fn partitions_lie_below_what_is_matched() {
        assert!(takes("*.tsv", "panel=A/year=1/a.tsv", false));
        assert!(takes("*.tsv", "panel=A", true));
        assert!(takes("panel=*/*.tsv", "panel=A/year=1/a.tsv", false));
        assert!(!takes("panel=B/*.tsv", "panel=A/year=1/a.tsv", false));
        assert!(!takes("*.csv", "a=b.tsv", false));
    }

    #[test]
    fn hidden_names_are_passed_over() {
        for path in [".x.tsv", "_x.tsv", ".ipynb_checkpoints/a.tsv", "_log/a.tsv"] {
            assert!(!takes("**", path, false), "{path}");
            assert!(!takes("*/*", path, false), "{path}");
        }
        assert!(!takes("a*", "a.tsv.gz.gzi", false));
        assert!(takes("*.csi", "a.csi", false));
        assert!(takes("_*.tsv", "_x.tsv", false));
        assert!(takes("**", "_year=1/a.tsv", false));
    }
}
