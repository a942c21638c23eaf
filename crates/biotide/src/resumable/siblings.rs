//! Runs of the same pipeline with other parameters.
//!
//! Each has a state of its own, as they may write to other places. But who resumes a run, and has forgotten what it was
//! told, would begin another one, into the same place.

use biotide_common::BiotideError;

use super::identity::{Identity, PARAMETER, changed};
use super::lock::RunLock;
use super::state::RunState;

/// A run that was broken off.
pub(super) struct BrokenOff {
    state: String,
    /// Its parameters that are others.
    parameters: Vec<String>,
}

/// A run of the same with other parameters that was broken off: its state lies beside that of the run that is to be
/// resumed, which has none.
pub(super) fn broken_off_beside(fresh: &RunState) -> Option<BrokenOff> {
    let path = fresh.path();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => std::path::Path::new("."),
    };
    let files = std::fs::read_dir(folder).ok()?.flatten();
    let states = files.filter(|file| {
        let name = std::path::PathBuf::from(file.file_name());
        name.extension() == path.extension() && Some(name.as_os_str()) != path.file_name()
    });
    let mut paths: Vec<_> = states.map(|file| file.path()).collect();
    paths.sort();
    let known = paths.iter().filter_map(|path| RunState::read(path));
    let mut broken = known.filter(|known| known.of == fresh.of && known.is_broken_off());
    // (One that somebody is at was not broken off.)
    let other = broken.find(|known| RunLock::take(known.path()).is_ok())?;
    let parameters = changed(&other.parts, &fresh.parts).into_iter();
    let parameters = parameters.filter_map(|part| part.strip_prefix(PARAMETER));
    Some(BrokenOff {
        state: other.path().display().to_string(),
        parameters: parameters.map(str::to_owned).collect(),
    })
}

impl BrokenOff {
    /// That another run is not begun where this one is to be resumed.
    pub(super) fn refused(&self, identity: &Identity) -> BiotideError {
        let what = match self.parameters.as_slice() {
            [] => "other parameters".to_owned(),
            [one] => format!("another value of the parameter {one}"),
            several => format!("other values of the parameters {}", several.join(", ")),
        };
        let problem = format!(
            "the run that was broken off had {what}; resume it with what it was given by --set, or {} ({} tells how \
             far it is: remove that file if it is not to be gone on with)",
            identity.anew, self.state
        );
        BiotideError::file(&identity.name, problem)
    }
}
