//! Zip archives: one member is a table, `archive.zip!/member.tsv` or the only one there is.

use std::fs::File;
use std::io::{Read, Seek};

use biotide_common::BiotideError;
use zip::ZipArchive;

/// Between an archive and the name of its member.
const SEPARATOR: &str = "!/";

/// The archive of a location that names a member; the location itself, if it names none.
pub(crate) fn archive(location: &str) -> &str {
    match location.split_once(SEPARATOR) {
        Some((archive, member)) if !member.is_empty() => archive,
        _ => location,
    }
}

/// A local archive with the name of its only member: that tells the format. `None` for anything else.
pub(crate) fn with_member(location: &str) -> Result<Option<String>, BiotideError> {
    let is_archive = |file: &mut File| {
        let mut start = [0; 4];
        file.read_exact(&mut start).is_ok() && start == *b"PK\x03\x04"
    };
    let Ok(mut file) = File::open(location) else {
        return Ok(None);
    };
    if !is_archive(&mut file) {
        return Ok(None);
    }
    // One that is damaged is told of when it is read.
    let Ok(archive) = ZipArchive::new(file) else {
        return Ok(None);
    };
    let index = member(&archive, location)?;
    let name = archive.name_for_index(index).and_then(Result::ok);
    Ok(name.map(|name| format!("{location}{SEPARATOR}{name}")))
}

/// Which member of an archive `name` means.
pub(crate) fn member<R: Read + Seek>(
    archive: &ZipArchive<R>,
    name: &str,
) -> Result<usize, BiotideError> {
    let refuse = |problem: String| Err(BiotideError::file(name, problem));
    // A name that is no text names nothing.
    let names: Vec<_> = archive.file_names().filter_map(Result::ok).collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let is_file = |name: &&str| !name.ends_with('/') && !name.starts_with("__MACOSX/");
    let mut files: Vec<&str> = names.iter().copied().filter(is_file).collect();
    files.sort_unstable();
    if let Some((_, wanted)) = name.split_once(SEPARATOR) {
        return match archive.index_for_name(wanted) {
            Some(index) => Ok(index),
            None => refuse(format!("the archive has no such member: {}", list(&files))),
        };
    }
    if names.contains(&"[Content_Types].xml") {
        return refuse(
            "it is not a table, because it is a workbook or document of Office; save it as CSV"
                .to_owned(),
        );
    }
    match files[..] {
        [only] => match archive.index_for_name(only) {
            Some(index) => Ok(index),
            None => refuse("the archive's directory is damaged".to_owned()),
        },
        [] => refuse("the archive holds no file".to_owned()),
        [first, ..] => {
            let bare = name.rsplit('/').next().unwrap_or(name);
            refuse(format!(
                "the archive holds several files: {}; name one, as '{bare}{SEPARATOR}{first}'",
                list(&files)
            ))
        }
    }
}

/// The first few names.
fn list(names: &[&str]) -> String {
    const LISTED: usize = 10;
    let more = if names.len() > LISTED { ", …" } else { "" };
    let names = names[..names.len().min(LISTED)].join(", ");
    format!("there are {names}{more}")
}
