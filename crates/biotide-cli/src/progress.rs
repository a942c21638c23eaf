//! How far the work is: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use biotide::format_size;
use biotide::prelude::Monitor;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::stderr;

/// When to show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowProgress {
    /// If the work takes a while
    #[default]
    Auto,
    Always,
    Never,
}

/// Shows the progress until it is stopped or dropped.
///
/// A thread of its own: the workers are busy, and a line that comes late tells nothing.
#[derive(Debug)]
pub(crate) struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts to show what the monitor sees.
    pub(crate) fn start(show: ShowProgress, quiet: bool, monitor: Monitor) -> Self {
        if show == ShowProgress::Never || (show == ShowProgress::Auto && quiet) {
            return Self { running: None };
        }
        let terminal = std::io::stderr().is_terminal();
        // What is over in a moment needs no bar.
        let (first, every) = match (terminal, show) {
            (true, ShowProgress::Auto) => (Duration::from_millis(700), Duration::from_millis(200)),
            (true, _) => (Duration::from_millis(100), Duration::from_millis(200)),
            (false, ShowProgress::Auto) => (Duration::from_secs(5), Duration::from_secs(5)),
            (false, _) => (Duration::from_secs(2), Duration::from_secs(2)),
        };
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("biotide-progress".to_owned());
        let thread = thread.spawn(move || watch(&monitor, &stopped, terminal, first, every));
        // A machine that cannot start a thread has other worries than the bar.
        Self {
            running: thread.ok().map(|thread| (stop, thread)),
        }
    }

    /// Takes it off the screen.
    pub(crate) fn stop(&mut self) {
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
    terminal: bool,
    first: Duration,
    every: Duration,
) {
    let start = Instant::now();
    let mut pause = first;
    let mut bar = None;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = every;
        let seen = Seen::now(monitor, start.elapsed());
        if terminal {
            seen.draw(bar.get_or_insert_with(new_bar));
        } else {
            stderr::say(seen.line());
        }
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

/// What a monitor sees at one time.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    bytes: u64,
    total: u64,
    rows: u64,
    rejected: u64,
    spilled: u64,
    /// Times that readers waited for memory or made do with less.
    slowed: u64,
    /// The most memory held.
    peak: u64,
    elapsed: Duration,
}

impl Seen {
    fn now(monitor: &Monitor, elapsed: Duration) -> Self {
        Self {
            bytes: monitor.bytes_done(),
            total: monitor.bytes_total(),
            rows: monitor.records(),
            rejected: monitor.rejected(),
            spilled: monitor.spilled().bytes,
            slowed: monitor.slowed(),
            peak: biotide::peak_rss(),
            elapsed,
        }
    }

    fn draw(&self, bar: &ProgressBar) {
        let template = if self.total > 0 {
            "[{bar:24}] {msg}"
        } else {
            "{spinner} {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        if self.total > 0 {
            bar.set_length(self.total);
            bar.set_position(self.bytes.min(self.total));
        }
        bar.set_message(self.line());
        bar.tick();
    }

    /// `12.3M rows, 340 MB of 932 MB, 512 MB/s, ETA 2 s, 3 rejected, peak 210 MB`.
    fn line(&self) -> String {
        let mut line = format!(
            "{} rows, {}",
            format_count(self.rows),
            format_size(self.bytes)
        );
        if self.total > 0 {
            line.push_str(&format!(" of {}", format_size(self.total)));
        }
        let rate = self.bytes as f64 / self.elapsed.as_secs_f64().max(0.001);
        line.push_str(&format!(", {}/s", format_size(rate as u64)));
        if self.total > self.bytes && rate >= 1.0 {
            let left = (self.total - self.bytes) as f64 / rate;
            line.push_str(&format!(", ETA {}", format_whole_seconds(left.ceil())));
        }
        if self.rejected > 0 {
            line.push_str(&format!(", {} rejected", format_count(self.rejected)));
        }
        if self.spilled > 0 {
            line.push_str(&format!(", {} spilled", format_size(self.spilled)));
        }
        if self.slowed > 0 {
            line.push_str(&format!(", slowed {} times", format_count(self.slowed)));
        }
        if self.peak > 0 {
            line.push_str(&format!(", peak {}", format_size(self.peak)));
        }
        line
    }
}

/// `999`, `12.3k`, `1.23M`.
fn format_count(n: u64) -> String {
    let value = n as f64;
    match n {
        0..10_000 => n.to_string(),
        10_000..999_950 => format!("{:.1}k", value / 1e3),
        999_950..999_950_000 => format!("{:.1}M", value / 1e6),
        _ => format!("{:.2}G", value / 1e9),
    }
}

/// `31 ms`, `3.1 s`, `42 s`, `3 min 5 s`, `2 h 10 min`.
pub(crate) fn format_seconds(seconds: f64) -> String {
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    format_whole_seconds(seconds.round())
}

fn format_whole_seconds(seconds: f64) -> String {
    let whole = seconds.min(1e15) as u64;
    match whole {
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_rows_bytes_rate_and_what_is_left() {
        let seen = Seen {
            bytes: 340_000_000,
            total: 932_000_000,
            rows: 12_345_678,
            rejected: 3,
            spilled: 31_000_000,
            slowed: 2,
            peak: 210_000_000,
            elapsed: Duration::from_secs(1),
        };
        assert_eq!(
            seen.line(),
            "12.3M rows, 340 MB of 932 MB, 340 MB/s, ETA 2 s, 3 rejected, 31 MB spilled, slowed 2 times, \
             peak 210 MB"
        );
        let stdin = Seen {
            bytes: 1000,
            rows: 10,
            elapsed: Duration::from_secs(1),
            ..Seen::default()
        };
        assert_eq!(stdin.line(), "10 rows, 1.0 kB, 1.0 kB/s");
        assert_eq!(Seen::default().line(), "0 rows, 0 B, 0 B/s");
    }

    #[test]
    fn counts_and_times_are_short() {
        assert_eq!(format_count(9_999), "9999");
        assert_eq!(format_count(999_949), "999.9k");
        assert_eq!(format_count(999_950), "1.0M");
        assert_eq!(format_seconds(0.314), "314 ms");
        assert_eq!(format_seconds(3.07), "3.1 s");
        assert_eq!(format_seconds(185.0), "3 min 5 s");
        assert_eq!(format_seconds(7800.0), "2 h 10 min");
    }
}
