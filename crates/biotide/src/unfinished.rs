//! What is written beside its target, and is not complete.
//!
//! Dropping it removes it; but tasks that were told to end may write for a moment more, and a process that must end at
//! once drops nothing.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use biotide_common::remove;

/// Where, and whether nobody works on it any more.
static UNFINISHED: Mutex<Vec<(PathBuf, bool)>> = Mutex::new(Vec::new());

/// Notes that something is begun; what was left before is removed.
pub(crate) fn begin(path: &Path) {
    let mut unfinished = UNFINISHED.lock();
    unfinished.retain(|(path, is_left)| {
        if *is_left {
            // (Mostly it is gone.)
            remove(path).ok();
        }
        !is_left
    });
    unfinished.push((path.to_owned(), false));
}

/// Notes that it has its name.
pub(crate) fn complete(path: &Path) {
    UNFINISHED.lock().retain(|(other, _)| other != path);
}

/// Removes what nobody will complete.
pub(crate) fn leave(path: &Path) {
    remove(path).ok();
    for (other, is_left) in &mut *UNFINISHED.lock() {
        *is_left |= other == path;
    }
}

/// Removes what this process has written beside its targets and not completed: for a program that is about to end. What
/// is still being written is lost.
pub fn remove_unfinished() {
    for (path, _) in UNFINISHED.lock().drain(..) {
        remove(&path).ok();
    }
}
