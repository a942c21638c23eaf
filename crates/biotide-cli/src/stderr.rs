//! Standard error: one place to write to, so that a line never lands inside the progress bar, and so that all lines
//! are events where programs read them.

use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;
use log::{LevelFilter, Log, Metadata, Record};

use crate::progress::Event;

/// The bar on the screen, if any.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Whether lines are for programs. (Set before any other thread is there.)
static EVENTS: AtomicBool = AtomicBool::new(false);

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

/// Tells people something; programs too, as an event.
pub(crate) fn say(text: impl Display) {
    let text = text.to_string();
    match are_events() {
        true => tell(&Event::Message {
            level: "info",
            text,
        }),
        false => write(text),
    }
}

/// Says where numbers are served; to people unless they want to hear nothing.
pub(crate) fn listening(url: &str, quiet: bool) {
    if are_events() {
        tell(&Event::Listening { url });
    } else if !quiet {
        write(format!("metrics at {url}"));
    }
}

/// Says why the command ends.
pub(crate) fn fail(error: &str, exit_code: u8) {
    if are_events() {
        tell(&Event::Failed { error, exit_code });
    } else {
        write(error.to_owned());
    }
}

/// Tells programs what happens, if they listen.
pub(crate) fn tell(event: &Event<'_>) {
    if are_events()
        && let Ok(line) = serde_json::to_string(event)
    {
        write(line);
    }
}

/// Whether all lines are events.
pub(crate) fn are_events() -> bool {
    EVENTS.load(Ordering::Relaxed)
}

/// Writes lines. `eprintln!` would panic where standard error is closed.
fn write(mut text: String) {
    // (At once: where several processes write to one pipe, a line stays whole.)
    text.push('\n');
    let write = || {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    };
    match &*bar() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Shows the warnings of the libraries, and what was asked for, unless they shall be quiet.
pub(crate) fn start(quiet: bool, events: bool) {
    static LOG: Warnings = Warnings;
    EVENTS.store(events, Ordering::Relaxed);
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
            let text = record.args().to_string();
            match are_events() {
                true => tell(&Event::Message { level, text }),
                false => write(format!("{level}: {text}")),
            }
        }
    }

    fn flush(&self) {}
}
