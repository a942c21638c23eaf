//! Standard error: one place to write to, so that a line never lands inside the progress bar.

use std::fmt::Display;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;
use log::{LevelFilter, Log, Metadata, Record};

/// The bar on the screen, if any.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn bar() -> MutexGuard<'static, Option<ProgressBar>> {
    BAR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on lines are written above this bar.
pub(crate) fn show_bar(new: ProgressBar) {
    *bar() = Some(new);
}

/// Takes the bar off the screen.
pub(crate) fn clear_bar() {
    if let Some(bar) = bar().take() {
        bar.finish_and_clear();
    }
}

/// Writes lines to standard error. `eprintln!` would panic where it is closed.
pub(crate) fn say(text: impl Display) {
    let write = || {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    };
    match &*bar() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Shows the warnings of the libraries, and what was asked for, unless they shall be quiet.
pub(crate) fn start(quiet: bool) {
    static LOG: Warnings = Warnings;
    if !quiet && log::set_logger(&LOG).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

struct Warnings;

impl Log for Warnings {
    /// Ours alone: those of the engine speak to its developers.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("biotide")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = record.level().as_str().to_ascii_lowercase();
            let level = if level == "warn" { "warning" } else { &level };
            say(format_args!("{level}: {}", record.args()));
        }
    }

    fn flush(&self) {}
}
