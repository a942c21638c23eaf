//! Looks at a statement while it runs.

use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use biotide::pipeline::run::StepStarted;
use biotide::prelude::Monitor;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::Event;
use super::seen::Seen;
use crate::metrics::Watched;
use crate::settings::Settings;
use crate::stderr;

/// When to show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowProgress {
    /// If the work takes a while
    #[default]
    Auto,
    Always,
    Never,
    /// As events, a line of JSON each
    Json,
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Bar,
    Lines,
    Events,
}

impl View {
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        match settings.progress {
            ShowProgress::Never => None,
            ShowProgress::Json => Some(Self::Events),
            ShowProgress::Auto if settings.quiet => None,
            _ if std::io::stderr().is_terminal() => Some(Self::Bar),
            _ => Some(Self::Lines),
        }
    }

    /// Until it is shown first, and from then on.
    fn pauses(self, show: ShowProgress) -> (Duration, Duration) {
        let (first, every) = match (self, show) {
            // What is over in a moment needs no bar.
            (Self::Bar, ShowProgress::Auto) => (700, 200),
            (Self::Bar, _) => (100, 200),
            (Self::Lines, ShowProgress::Auto) => (5000, 5000),
            (Self::Lines, _) => (2000, 2000),
            (Self::Events, _) => (1000, 1000),
        };
        (Duration::from_millis(first), Duration::from_millis(every))
    }
}

/// The step of a pipeline that a statement runs for.
#[derive(Debug, Clone)]
pub(super) struct Place {
    step: String,
    number: usize,
    steps: usize,
}

impl Place {
    pub(super) fn of(step: &StepStarted<'_>) -> Self {
        Self {
            step: step.step.to_owned(),
            number: step.number,
            steps: step.steps,
        }
    }
}

/// Shows the progress until it is dropped.
///
/// A thread of its own: the workers are busy, and a line that comes late tells nothing.
#[derive(Debug)]
pub(crate) struct Progress {
    view: Option<View>,
    running: Option<(Sender<()>, JoinHandle<()>)>,
    /// (Kept for what it does at its end.)
    _watched: Watched,
}

impl Progress {
    /// Starts to show what the monitor of a statement sees. `name` is what the numbers are told of under.
    pub(crate) fn of_statement(settings: &Settings, name: &str, monitor: Monitor) -> Self {
        let watched = settings.board.watch(name, monitor.clone());
        Self::start(settings, monitor, None, watched)
    }

    /// Starts to show what the monitor of a step sees.
    pub(super) fn of_step(settings: &Settings, place: Place, monitor: Monitor) -> Self {
        let watched = settings.board.watch(&place.step, monitor.clone());
        Self::start(settings, monitor, Some(place), watched)
    }

    fn start(
        settings: &Settings,
        monitor: Monitor,
        place: Option<Place>,
        watched: Watched,
    ) -> Self {
        let view = View::of(settings);
        let start = |view: View| {
            let pauses = view.pauses(settings.progress);
            let (stop, stopped) = channel();
            let thread = std::thread::Builder::new().name("biotide-progress".to_owned());
            let thread =
                thread.spawn(move || watch(&monitor, &stopped, view, pauses, place.as_ref()));
            // A machine that cannot start a thread has other worries than the bar.
            Some((stop, thread.ok()?))
        };
        Self {
            view,
            running: view.and_then(start),
            _watched: watched,
        }
    }

    /// Takes it off the screen, which belongs to others from now on. Programs are told all the same.
    pub(crate) fn leave_the_screen(&mut self) {
        if self.view != Some(View::Events) {
            self.stop();
        }
    }

    fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop();
    }
}

fn watch(
    monitor: &Monitor,
    stopped: &Receiver<()>,
    view: View,
    (first, every): (Duration, Duration),
    place: Option<&Place>,
) {
    let start = Instant::now();
    let see = || Seen::now(monitor, start.elapsed());
    let tell = |last| {
        stderr::tell(&Event::Progress {
            step: place.map(|place| place.step.as_str()),
            seen: see(),
            last,
        });
    };
    let before = place.map(|place| format!("[{}/{}] {} ", place.number, place.steps, place.step));
    let mut pause = first;
    let mut bar = None;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = every;
        match view {
            View::Bar => {
                let bar = bar.get_or_insert_with(new_bar);
                see().draw(bar, before.as_deref().unwrap_or_default());
            }
            View::Lines => stderr::say(see().line()),
            View::Events => tell(false),
        }
    }
    if view == View::Events {
        tell(true);
    }
    if bar.is_some() {
        stderr::clear_bar();
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    stderr::show_bar(bar.clone());
    bar
}
