//! Statements of earlier sessions.

use std::path::{Path, PathBuf};

use rustyline::Editor;
use rustyline::history::FileHistory;

use super::helper::ShellHelper;

/// `$BIOTIDE_HISTORY`, or a file below the folder for state; none where there is no home.
pub(super) fn path() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("BIOTIDE_HISTORY") {
        return (!path.is_empty()).then(|| path.into());
    }
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state =
        state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")));
    Some(state?.join("biotide").join("history"))
}

/// Writes it down after every statement: a shell may end at any time. Without a place to, it is forgotten.
pub(super) fn save(editor: &mut Editor<ShellHelper, FileHistory>, path: &Path) {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).ok();
    }
    editor.save_history(path).ok();
}
