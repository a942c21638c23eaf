//! What is seen, as a line for people.

use biotide::format_size;
use indicatif::{ProgressBar, ProgressStyle};

use super::seen::Seen;
use super::units::{format_count, format_whole_seconds};

impl Seen {
    /// Draws it as a bar; `place` stands before it.
    pub(super) fn draw(&self, bar: &ProgressBar, place: &str) {
        let total = self.counts.bytes_total;
        let template = match total {
            0 => "{prefix}{spinner} {msg}",
            _ => "{prefix}[{bar:24}] {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        if total > 0 {
            bar.set_length(total);
            bar.set_position(self.counts.bytes.min(total));
        }
        bar.set_prefix(place.to_owned());
        bar.set_message(self.line());
        bar.tick();
    }

    /// `12.3M rows, 340 MB of 932 MB, 512 MB/s, ETA 2 s, 3 rejected, peak 210 MB`.
    pub(super) fn line(&self) -> String {
        let counts = &self.counts;
        let mut line = format!(
            "{} rows, {}",
            format_count(counts.rows),
            format_size(counts.bytes)
        );
        if counts.bytes_total > 0 {
            line.push_str(&format!(" of {}", format_size(counts.bytes_total)));
        }
        line.push_str(&format!(", {}/s", format_size(self.bytes_per_second)));
        if let Some(left) = self.eta_seconds {
            line.push_str(&format!(", ETA {}", format_whole_seconds(left.ceil())));
        }
        if counts.errors > 0 {
            line.push_str(&format!(", {} rejected", format_count(counts.errors)));
        }
        if counts.spilled_bytes > 0 {
            line.push_str(&format!(", {} spilled", format_size(counts.spilled_bytes)));
        }
        if counts.slowed > 0 {
            line.push_str(&format!(", slowed {} times", format_count(counts.slowed)));
        }
        if counts.backpressure_events > 0 {
            let times = format_count(counts.backpressure_events);
            line.push_str(&format!(", {times} waits for the sink"));
        }
        if self.peak_memory > 0 {
            line.push_str(&format!(", peak {}", format_size(self.peak_memory)));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Counts;
    use super::*;

    #[test]
    fn a_line_says_rows_bytes_rate_and_what_is_left() {
        let second = Duration::from_secs(1);
        let counts = Counts {
            rows: 12_345_678,
            rows_written: 12_345_000,
            bytes: 340_000_000,
            bytes_total: 932_000_000,
            errors: 3,
            spilled_bytes: 31_000_000,
            slowed: 2,
            backpressure_events: 12,
        };
        let seen = Seen {
            peak_memory: 210_000_000,
            ..Seen::at(counts, second)
        };
        assert_eq!(
            seen.line(),
            "12.3M rows, 340 MB of 932 MB, 340 MB/s, ETA 2 s, 3 rejected, 31 MB spilled, slowed 2 times, \
             12 waits for the sink, peak 210 MB"
        );
        let stdin = Counts {
            rows: 10,
            bytes: 1000,
            ..Counts::default()
        };
        let line = Seen::at(stdin, second).line();
        assert_eq!(line, "10 rows, 1.0 kB, 1.0 kB/s");
        assert_eq!(Seen::default().line(), "0 rows, 0 B, 0 B/s");
    }
}
